"""The journal: what a run (a deploy, a rollback) was to do on a host, and how far it got there.

It is written on the hosts, in the scripts that are sent anyway: the header with the lock, a
directory at the beginning of each step, its exit code at the end (commands/journal.sh, steps.sh).
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fairlead.commands import host as phrases
from fairlead.model import Command, Step
from fairlead.rollout.plan import Plan

SCHEMA = 1
LONGEST_NAME = 100  # of a step's directory; 255 bytes are what a file system takes


def new_run() -> str:
    """A run's name: the time, for people and for sorting, and what makes it unique."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


def key(step: str) -> str:
    """A step's name as part of a directory's."""
    plain = step.replace(" ", "-").replace("/", "-")
    if len(plain) <= LONGEST_NAME:
        return plain
    return f"{plain[:80]}-{hashlib.sha256(plain.encode()).hexdigest()[:12]}"


def touches(step: Step) -> bool:
    """Whether a step changes what serves: from its beginning on, a new plan is no way out."""
    return step.after_switch or step.name == "data"


@dataclass
class Turn:
    """Our turn at the hosts: the lock's token, the run, and how many steps of it there were."""

    token: str
    run: str = ""
    number: int = 0

    def next(self, step: str) -> str:
        """The directory of the next step in the journal."""
        self.number += 1
        return f"{self.number:03d}.{key(step)}"


@dataclass(frozen=True)
class Done:
    """A step that was begun on a host. code: None while it runs, or when it was killed."""

    number: int
    name: str
    code: int | None


@dataclass(frozen=True)
class Run:
    """One run as one host tells it.

    end: how it ended, empty while it has not. since: when its last step began (ISO). live: the
    slot that was live before it. serving: the names of its steps that change what serves.
    data_of, data_before: of a rollback with data, the backup they come from, and the one that holds
    those from before. irreversible: its migration takes away what the release before needs.
    """

    id: str
    end: str
    since: str
    steps: tuple[Done, ...]
    verb: str
    doing: str
    who: str
    release: str
    tag: str
    strategy: str
    live: str
    services: tuple[str, ...] = ()
    serving: frozenset[str] = field(default_factory=frozenset)
    started: str = ""
    data_of: str = ""
    data_before: str = ""
    irreversible: bool = False

    @property
    def last(self) -> int:
        """The number of the step it got to."""
        return max((one.number for one in self.steps), default=0)

    @property
    def unfinished(self) -> bool:
        """It began to change the host, and never came to an end."""
        return bool(self.steps) and not self.end

    @property
    def touched(self) -> bool:
        """It began to change what serves, or took away what that needs."""
        begun = {one.name.removeprefix("undo-") for one in self.steps}
        return self.crossed or bool(begun & self.serving)

    @property
    def crossed(self) -> bool:
        """It began its irreversible migration: what serves may not work with the data any more."""
        return self.irreversible and self.began("migrate")

    @property
    def turned_back(self) -> bool:
        """It failed, and had begun to undo what it did."""
        return any(one.name.startswith("undo-") for one in self.steps)

    @property
    def at(self) -> str:
        """The step it got to."""
        return self.steps[-1].name if self.steps else ""

    @property
    def data_are_back(self) -> bool:
        """A rollback with data that had proven what serves, and was putting that on record."""
        return bool(self.data_of) and (self.began("restored") or self.began("tidy"))

    @property
    def ways_out(self) -> str:
        """The commands that bring it to an end, for a person. Half-restored data only go back."""
        forward, back = "inv deploy --resume finishes it", "inv rollback takes it back"
        if self.crossed and not self.turned_back:
            return f"{forward}; inv rollback names the way back, with its data"
        if not self.data_of:
            return f"{forward}, {back}"
        return forward if self.data_are_back else f"{back}, release and data"

    def began(self, step: str) -> bool:
        return any(one.name == key(step) for one in self.steps)

    def carried_out(self, step: str) -> bool:
        return any(one.name == key(step) and one.code == 0 for one in self.steps)


def parse(text: str) -> Run:
    """A `@run-of` line's rest. Raises ValueError or KeyError when it is none."""
    run, end, since, steps, header = text.split(" ", 4)
    about: dict[str, Any] = json.loads(header)
    return Run(
        run,
        "" if end == "-" else end,
        "" if since == "-" else since,
        tuple(_done(one) for one in steps.split(",") if one),
        **{name: about[name] for name in ("verb", "doing", "who", "release", "tag")},
        strategy=about["strategy"],
        live=about["live"],
        services=tuple(about["services"]),
        serving=frozenset(about["serving"]),
        started=about["started"],
        data_of=about.get("data_of", ""),
        data_before=about.get("data_before", ""),
        irreversible=about.get("irreversible", False),
    )


def _done(text: str) -> Done:
    directory, _, code = text.rpartition("=")
    number, _, name = directory.partition(".")
    return Done(int(number), name, None if code == "?" else int(code))


def header(about: Mapping[str, object], plan: Plan, live: str) -> str:
    """What `parse` reads again: one line of JSON."""
    serving = sorted({key(step.name) for step in (*plan.steps, *plan.tidy) if touches(step)})
    whole = {"schema": SCHEMA, **about, "live": live, "serving": serving}
    return json.dumps(whole, sort_keys=True)


def opening(run: str, headers: Mapping[str, str]) -> Mapping[str, tuple[Command, ...]]:
    """What begins a run's journal on each host."""
    return {name: (phrases.journal_open(run, text),) for name, text in headers.items()}
