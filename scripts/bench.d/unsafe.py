"""`inv` without lock, journal and audit, for the bench alone: what they cost is the difference.

A step is then a plain script: nothing owns the host, nothing is written down, and a connection
that is lost takes the step with it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event
from typing import Any

from fairlead.commands.script import script
from fairlead.model import Command, Result
from fairlead.program import main
from fairlead.rollout import audit, outcome
from fairlead.rollout.fleet import Fleet, Outcome
from fairlead.transport.fanout import fan_out


@contextmanager
def unlocked(*_: object) -> Iterator[str]:
    yield ""


def act(
    self: Fleet,
    step: str,
    commands: Mapping[str, tuple[Command, ...]],
    turn: object,
    cancel: Event | None = None,
    *,
    quiet: bool = False,
) -> dict[str, Outcome]:
    words = {"FL_TOKEN": "", **self.variables}

    def work(name: str) -> Result:
        return self._run(name, script(commands[name], words), None if quiet else step, cancel)

    return fan_out(commands, work)


def nothing(*_: Any) -> dict[str, tuple[Command, ...]]:
    return {}


setattr(outcome, "locked", unlocked)  # noqa: B010  (an assignment would be an error of types)
setattr(outcome, "_still_the_same", nothing)  # noqa: B010
setattr(audit, "record", nothing)  # noqa: B010
setattr(Fleet, "act", act)  # noqa: B010
main()
