"""What came of a sweep, told: its findings, one table over all tools, and what did not pass."""

from collections.abc import Sequence
from pathlib import Path

from fairlead.checks.exclude import Sifted
from fairlead.checks.merge import merged
from fairlead.checks.sweep import tally
from fairlead.checks.verdict import Outcome, Verdict
from fairlead.report import Reporter
from fairlead.tasks.shared.reports import leave

COLUMNS = ("tool", "outcome", "findings", "looked at", "time", "from cache")
LEFT_OUT = "left out"  # one more where a tool says so


def tell(
    reporter: Reporter,
    root: Path,
    step: str,
    verdicts: Sequence[Verdict],
    notes: Sequence[str] = (),
    remedy: str = "",
    *,
    narrowed: bool = False,
) -> None:
    """Report the verdicts of a step, such as `lint`: each fault once, whoever tells of it.

    notes: told below the table. remedy: told last when there are findings. Not all passed means
    exit code 1. narrowed: only some files were given; a tool that takes in none of them lacks
    nothing. The result carries `tools`, a table as data, `findings`, and the `files` it leaves.
    """
    faults = merged(one for verdict in verdicts for one in verdict.findings)
    files = leave(reporter, root, step, verdicts, Sifted(faults, (), (), ()), notes)
    reporter.findings([fault.finding for fault in faults])
    reporter.table(step.capitalize(), *table(verdicts), notes)
    concerned = [one for one in verdicts if not (narrowed and one.idle)]
    wanting = [one for one in concerned if one.outcome is not Outcome.PASSED]
    passed = not wanting
    outcome = Outcome.PASSED if passed else max((one.outcome for one in wanting), key=_weight)
    lines = [f"{step}: {tally(verdicts)}", *map(_sentence, wanting)]
    if faults and files:
        lines.append("  ".join(files.values()))
    if remedy and outcome is Outcome.FINDINGS:
        lines.append(f"next: {remedy}")
    payload = {
        "outcome": str(outcome) if concerned else "nothing-to-do",
        "tools": [data(one) for one in verdicts],
        "files": files,
    }
    reporter.result(payload, lines, ok=passed)


def table(verdicts: Sequence[Verdict]) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """The columns, and a row for each; with what those that did look had to leave out."""
    left_out = [_left_out(one) for one in verdicts]
    if not any(left_out):
        return COLUMNS, [_row(one) for one in verdicts]
    rows = zip(map(_row, verdicts), left_out, strict=True)
    return (*COLUMNS, LEFT_OUT), [(*row, left or None) for row, left in rows]


def _left_out(verdict: Verdict) -> str:
    """Of one that did not look at all the reason is told elsewhere."""
    return verdict.reason if verdict.outcome in (Outcome.PASSED, Outcome.FINDINGS) else ""


def _row(verdict: Verdict) -> tuple[object, ...]:
    return (
        verdict.tool,
        verdict.outcome,
        len(verdict.findings) or None,
        verdict.looked_at or None,
        None if verdict.cached else f"{verdict.seconds:.1f}s",
        "yes" if verdict.cached else None,
    )


def data(verdict: Verdict) -> dict[str, object]:
    """The verdict as JSON-ready values, without its findings."""
    return {
        "tool": verdict.tool,
        "outcome": str(verdict.outcome),
        "findings": len(verdict.findings),
        "reason": verdict.reason,
        "looked_at": verdict.looked_at,
        "version": verdict.version,
        "seconds": round(verdict.seconds, 3),
        "cached": verdict.cached,
    }


def _sentence(verdict: Verdict) -> str:
    """One that did not pass, and why."""
    if verdict.outcome is Outcome.FINDINGS:
        number = len(verdict.findings)
        return f"{verdict.tool}: {number} finding{'' if number == 1 else 's'}"
    return f"{verdict.tool}: {verdict.outcome}: {verdict.reason}"


def _weight(outcome: Outcome) -> int:
    """An error says least about the tree, findings say most."""
    return (Outcome.NOT_RUN, Outcome.ERROR, Outcome.FINDINGS).index(outcome)
