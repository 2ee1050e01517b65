"""What came of one check: the four outcomes of law 8."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from fairlead.checks.finding import Finding, Severity


class Outcome(StrEnum):
    """Judged from what a tool printed, never from its exit code alone.

    passed: it looked, and found nothing but notes. findings: it found something. not-run: it
    looked at nothing (no data, nothing to scan, not installed): never a pass. error: it could
    not finish.
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
    seconds: its own time. cached: taken from an earlier run on the same content. idle: not run,
    because of the files that it was given its own settings or nature leave none to look at.
    split: of a test suite in a shard, a hash over how its tests were divided.
    """

    tool: str
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    looked_at: str = ""
    version: str = ""
    seconds: float = 0.0
    cached: bool = False
    idle: bool = False
    split: str = ""


def concluded(
    tool: str, findings: Iterable[Finding], looked_at: int, noun: str = "file"
) -> Verdict:
    """The verdict of a tool that finished, having looked at so many files (or another noun)."""
    found = tuple(sorted(findings, key=lambda one: (one.path, one.line, one.column, one.rule)))
    if not looked_at and not found:
        return Verdict(tool, Outcome.NOT_RUN, reason=f"it looked at no {noun}", idle=True)
    plural = "" if looked_at == 1 else "s"
    return Verdict(tool, outcome_of(found), found, looked_at=f"{looked_at} {noun}{plural}")


def outcome_of(found: Iterable[Finding]) -> Outcome:
    """Of a tool that finished, having looked: notes are no findings."""
    counts = any(one.severity is not Severity.NOTE for one in found)
    return Outcome.FINDINGS if counts else Outcome.PASSED
