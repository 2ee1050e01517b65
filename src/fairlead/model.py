"""The nouns every floor shares: values only, no behaviour beyond what defines them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SLOTS = ("blue", "green")
REVISION = "org.opencontainers.image.revision"  # label of an image; OCI image-spec 1.1, annotations


def other_slot(slot: str) -> str:
    """The slot that is idle while `slot` is live."""
    return SLOTS[1 - SLOTS.index(slot)]


class Secret:
    """A value that prints as dots. Only `reveal` gives it away, and only to a host's stdin.

    Deliberately no `str` subclass: joining or quoting one would lose the mask.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(•••)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "•••"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> Any:
        raise TypeError("a Secret is not serialised")


@dataclass(frozen=True)
class Command:
    """One command for one host: argv, and what it reads on stdin.

    argv is printed in plans and logs, so it holds no secret; `stdin` may, and is described by
    `stdin_note` instead of shown. `timeout` is in seconds, for the whole command. `repeatable`:
    sent twice it has the effect of once, so after a lost connection it is sent again. `mark`: the
    word that a step tells its beginning and end with (commands/steps.sh); empty for all else.
    `patience`: seconds that a step may wait before it begins; `timeout` counts from then on.
    """

    argv: tuple[str, ...]
    stdin: bytes | None = field(default=None, repr=False)
    stdin_note: str = ""
    timeout: float = 120.0
    repeatable: bool = False
    mark: str = ""
    patience: float = 0.0


@dataclass(frozen=True)
class Result:
    """What a host answered: exit code, output, seconds it took."""

    host: str
    code: int
    out: str
    err: str
    seconds: float

    @property
    def ok(self) -> bool:
        return self.code == 0


@dataclass(frozen=True)
class Host:
    """A machine that is reached over SSH and carries roles."""

    name: str
    address: str
    user: str
    port: int = 22
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Image:
    """An image pinned by digest. `tag` is only how a person asked for it.

    commit: what it was built from, as far as a deploy could tell; empty when unknown.
    """

    repository: str
    tag: str
    digest: str
    size: int = 0  # compressed bytes, as the registry tells; 0 when unknown
    platforms: tuple[str, ...] = ()  # "linux/amd64", …; empty when unknown
    commit: str = ""

    @property
    def pinned(self) -> str:
        return f"{self.repository}@{self.digest}"


class ReleaseStatus(StrEnum):
    """Where a release is in its life. Only a proven one is a rollback's target."""

    PREPARED = "prepared"
    PROVEN = "proven"
    FAILED = "failed"
    ROLLED_BACK = "rolled-back"


@dataclass(frozen=True)
class Step:
    """A named part of a plan: per host the commands that do it, and those that undo it.

    The commands of one host run as one script, in order, stopping at the first failure; hosts run
    side by side. `interruptible` steps are killed by Ctrl-C, others are awaited (they are short).
    `title` is the sentence a person reads; `after_switch` tells which exit code a failure has.
    """

    name: str
    title: str
    commands: Mapping[str, tuple[Command, ...]]
    undo: Mapping[str, tuple[Command, ...]] = field(default_factory=dict)
    interruptible: bool = True
    after_switch: bool = False

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(self.commands)
