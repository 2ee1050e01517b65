"""A project of its own for a test: the files a team would write, and the real program run on it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab.hosts import Host, Lab, clear

SECRET = "k3y-2f9d81c07ab64e55-not-for-eyes"  # SECRET_KEY of every test project

COMPOSE = """\
services:
  api:
    image: agentic
    env_file: .env
    ports: ["8000:8000"]
    stop_grace_period: 20s
    depends_on:
      redis: {condition: service_healthy}
  worker:
    image: agentic
    command: ["python", "-m", "agentic.worker"]
    env_file: .env
    stop_grace_period: 20s
  redis:
    image: ${LAB_REGISTRY}/redis:8
    command: ["redis-server", "--save", "", "--appendonly", "no"]
    healthcheck:
      test: ["CMD", "redis-cli", "ping"]
      start_interval: 500ms  # often only while it starts: each check costs a process on the host
      start_period: 15s
      interval: 5s
"""

SMOKE = """
[[smoke]]
name = "health"
path = "/api/v1/health"
json = { status = "ok" }
max_time = "10s"

[[smoke]]
name = "version"
path = "/api/v1/version"
contains = "version"
max_time = "10s"
"""


@dataclass(frozen=True)
class Run:
    """What one command said: exit code, stdout, stderr, seconds it took."""

    code: int
    out: str
    err: str
    seconds: float = 0.0

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def lines(self) -> list[dict[str, Any]]:
        """stdout of a --json run, a value a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def result(self) -> dict[str, Any]:
        return self.lines[-1]

    @property
    def error(self) -> dict[str, Any]:
        """The one error of a --json run."""
        errors = [line["error"] for line in self.lines if line["type"] == "error"]
        assert len(errors) == 1, self
        found: dict[str, Any] = errors[0]
        return found

    def ok(self) -> "Run":
        """Itself; a failed test with all it said unless it ended with 0."""
        assert self.code == 0, f"exit {self.code}\n{self.out}\n{self.err}"
        return self


class Started:
    """A command that still runs, its output in files."""

    def __init__(self, process: "subprocess.Popen[bytes]", out: Path, err: Path) -> None:
        self.process, self._out, self._err = process, out, err
        self._began = time.monotonic()

    @property
    def text(self) -> str:
        """What it has said so far."""
        return self._out.read_text() + self._err.read_text()

    def wait_for(self, words: str, seconds: float = 60) -> None:
        """Until its output holds these words; a failed test when it ends or takes too long."""
        deadline = time.monotonic() + seconds
        while words not in self.text:
            assert self.process.poll() is None, f"ended before `{words}`: {self.text}"
            assert time.monotonic() < deadline, f"no `{words}` in {seconds} s: {self.text}"
            time.sleep(0.02)

    def signal(self, number: int = signal.SIGINT) -> None:
        self.process.send_signal(number)

    def end(self, timeout: float = 90) -> Run:
        """Its end, waited for."""
        code = self.process.wait(timeout)
        seconds = time.monotonic() - self._began
        return Run(code, self._out.read_text(), self._err.read_text(), seconds)


