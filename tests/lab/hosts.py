"""The lab's machines as the tests use them: over plain ssh, past the program under test."""

import http.client
import json
import os
import shlex
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from fairlead.commands.script import script
from fairlead.model import Command

ROOT = Path(__file__).parents[2]
ROUTER = "/opt/fairlead/router"


@dataclass(frozen=True)
class Lab:
    """What scripts/lab up told: addresses, the registry, the key that opens the hosts."""

    registry: str  # as the hosts name it
    push: str  # the same one, as this machine reaches it
    network: str
    subnet: str
    key: Path
    known_hosts: Path
    hosts: "tuple[Host, ...]"

    def host(self, name: str) -> "Host":
        return next(host for host in self.hosts if host.name == name)


@dataclass(frozen=True)
class Answer:
    """What a command on a host said."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class Page:
    """An answer over HTTP."""

    status: int
    body: str

    def json(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.body)
        return found


@dataclass(frozen=True)
class Host:
    """A host of the lab. `run` logs in as deploy; `root` too works, for what only root may do."""

    name: str
    address: str

    def run(self, command: str, *, user: str = "deploy", stdin: str = "", timeout: float = 60):
        """A shell line over ssh; whatever its exit code."""
        done = subprocess.run(
            [*_ssh(), f"{user}@{self.address}", command],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def must(self, command: str, *, user: str = "deploy", stdin: str = "", timeout: float = 60):
        """The stdout of a shell line that has to succeed, stripped."""
        answer = self.run(command, user=user, stdin=stdin, timeout=timeout)
        assert answer.code == 0, f"{self.name}: {command}: {answer}"
        return answer.out.strip()

    def background(self, command: str, *, user: str = "deploy") -> "subprocess.Popen[str]":
        """A shell line that is left running; its stdout can be read."""
        words = [*_ssh(), f"{user}@{self.address}", command]
        return subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, encoding="utf-8"
        )

    def fl(self, *words: str, key: str, base: str = "/opt/none", token: str = "") -> Answer:
        """One of the program's own shell functions, for preparing and clearing away."""
        variables = {"FL_KEY": key, "FL_BASE": base, "FL_ROUTER": ROUTER, "FL_TOKEN": token}
        return self.run(shlex.join(script([Command(words)], variables).argv))

    def get(self, path: str, host: str, *, port: int = 80, method: str = "GET") -> Page:
        """Ask the host's router from here."""
        connection = http.client.HTTPConnection(self.address, port, timeout=15)
        try:
            connection.request(method, path, headers={"Host": host})
            answer = connection.getresponse()
            return Page(answer.status, answer.read().decode("utf-8", "replace"))
        finally:
            connection.close()

    def containers(self, key: str) -> list[str]:
        """`NAME STATE` of an environment's containers, running or not, sorted."""
        shown = "--format '{{.Names}} {{.State}}'"
        out = self.must(f"docker ps -a --filter label=fairlead.key={key} {shown}")
        return sorted(out.splitlines())

    def audit(self, app: str, environment: str = "staging") -> list[dict[str, object]]:
        out = self.must(f"cat /opt/{app}/{environment}/audit.jsonl 2>/dev/null || :")
        return [json.loads(line) for line in out.splitlines()]

    def snapshot(self) -> dict[str, str]:
        """All that a deploy could change: files under /opt with checksums and modes (lock and
        journal apart), containers, networks, volumes, images, the router's loaded maps."""
        return dict(
            line.split("\t", 1) for line in self.must(_SNAPSHOT, timeout=30).splitlines() if line
        )


_FOUND = (
    "find /opt -path '*/lock' -prune -o -path '*/journal' -prune -o -path '*/router/run' -prune -o"
)
_JOINED = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"
_CONTAINER = "container {{.Names}}\t{{.ID}} {{.State}} {{.Image}}"
_IMAGE = "image {{.Repository}}:{{.Tag}} {{.ID}}\t{{.Digest}}"
_SNAPSHOT = rf"""
{_FOUND} -type f -print0 2>/dev/null | xargs -0r sha256sum 2>/dev/null |
  awk '{{ sum = $1; sub(/^[^ ]* +/, ""); print "file " $0 "\t" sum }}'
{_FOUND} -printf 'mode %p\t%m %u %y\n' 2>/dev/null
exec 2>/dev/null
docker ps -a --no-trunc --format '{_CONTAINER}'
docker network ls --no-trunc --format 'network {{{{.Name}}}}	{{{{.ID}}}}'
docker volume ls --format 'volume {{{{.Name}}}}	{{{{.Driver}}}}'
docker images -a --no-trunc --format '{_IMAGE}'
docker inspect --format 'networks {{{{.Name}}}}	{_JOINED}' $(docker ps -aq) || :
"""


def _ssh() -> list[str]:
    return [
        *("ssh", "-F", "/dev/null", "-i", str(ROOT / ".lab/id_ed25519"), "-o", "BatchMode=yes"),
        *("-o", f"UserKnownHostsFile={ROOT / '.lab/known_hosts'}", "-o", "LogLevel=ERROR"),
        *("-o", f"ControlPath=/tmp/fairlead-lab-{os.getpid()}-%r@%h"),
        *("-o", "ControlMaster=auto", "-o", "ControlPersist=120"),
    ]


def read_lab() -> Lab:
    """The lab that is up. Fails the tests, with the command to start it, when there is none."""
    file = ROOT / ".lab/lab.json"
    if not file.exists():
        pytest.fail("these tests need the lab's hosts: ./scripts/lab up --hosts 4", pytrace=False)
    facts = json.loads(file.read_text())
    return Lab(
        registry=facts["registry"],
        push=facts["push"],
        network=facts["network"],
        subnet=facts["subnet"],
        key=ROOT / facts["key"],
        known_hosts=ROOT / facts["known_hosts"],
        hosts=tuple(Host(host["name"], host["address"]) for host in facts["hosts"]),
    )


def clear(hosts: Iterable[Host], app: str, environments: tuple[str, ...]) -> None:
    """Leave nothing of an application on the hosts: router, containers, networks, data, files."""
    for host in hosts:
        for environment in environments:
            _clear(host, app, environment)
        host.run(f"rm -rf /opt/{app}; docker ps -q >/dev/null")


def _clear(host: Host, app: str, environment: str) -> None:
    key = f"{app}-{environment}"
    host.run(f"docker ps -aq --filter label=fairlead.key={key} | xargs -r docker rm -fv")
    router = host.run(f"test -d {ROUTER}/maps").code == 0
    if router:
        forgotten = host.fl("fl_router_forget", key, key=key)
        assert forgotten.code == 0, f"{host.name}: {key} is still in the router: {forgotten}"
    host.run(
        f"docker network ls -q --filter label=fairlead.key={key} | xargs -r docker network rm; "
        f"docker volume ls -q --filter name={key} | xargs -r docker volume rm"
    )


def wait_for(condition, seconds: float, what: str) -> None:
    """Wait until a condition holds; a failed test that names it when it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)
