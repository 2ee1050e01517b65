"""A lab host with nothing on it but the router's files, and applications to put behind it."""

import json
import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fairlead.commands.script import script
from fairlead.model import Command
from fairlead.router.haproxy import base_config, route_lines, slot_config
from fairlead.router.settings import RoutedApplication, RoutedService

ROOT = Path(__file__).parents[3]
DIRECTORY = "/opt/fairlead/router"
HTTP, HTTPS = 8080, 8443


@dataclass(frozen=True)
class Answer:
    """What a script said: exit code, output, and seconds it took."""

    code: int
    out: str
    err: str
    seconds: float


@dataclass(frozen=True)
class LabHost:
    """A host of the lab, reached over its real sshd as the user who deploys."""

    name: str
    address: str
    user: str
    registry: str

    def run(self, shell: str, stdin: str = "") -> Answer:
        """A shell line, as `user`."""
        sockets = f"ControlPath=/tmp/fairlead-test-{os.getpid()}-%h"
        words = ["ssh", "-i", str(ROOT / ".lab/id_ed25519"), "-o", "BatchMode=yes"]
        words += ["-o", f"UserKnownHostsFile={ROOT / '.lab/known_hosts'}", "-o", sockets]
        words += ["-o", "ControlMaster=auto", "-o", "ControlPersist=60"]
        began = time.monotonic()
        done = subprocess.run(
            [*words, f"{self.user}@{self.address}", shell],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Answer(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    def must(self, shell: str, stdin: str = "") -> str:
        answer = self.run(shell, stdin)
        assert answer.code == 0, f"{shell}: {answer}"
        return answer.out.strip()

    def script(self, *words: str, key: str = "", stdin: bytes | None = None) -> str:
        """A call of a shell function, as a deploy sends it."""
        variables = {"FL_KEY": key, "FL_BASE": "/opt/none", "FL_ROUTER": DIRECTORY}
        return script([Command(words, stdin=stdin)], variables).argv[2]

    def fl(self, *words: str, key: str = "", stdin: str = "") -> Answer:
        """Call a shell function."""
        text = self.script(*words, key=key, stdin=stdin.encode() or None)
        return self.run(f"sh -c {shlex.quote(text)}", stdin)

    def did(self, *words: str, key: str = "", stdin: str = "") -> Answer:
        answer = self.fl(*words, key=key, stdin=stdin)
        assert answer.code == 0, f"{words}: {answer}"
        return answer

    @property
    def image(self) -> str:
        return f"{self.registry}/lab/python:3.13-slim"

    @property
    def router_image(self) -> str:
        return f"{self.registry}/haproxy:3.0"

    @property
    def url(self) -> str:
        return f"http://{self.address}:{HTTP}/"

    def lines(self, word: str, answer: Answer) -> list[list[str]]:
        return [line.split()[1:] for line in answer.out.splitlines() if line.startswith(word + " ")]


@dataclass(frozen=True)
class Application:
    """An application with one routed service `web`, whose containers are started by hand."""

    host: LabHost
    key: str
    settings: RoutedApplication

    def backend(self, slot: str) -> str:
        return f"{self.key}-web-{slot}"

    def configure(self, *slots: str) -> None:
        for slot in slots:
            path = f"/tmp/{self.key}-{slot}.cfg"
            self.host.must(f"cat >{path}", slot_config(self.settings, slot))
            self.host.must(
                f"docker network inspect {self.key}-{slot} >/dev/null 2>&1 || "
                f"docker network create --label fairlead.test {self.key}-{slot}"
            )
            self.host.did("fl_router_connect", f"{self.key}-{slot}", key=self.key)
            self.host.did("fl_router_apply", f"{self.key}-{slot}", path, key=self.key)

    def route(self) -> Answer:
        path = f"/tmp/{self.key}.routes"
        self.host.must(f"cat >{path}", route_lines(self.settings))
        return self.host.fl("fl_router_routes", self.key, path, key=self.key)

    def start(self, slot: str, *names: str, restart: str = "always", **env: str) -> list[str]:
        """Containers of a slot; their addresses."""
        words = " ".join(f"-e {name}='{value}'" for name, value in env.items())
        run = (
            f"docker run -d --label fairlead.test --label slot={self.key}-{slot} "
            f"--network {self.key}-{slot} "
            f"--network-alias {self.key}-{slot}-web --restart {restart} "
            f"-v /opt/application.py:/application.py:ro {words}"
        )
        for name in names:
            self.host.must(
                f"{run} --name {name} -e NAME={name} {self.host.image} python3 /application.py"
            )
        return self.addresses(slot)

    def addresses(self, slot: str) -> list[str]:
        ask = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        ids = f"docker ps -q --filter label=slot={self.key}-{slot}"
        return self.host.must(f"docker inspect -f '{ask}' $({ids})").split()

    def ready(self, slot: str, *names: str, **env: str) -> None:
        """Start a slot and wait until it is healthy."""
        addresses = self.start(slot, *names, **env)
        self.host.did("fl_await_servers", self.backend(slot), "20", *addresses, key=self.key)

    def switch(self, value: str) -> Answer:
        return self.host.did("fl_switch", value, key=self.key)

    def stop(self, slot: str) -> None:
        """Drain a slot and remove its containers."""
        self.host.did("fl_drain", "20", self.backend(slot), key=self.key)
        self.remove(slot)

    def remove(self, slot: str) -> None:
        ids = f"$(docker ps -aq --filter label=slot={self.key}-{slot})"
        self.host.must(f"docker stop -t 10 {ids} && docker rm {ids}")


@pytest.fixture(scope="session")
def host() -> Iterator[LabHost]:
    lab = ROOT / ".lab/lab.json"
    if not lab.exists():
        pytest.fail("these tests need the lab: ./scripts/lab up")
    facts = json.loads(lab.read_text())
    hosts = {one["name"]: one for one in facts["hosts"]}
    one = hosts[os.environ.get("FAIRLEAD_LAB_HOST", list(hosts)[-1])]
    found = LabHost(one["name"], one["address"], one["user"], facts["registry"])
    _clean(found)
    found.must("cat >/opt/application.py", (Path(__file__).parent / "application.py").read_text())
    for image in (found.image, found.router_image):
        found.must(f"docker pull -q {image}")
    yield found
    _clean(found)
    found.must(
        "rm -rf /opt/application.py /tmp/bare /tmp/apply.sh /tmp/*.cfg /tmp/*.routes /tmp/*.pem"
    )


def _clean(host: LabHost) -> None:
    host.must(
        "docker rm -f $(docker ps -aq --filter label=fairlead.test) fairlead-router "
        "fairlead-router-old >/dev/null 2>&1; "
        "docker network rm $(docker network ls -q --filter label=fairlead.test) "
        ">/dev/null 2>&1; rm -rf /opt/fairlead/router"
    )


@pytest.fixture
def router(host: LabHost) -> Iterator[LabHost]:
    """A fresh router, and nothing behind it."""
    _clean(host)
    up(host)
    yield host
    _clean(host)


def up(host: LabHost, *, http: int = HTTP, https: int = HTTPS, certificate: str = "") -> Answer:
    words = ("fl_router_up", host.router_image, str(http), str(https))
    extra = (certificate,) if certificate else ()
    return host.did(*words, *extra, key="shop-test", stdin=base_config())


def application(host: LabHost, key: str, *routes: str, servers: int = 4) -> Application:
    service = RoutedService("web", 8000, servers, "/health", 2.0, routes)
    return Application(host, key, RoutedApplication(key, (service,)))


@pytest.fixture
def shop(router: LabHost) -> Application:
    """An application with both slots configured, routed at shop.test; nothing runs yet."""
    shop = application(router, "shop-test", "shop.test")
    shop.configure("blue", "green")
    assert shop.route().code == 0
    return shop
