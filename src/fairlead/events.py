"""What a command tells while it runs. Only `report` decides how it looks."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class PhaseStarted:
    """A step begins on `hosts` (names; empty for work done by the client itself)."""

    step: str
    title: str
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class HostProgress:
    """One host moved on inside a step: `what` is measured, `done` of `total` (0: unknown)."""

    step: str
    host: str
    what: str
    done: int
    total: int
    note: str = ""


@dataclass(frozen=True)
class HostOutput:
    """A line that a command printed on a host, already redacted."""

    step: str
    host: str
    line: str


@dataclass(frozen=True)
class HostFinished:
    """A host is through with a step; `seconds` is its own time."""

    step: str
    host: str
    ok: bool
    seconds: float
    note: str = ""


@dataclass(frozen=True)
class PhaseFinished:
    """A step is over on all its hosts. `note` says it in short, where the hosts need no naming."""

    step: str
    ok: bool
    seconds: float
    note: str = ""


@dataclass(frozen=True)
class Notice:
    """Something a person should know that is no failure: a guess, a fallback, a wait."""

    text: str
    level: str = "info"  # info | warning


Event = PhaseStarted | HostProgress | HostOutput | HostFinished | PhaseFinished | Notice
Listener = Callable[[Event], None]
