"""A builder with the containerd image store, as a team has one, and repositories to build."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.lab.hosts import Lab
from tests.lab.project import Run, _program
from tests.tools import BIN

BASE = "lab/python:3.13-slim"
CONTEXT = "labbuilder"


def docker(*words: str, timeout: float = 120) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()


def own_docker_config(folder: Path) -> Path:
    """A DOCKER_CONFIG of our own, with the plugins of the one in use."""
    now = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    if (now / "cli-plugins").is_dir():
        shutil.copytree(now / "cli-plugins", folder / "cli-plugins")
    return folder


@contextmanager
def running_builder(lab: Lab, folder: Path, docker_config: Path) -> Iterator[str]:
    """A Docker context whose engine has the containerd image store.

    The lab's host image runs it, with the flags the hosts have; a host itself cannot change its
    image store without losing what others keep there.
    """
    settings = {
        "features": {"containerd-snapshotter": True},
        "insecure-registries": ["172.16.0.0/12"],
        "hosts": ["unix:///builder/docker.sock"],
        "default-address-pools": [{"base": "192.168.0.0/16", "size": 24}],
    }
    (folder / "daemon.json").write_text(json.dumps(settings))
    like = json.loads(docker("inspect", "fairlead-host1"))[0]
    name = f"fairlead-test-builder-{os.getpid()}"
    mounts = ("--volume", f"{folder}:/builder", "--volume", "/var/lib/docker")
    place = ("--network", lab.network, "--tmpfs", "/run:exec", "--entrypoint", "sh")
    start = "cp /builder/daemon.json /etc/docker/ && exec dockerd >/builder/log 2>&1"
    flags = (*_flags(like["HostConfig"]), *mounts, *place)
    docker("run", "-d", "--name", name, *flags, like["Config"]["Image"], "-c", start)
    try:
        endpoint = f"unix://{folder}/docker.sock"
        _until(lambda: _answers("-H", endpoint, "version"), 60)
        words = ["docker", "context", "create", CONTEXT, "--docker", f"host={endpoint}"]
        environ = {**os.environ, "DOCKER_CONFIG": str(docker_config)}
        subprocess.run(words, env=environ, check=True, capture_output=True)
        yield CONTEXT
    finally:
        docker("rm", "-fv", name)


@contextmanager
def without_scanners() -> Iterator[None]:
    """With a PATH on which no scanner is found."""
    scanners = (str(BIN), str(BIN.resolve()))
    path = os.environ["PATH"].split(os.pathsep)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join(one for one in path if one not in scanners))
        yield


def _flags(given: dict[str, object]) -> list[str]:
    """The flags that let a host's engine run here, told from a host's own."""
    if given["Privileged"]:
        return ["--privileged"]
    lists = {"cap-add": "CapAdd", "cap-drop": "CapDrop", "security-opt": "SecurityOpt"}
    lists["device-cgroup-rule"] = "DeviceCgroupRules"
    found = [f"--{flag}={one}" for flag, key in lists.items() for one in given[key] or ()]
    return [
        *found,
        "--security-opt=systempaths=unconfined",
        "--volume=/sys/fs/cgroup:/sys/fs/cgroup",
    ]


@dataclass
class Sources:
    """A repository with images to build, and the program run in it."""

    folder: Path
    lab: Lab
    builder: str
    docker_config: Path
    app: str
    more: str = ""
    files: dict[str, str] = field(default_factory=dict)

    def write(self) -> "Sources":
        base = f"{self.lab.registry}/{BASE}"
        files = {
            "tasks.py": "from fairlead.tasks import ns\n",
            "compose.yaml": "services:\n  web:\n    image: web\n    build: web\n"
            "  api:\n    image: api\n    build: {context: api, args: {VERSION: '${TAG:-dev}'}}\n",
            "web/Dockerfile": "FROM scratch\nCOPY page /page\n",
            "web/page": "hello\n",
            "api/Dockerfile": f"FROM {base}\nCOPY big /big\nARG VERSION\nENV VERSION=$VERSION\n"
            'CMD ["python", "-m", "http.server", "8000"]\n',
            "deploy/fairlead.toml": self.toml(),
        }
        for name, text in (files | self.files).items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (self.folder / "api/big").write_bytes(os.urandom(2_000_000))
        self.git("init", "-q", "-b", "main")
        self.commit("first")
        return self

    def toml(self) -> str:
        return f"""\
app = "{self.app}"
compose = "../compose.yaml"
[registry]
server = "{self.lab.registry}"
insecure = true
[build]
builder = "{self.builder}"
[build.services.web]
cross = true
platforms = ["linux/amd64", "linux/arm64"]
smoke = {{ skip = true }}
[build.services.api.smoke]
path = "/etc/hostname"
[services.web]
image = "{self.lab.registry}/{self.app}/web"
[services.api]
image = "{self.lab.registry}/{self.app}/api"
port = 8000
{self.more}"""

    def git(self, *words: str) -> str:
        identity = ("-c", "user.name=ada", "-c", "user.email=ada@example.com")
        done = subprocess.run(
            ["git", *identity, *words], cwd=self.folder, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "-qm", message)
        return self.git("rev-parse", "HEAD")

    def inv(self, *words: str, stdin: str = "", timeout: float = 200, **environ: str) -> Run:
        began = time.monotonic()
        path = f"{_program('inv').parent}:{os.environ['PATH']}"
        done = subprocess.run(
            [_program("inv"), *words],
            cwd=self.folder,
            env={
                "PATH": path,
                "HOME": str(self.folder),
                "LANG": "C.UTF-8",
                "DOCKER_CONFIG": str(self.docker_config),
                **environ,
            },
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        return Run(done.returncode, done.stdout, done.stderr, time.monotonic() - began)


def _answers(*words: str) -> bool:
    return subprocess.run(["docker", *words], capture_output=True, timeout=30).returncode == 0


def _until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)
