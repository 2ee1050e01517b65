"""Images to hosts without a registry: `docker pull` there, from a registry at our end of SSH.

Each host asks for what it lacks and nothing else; the host's engine checks every digest, and the
image is known there by its digest as after any pull. The registry is reached on the host's own
loopback interface, and only while this runs.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from fairlead.commands import host as phrases
from fairlead.commands.script import script
from fairlead.config import Environment
from fairlead.errors import ConfigError, HostError, Problem
from fairlead.events import HostFinished, HostProgress, Listener, PhaseFinished, PhaseStarted
from fairlead.images.record import Built, layout_of
from fairlead.images.reference import parse
from fairlead.images.shelf import Shelf
from fairlead.model import Command, Result
from fairlead.transport.fanout import fan_out
from fairlead.transport.protocol import LineListener

STEP = "push"
TIMEOUT = 1800.0


class Reversible(Protocol):
    """A transport over which the host can reach us."""

    def run(self, command: Command, on_line: LineListener | None = None) -> Result: ...

    def reversed(self, port: int, serve: Callable[[Any], None]) -> AbstractContextManager[None]: ...


@dataclass(frozen=True)
class Delivered:
    """What one host got: bytes of content that went over the connection, seconds."""

    host: str
    bytes: int
    seconds: float


def wanted_by(environment: Environment, wanted: Sequence[Built]) -> dict[str, list[Built]]:
    """The images of each host: of services that run there; a host without any is left out."""
    found: dict[str, list[Built]] = {}
    for one in wanted:
        for name in {host.name for at in one.services for host in environment.hosts_for(at)}:
            found.setdefault(name, []).append(one)
    return found


def deliver(
    root: Path,
    wanted: Mapping[str, Sequence[Built]],
    hosts: Mapping[str, Reversible],
    tell: Listener,
) -> dict[str, Delivered | Exception]:
    """Bring each host its images. Raises ConfigError for a repository of a real registry."""
    port = tunnel_port([one for images in wanted.values() for one in images])
    began = time.monotonic()
    tell(PhaseStarted(STEP, "send what the hosts lack, over SSH", tuple(hosts)))

    def work(name: str) -> Delivered:
        return _to_host(root, wanted[name], name, hosts[name], port, tell)

    found = fan_out(hosts, work)
    ok = not any(isinstance(one, Exception) for one in found.values())
    tell(PhaseFinished(STEP, ok, time.monotonic() - began))
    return found


def tunnel_port(wanted: Sequence[Built]) -> int:
    """The port of the hosts' loopback interface that the repositories name."""
    references = {one.name: parse(one.image) for one in wanted}
    servers = {name: one.server for name, one in references.items()}
    problems = [
        Problem(
            "deploy/fairlead.toml",
            f"services.{name}.image",
            f"is a repository of {server}; without a registry the hosts know an image as "
            f'"localhost:5999/{name}" (any free port)',
        )
        for name, server in servers.items()
        if not references[name].over_ssh
    ]
    if len(set(servers.values())) > 1 and not problems:
        message = f"name more than one port: {', '.join(sorted(set(servers.values())))}"
        problems.append(Problem("deploy/fairlead.toml", "services", message))
    if problems:
        raise ConfigError(problems, state="nothing was sent")
    return int(next(iter(servers.values())).partition(":")[2])


def _to_host(
    root: Path,
    wanted: Sequence[Built],
    name: str,
    transport: Reversible,
    port: int,
    tell: Listener,
) -> Delivered:
    began = time.monotonic()
    shelf = Shelf({parse(one.image).repository: layout_of(root, one) for one in wanted})
    ok = False
    try:
        with transport.reversed(port, shelf.serve):
            _pull(wanted, name, transport, tell)
        ok = True
    finally:
        seconds = time.monotonic() - began
        tell(HostFinished(STEP, name, ok, seconds, f"{shelf.sent / 1e6:.1f} MB sent"))
    return Delivered(name, shelf.sent, seconds)


def _pull(wanted: Sequence[Built], name: str, transport: Reversible, tell: Listener) -> None:
    def on_line(line: str) -> None:
        word, _, rest = line.partition(" ")
        fields = rest.split()
        if word == "@pull" and len(fields) >= 2:
            done, total = int(fields[0]), int(fields[1])
            tell(HostProgress(STEP, name, "layers", done, total, " ".join(fields[2:])))

    commands = [phrases.pull(f"{one.image}@{one.digest}", timeout=TIMEOUT) for one in wanted]
    commands += [
        Command(("docker", "tag", f"{one.image}@{one.digest}", f"{one.image}:{tag}"))
        for one in wanted
        for tag in one.tags[:1]
    ]
    said = transport.run(script(commands, {}), on_line)
    if not said.ok:
        raise HostError(
            name,
            "docker pull over the SSH connection failed",
            why=said.err.strip().splitlines()[-5:],
            state="what it had before is as it was",
            next_step="inv host.check (is its disk full?), then inv push --via-ssh again",
        )
