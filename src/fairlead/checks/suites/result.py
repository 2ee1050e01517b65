"""What came of a suite: its tests one by one, and the verdict on them."""

from collections.abc import Sequence
from dataclasses import dataclass

from fairlead.checks.verdict import Outcome, Verdict


@dataclass(frozen=True)
class Case:
    """A test that was run. id: as pytest names it (`tests/test_a.py::test_b[1]`). state: `passed`,
    `failed` (an error in a fixture is one too) or `skipped`. path and line: where it failed."""

    id: str
    state: str
    seconds: float = 0.0
    message: str = ""
    path: str = ""
    line: int = 0


@dataclass(frozen=True)
class Counts:
    """How many tests there were of each state."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    @classmethod
    def of(cls, cases: Sequence[Case]) -> "Counts":
        states = [case.state for case in cases]
        return cls(*(states.count(state) for state in ("passed", "failed", "skipped")))

    @property
    def run(self) -> int:
        return self.passed + self.failed


@dataclass(frozen=True)
class Result:
    """A suite under one Python: verdict, counts, its tests where it told of each.

    log: what it printed, from the repository's root. unselected: it has tests, and the arguments
    of this command chose none of them.
    """

    name: str
    verdict: Verdict
    counts: Counts | None = None
    cases: tuple[Case, ...] = ()
    log: str = ""
    coverage: float | None = None
    unselected: bool = False

    @property
    def passed(self) -> bool:
        return self.verdict.outcome is Outcome.PASSED
