"""A plan: steps in order. What is printed is what runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fairlead.config import SmokeCheck
from fairlead.model import Command, Step

Commands = Mapping[str, tuple[Command, ...]]


@dataclass(frozen=True)
class SmokeStep(Step):
    """A step whose answers are judged: `checks[i]` by the answers that carry index i."""

    checks: tuple[SmokeCheck, ...] = ()


@dataclass(frozen=True)
class ClientSmokeStep(Step):
    """Checks asked by this machine from outside, at `url`; host: the Host header, if another."""

    checks: tuple[SmokeCheck, ...] = ()
    url: str = ""
    host: str = ""


@dataclass(frozen=True)
class Plan:
    """Steps in order. `tidy` steps come once the outcome is certain; their failure is a warning.

    strategy: where it is not the environment's. done: steps that were carried out before; when
    this plan fails, they are undone with it.
    """

    steps: tuple[Step, ...]
    tidy: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    header: Mapping[str, str] = field(default_factory=dict)
    audit: Mapping[str, object] = field(default_factory=dict)  # told in the audit besides
    strategy: str = ""
    done: tuple[Step, ...] = ()


def step(
    name: str, title: str, commands: Commands, undo: Commands | None = None, **options: bool
) -> Step | None:
    """A step, or None when no host has anything to do in it."""
    busy = {host: words for host, words in commands.items() if words}
    if not busy:
        return None
    undone = {host: words for host, words in (undo or {}).items() if words and host in busy}
    return Step(name, title, busy, undone, **options)


def in_order(*steps: Step | None) -> tuple[Step, ...]:
    """The steps that have something to do."""
    return tuple(one for one in steps if one is not None)
