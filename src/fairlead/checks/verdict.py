"""What came of one check: the four outcomes of law 8."""

from dataclasses import dataclass
from enum import StrEnum

from fairlead.checks.finding import Finding


class Outcome(StrEnum):
    """Judged from what a tool printed, never from its exit code alone.

    passed: it looked, and found nothing. findings: it found something. not-run: it looked at
    nothing (no data, nothing to scan, not installed): never a pass. error: it could not finish.
    """

    PASSED = "passed"
    FINDINGS = "findings"
    NOT_RUN = "not-run"
    ERROR = "error"


@dataclass(frozen=True)
class Verdict:
    """The outcome of one tool on one tree.

    reason: why it did not run or could not finish, and what to do about it; one sentence.
    looked_at: what it examined, for people (`41 files`, `17 packages`). version: the tool's.
    seconds: its own time. cached: taken from an earlier run on the same content.
    """

    tool: str
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    looked_at: str = ""
    version: str = ""
    seconds: float = 0.0
    cached: bool = False