@dataclass
class Project:
    """A project folder on disk, deploying to hosts of the lab.

    Its services are the example's: api (routed at `<app>.test`), redis (stateful), and worker if
    asked for. `write()` writes all files from the fields; fields may be changed in between.
    top, staging: lines of TOML before and of the environment file; more: tables at the end of
    fairlead.toml. variables: .env.<environment>, over what the example needs.
    """

    folder: Path
    lab: Lab
    app: str
    hosts: tuple[Host, ...]
    environment: str = "staging"
    strategy: str = "blue-green"
    replicas: int = 1
    worker: bool = False
    redis: bool = True
    migrate: bool = False
    smoke: str = SMOKE
    keep_warm: str = "2m"
    drain_timeout: str = "20s"
    lock_lease: str = "60s"
    health: str = '{ path = "/health", timeout = "20s", interval = "1s" }'
    route: str = ""
    url: bool = True
    api: str = ""  # more lines of [services.api]
    top: str = ""
    more: str = ""
    staging: str = ""
    compose: str = COMPOSE
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.app}-{self.environment}"

    @property
    def base(self) -> str:
        """Its directory on a host."""
        return f"/opt/{self.app}/{self.environment}"

    @property
    def name(self) -> str:
        """The host name it is routed at."""
        return self.route or f"{self.app}.test"

    def write(self) -> "Project":
        """All its files, as the fields say."""
        (self.folder / "deploy").mkdir(parents=True, exist_ok=True)
        files = {
            "tasks.py": "from fairlead.tasks import ns\n",
            "deploy/fairlead.toml": self._toml(),
            f"deploy/{self.environment}.toml": self._environment_toml(),
            "compose.yaml": self._compose(),
            ".env": f"LAB_REGISTRY={self.lab.registry}\n",
            f".env.{self.environment}": self._variables(),
            ".env.example": "REDIS_URL=\nSECRET_KEY=\nGREETING=\n",
        }
        for name, text in files.items():
            (self.folder / name).write_text(text)
        return self

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace text in one of its files; the text must be there."""
        file = self.folder / name
        text = file.read_text()
        assert old in text, f"{old!r} is not in {name}: {text}"
        file.write_text(text.replace(old, new))

    def append(self, name: str, text: str) -> None:
        with (self.folder / name).open("a") as file:
            file.write(text)

    def inv(self, *words: str, timeout: float = 150, env: Mapping[str, str] | None = None) -> Run:
        """`inv …` in its folder, to the end."""
        began = time.monotonic()
        done = subprocess.run(
            [_program("inv"), *words],
            cwd=self.folder,
            env={**self.clean_environment(), **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        return Run(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    def deploy(self, tag: str, *words: str, **options: Any) -> Run:
        """`inv deploy` of a tag with --json, whatever comes of it."""
        return self.inv(
            *("deploy", f"--env={self.environment}", f"--tag={tag}", "--json", *words), **options
        )

    def start(
        self, *words: str, env: Mapping[str, str] | None = None, group: int | None = None
    ) -> Started:
        """`inv …` in its folder, begun; in that group of users, if one is given."""
        number = sum(1 for _ in self.folder.glob("started-*.out"))
        out = self.folder / f"started-{number}.out"
        err = self.folder / f"started-{number}.err"
        process = subprocess.Popen(
            [_program("inv"), *words],
            cwd=self.folder,
            env={**self.clean_environment(), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=out.open("wb"),
            stderr=err.open("wb"),
            group=group,
        )
        return Started(process, out, err)

    def get(self, path: str, host: Host | None = None):
        """Ask the application through a host's router."""
        return (host or self.hosts[0]).get(path, self.name)

    def serving(self, host: Host | None = None) -> str:
        """The version that answers on a host; `-` when none does."""
        try:
            page = self.get("/api/v1/version", host)
        except OSError:
            return "-"
        return str(page.json()["version"]) if page.status == 200 else "-"

    def live(self, host: Host | None = None) -> str:
        """Its entry in a host's live map file: `blue`, `green`, …; empty when nothing is live."""
        found = (host or self.hosts[0]).must(
            f"sed -n 's/^{self.key} //p' /opt/fairlead/router/maps/live.map 2>/dev/null || :"
        )
        return str(found)

    def clear(self) -> None:
        """Leave nothing of it on its hosts."""
        clear(self.hosts, self.app, (self.environment,))

    def clean_environment(self) -> dict[str, str]:
        """What a fresh shell has, and no more."""
        kept = {name: os.environ[name] for name in ("DOCKER_CONFIG",) if name in os.environ}
        path = f"{_program('inv').parent}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.folder), "LANG": "C.UTF-8", **kept}

    def _toml(self) -> str:
        services = f"""
[services.api]
image = "${{LAB_REGISTRY}}/agentic"
roles = ["web"]
port = 8000
replicas = {self.replicas}
routes = ["{self.name}"]
health = {self.health}
{self.api}
"""
        if self.worker:
            services += (
                '\n[services.worker]\nimage = "${LAB_REGISTRY}/agentic"\nroles = ["web"]\n'
                f"replicas = {self.replicas}\n"
            )
        if self.redis:
            services += '\n[services.redis]\nstateful = true\nroles = ["data"]\n'
        migrate = '\n[migrate]\nservice = "api"\ncommand = "python -m agentic.migrate"\n'
        return f"""\
app = "{self.app}"
compose = "../compose.yaml"
default_environment = "{self.environment}"
strategy = "{self.strategy}"
keep_warm = "{self.keep_warm}"
drain_timeout = "{self.drain_timeout}"
lock_lease = "{self.lock_lease}"
{self.top}
[ssh]
user = "deploy"
key = "{self.lab.key}"
known_hosts = "{self.lab.known_hosts}"
connect_timeout = "5s"

[registry]
server = "${{LAB_REGISTRY}}"
insecure = true

[router]
image = "${{LAB_REGISTRY}}/haproxy:3.0"
{services}{migrate if self.migrate else ""}{self.smoke}{self.more}"""

    def _environment_toml(self) -> str:
        lines = [f'url = "http://{self.hosts[0].address}"'] if self.url else []
        lines.append(self.staging)
        for number, host in enumerate(self.hosts):
            roles = '["web", "data"]' if number == 0 else '["web"]'
            lines.append(f'\n[hosts.{host.name}]\naddress = "{host.address}"\nroles = {roles}')
        return "\n".join(lines) + "\n"

    def _compose(self) -> str:
        text = self.compose
        if not self.worker:
            text = _without(text, "worker")
        if not self.redis:
            text = _without(text, "redis").replace(
                "    depends_on:\n      redis: {condition: service_healthy}\n", ""
            )
        return text

    def _variables(self) -> str:
        data = "redis" if len(self.hosts) < 2 else self.hosts[0].address
        values = {
            "REDIS_URL": f"redis://{data}:6379/0",
            "SECRET_KEY": SECRET,
            "GREETING": f"Hello from {self.app}",
            **self.variables,
        }
        return "".join(f"{name}={value}\n" for name, value in values.items())


def _program(name: str) -> Path:
    return Path(sys.executable).with_name(name)


def _without(compose: str, service: str) -> str:
    """A compose file without one of its services."""
    kept, inside = [], False
    for line in compose.splitlines(keepends=True):
        if line.startswith("  ") and not line.startswith("   "):
            inside = line.strip() == f"{service}:"
        elif not line.startswith(" "):
            inside = False
        if not inside:
            kept.append(line)
    return "".join(kept)
