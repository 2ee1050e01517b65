"""`host.check`: how a host is doing, whoever's containers it runs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fairlead.commands import check as phrases
from fairlead.commands.script import script
from fairlead.errors import FairleadError, HostError
from fairlead.model import Command, Result, Step
from fairlead.rollout.doctor_host import last_words
from fairlead.rollout.session import Session
from fairlead.transport.fanout import fan_out

COLUMNS = ("host", "what", "verdict", "value")
FULLEST = 90  # percent of a disk
SICK = ("restarting", "dead")


@dataclass(frozen=True)
class Disk:
    """A file system; sizes in KiB. used and free leave out what is kept for root, as df does."""

    mount: str
    size: int
    used: int
    free: int

    @property
    def percent(self) -> int:
        """How full it is for those who are not root, rounded up, as df tells it."""
        return -(-100 * self.used // max(1, self.used + self.free))


@dataclass(frozen=True)
class Container:
    """Any container of the host."""

    name: str
    image: str
    status: str
    health: str
    exit_code: int
    oom: bool
    restarts: int

    @property
    def fault(self) -> str:
        """What is wrong with it; empty when it is well, or was stopped."""
        if self.status in SICK:
            oom = ", out of memory" if self.oom else ""
            return f"{self.status} (exit code {self.exit_code}{oom}, {self.restarts} restarts)"
        return "unhealthy" if self.health == "unhealthy" else ""


@dataclass(frozen=True)
class Figures:
    """One host. memory: KiB by its name in /proc/meminfo. said: last words of sick containers.

    engine: Docker's version, or a sentence on why there is none (engine_runs tells which).
    """

    engine: str
    engine_runs: bool
    uptime: float
    load: tuple[str, ...]
    memory: Mapping[str, int]
    disks: tuple[Disk, ...]
    containers: tuple[Container, ...] = ()
    usage: tuple[Mapping[str, str], ...] = ()
    said: tuple[str, ...] = field(default=(), repr=False)


Found = Mapping[str, Figures | FairleadError]


def questions(session: Session) -> tuple[Command, ...]:
    return (phrases.figures(session.environment.directory),)


def plan(session: Session) -> tuple[Step, ...]:
    """What a look runs."""
    words = {name: questions(session) for name in session.fleet.hosts}
    return (Step("check", "look at every host", words),)


def look(session: Session) -> Found:
    """Every host's figures, or why there are none."""
    whole = script(questions(session), session.fleet.variables)
    found: dict[str, Figures | FairleadError] = {}

    def ask(name: str) -> Figures:
        return read(name, session.fleet.transports[name].run(whole))

    for name, answer in fan_out(session.fleet.hosts, ask).items():
        if not isinstance(answer, Figures | FairleadError):
            raise answer
        found[name] = answer
    return found


def read(name: str, result: Result) -> Figures:
    """A host's answer. Raises HostError when it broke off."""
    told: dict[str, list[str]] = {}
    for line in result.out.splitlines():
        word, _, rest = line.partition(" ")
        told.setdefault(word, []).append(rest)
    if not result.ok or "@engine" not in told:
        raise HostError(
            name,
            last_words(result),
            next_step="inv doctor",
        )
    return Figures(
        engine=_engine(told["@engine"][0]),
        engine_runs=told["@engine"][0][:1].isdigit(),
        uptime=float(told["@uptime"][0]),
        load=tuple(told["@load"][0].split()),
        memory={key: int(kib) for key, kib in (line.split() for line in told["@memory"])},
        disks=tuple(_disk(line) for line in told["@disk"]),
        containers=tuple(_container(json.loads(line)) for line in told.get("@container", ())),
        usage=tuple(json.loads(line) for line in told.get("@usage", ())),
        said=tuple(told.get("@said", ())),
    )


def describe(found: Found) -> tuple[list[tuple[object, ...]], list[str]]:
    """A row per fact, and the last words of sick containers."""
    rows: list[tuple[object, ...]] = []
    notes: list[str] = []
    for name, figures in found.items():
        if isinstance(figures, FairleadError):
            rows.append((name, "host", "not-run", "no answer"))
            continue
        rows += [(name, *row) for row in _rows(figures)]
        notes += [f"{name} {line}" for line in figures.said]
    return rows, notes


