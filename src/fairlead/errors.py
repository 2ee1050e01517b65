"""One tree of errors. Each carries what a person needs to act, and an exit code of its own.

Exit codes (docs/reference/exit-codes.md, pinned by tests/unit/test_errors.py):
0 done · 1 failed, the old release is serving · 2 usage or configuration · 3 lock held ·
4 gate or approval refused · 5 rolled back after the switch · 6 mixed or unknown, a person is
needed · 7 inconclusive.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class FairleadError(Exception):
    """An expected failure: told to a person in sentences, never as a traceback.

    what: one sentence, what failed and where. why: details, one per line (log lines, answers).
    state: what is true now. next_step: what to do, usually a command. docs: anchor under docs/.
    facts: the same as data, for a script: what each host serves, when it was observed.
    """

    exit_code = 1
    kind = "failed"

    def __init__(
        self,
        what: str,
        *,
        why: Sequence[str] = (),
        state: str = "",
        next_step: str = "",
        docs: str = "",
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.why = tuple(why)
        self.state = state
        self.next_step = next_step
        self.docs = docs
        self.facts = dict(facts or {})


class UsageError(FairleadError):
    """The command line cannot be carried out as it stands; nothing was contacted."""

    exit_code = 2
    kind = "usage"


@dataclass(frozen=True)
class Problem:
    """One fault of a configuration file: where it is, what is wrong, what is probably meant."""

    file: str
    path: str
    message: str
    line: int | None = None
    suggestion: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        hint = f" (did you mean `{self.suggestion}`?)" if self.suggestion else ""
        return f"{place}: {self.path}: {self.message}{hint}"


class ConfigError(FairleadError):
    """The configuration is wrong; every problem found in the run is listed.

    next_step: without one, to correct what is listed.
    """

    exit_code = 2
    kind = "config"

    def __init__(self, problems: Sequence[Problem], **kwargs: Any) -> None:
        count = len(problems)
        what = f"configuration: {count} problem{'s' if count != 1 else ''}"
        kwargs.setdefault("state", "no host was contacted; nothing was changed")
        kwargs.setdefault("next_step", "correct what is listed, then: inv doctor")
        kwargs.setdefault("docs", "reference/config.md")
        super().__init__(what, why=[str(problem) for problem in problems], **kwargs)
        self.problems = tuple(problems)


class PreconditionError(FairleadError):
    """A host, a registry or an image is not as a deploy needs it; nothing was changed."""

    kind = "precondition"


class HostError(FairleadError):
    """A host could not be reached, refused us, or answered what cannot be understood."""

    kind = "host"

    def __init__(self, host: str, what: str, **kwargs: object) -> None:
        super().__init__(f"{host}: {what}", **kwargs)  # type: ignore[arg-type]
        self.host = host


class LockHeld(FairleadError):
    """Somebody else is changing this environment; who, since when and doing what is told."""

    exit_code = 3
    kind = "locked"


class GateRefused(FairleadError):
    """A gate or an approval said no; the command that would satisfy it is told."""

    exit_code = 4
    kind = "refused"


class DeployFailed(FairleadError):
    """A deploy failed before the switch; the old release never stopped serving."""


class RolledBack(FairleadError):
    """A deploy failed after the switch and every host was returned to the old release."""

    exit_code = 5
    kind = "rolled-back"


class MixedState(FairleadError):
    """Hosts serve different releases, or one cannot be known; a person is needed."""

    exit_code = 6
    kind = "mixed"


class Inconclusive(FairleadError):
    """Too little was seen to judge; nothing was promoted on a guess."""

    exit_code = 7
    kind = "inconclusive"