def errors(found: Found) -> list[FairleadError]:
    return [answer for answer in found.values() if isinstance(answer, FairleadError)]


def faults(found: Found) -> list[str]:
    """What a person has to look after, a sentence each; a host without an answer is one."""
    sentences = []
    for name, figures in found.items():
        if isinstance(figures, FairleadError):
            sentences.append(figures.what)
        else:
            sentences += [f"{name}: {fault}" for fault in _faults(figures)]
    return sentences


def _faults(figures: Figures) -> list[str]:
    full = [disk for disk in figures.disks if disk.percent > FULLEST]
    return [
        *([] if figures.engine_runs else [figures.engine]),
        *(f"{disk.mount} is {disk.percent} % full ({_size(disk.free)} free)" for disk in full),
        *(f"container {one.name} is {one.fault}" for one in figures.containers if one.fault),
    ]


def _rows(figures: Figures) -> list[tuple[str, str, str]]:
    one, five, fifteen, processors = figures.load
    rows = [
        ("up", "", _duration(figures.uptime)),
        ("load", "", f"{one} {five} {fifteen} on {processors} CPUs"),
        ("memory", "", _memory(figures.memory)),
        *(_disk_row(disk) for disk in figures.disks),
        ("docker", "passed" if figures.engine_runs else "failed", figures.engine),
    ]
    if figures.engine_runs:
        rows.append(("containers", "", _count(figures.containers)))
        rows += [(f"container {c.name}", "failed", c.fault) for c in figures.containers if c.fault]
        rows += [(f"space of {kind['Type'].lower()}", "", _usage(kind)) for kind in figures.usage]
    return rows


def _disk_row(disk: Disk) -> tuple[str, str, str]:
    verdict = "failed" if disk.percent > FULLEST else "passed"
    return (
        f"disk {disk.mount}",
        verdict,
        f"{disk.percent} % of {_size(disk.size)} used, {_size(disk.free)} free",
    )


def _count(containers: tuple[Container, ...]) -> str:
    running = [one for one in containers if one.status == "running"]
    healthy = sum(one.health == "healthy" for one in running)
    counts = {
        "running": len(running),
        "with a passed health check": healthy,
        "unhealthy": sum(one.health == "unhealthy" for one in running),
        "restarting": sum(one.status == "restarting" for one in containers),
        "stopped": sum(one.status in ("exited", "created") for one in containers),
    }
    return ", ".join(f"{number} {what}" for what, number in counts.items() if number) or "none"


def _usage(kind: Mapping[str, str]) -> str:
    return f"{kind['TotalCount']}, {kind['Size']}, {kind['Reclaimable']} reclaimable"


def _memory(memory: Mapping[str, int]) -> str:
    free, total = memory.get("MemAvailable", 0), memory.get("MemTotal", 0)
    swap = memory.get("SwapTotal", 0)
    used = f"; {_size(swap - memory.get('SwapFree', 0))} of {_size(swap)} swap used" if swap else ""
    return f"{_size(free)} of {_size(total)} available{used}"


def _size(kib: int) -> str:
    return f"{kib / (1 << 20):.1f} GiB" if kib >= 1 << 20 else f"{kib // 1024} MiB"


def _duration(seconds: float) -> str:
    days, rest = divmod(int(seconds), 86400)
    hours, rest = divmod(rest, 3600)
    return f"{days} d {hours} h" if days else f"{hours} h {rest // 60} min"


def _engine(told: str) -> str:
    if told == "missing":
        return "Docker is not installed"
    return told.replace("unreachable", "Docker does not answer:", 1)


def _disk(line: str) -> Disk:
    size, used, free, mount = line.split(" ", 3)
    return Disk(mount, int(size), int(used), int(free))


def _container(raw: Mapping[str, Any]) -> Container:
    return Container(**{**raw, "name": raw["name"].removeprefix("/")})
