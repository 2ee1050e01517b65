"""What came of a sweep, told: its findings, one table over all tools, and what did not pass."""

from collections.abc import Sequence

from fairlead.checks.sweep import tally
from fairlead.checks.verdict import Outcome, Verdict
from fairlead.report import Reporter

COLUMNS = ("tool", "outcome", "findings", "looked at", "time", "from cache")


def tell(
    reporter: Reporter,
    step: str,
    verdicts: Sequence[Verdict],
    notes: Sequence[str] = (),
    remedy: str = "",
    *,
    narrowed: bool = False,
) -> None:
    """Report the verdicts of a step, such as `lint`.

    notes: told below the table. remedy: told last when there are findings. Not all passed means
    exit code 1. narrowed: only some files were given; a tool that takes in none of them lacks
    nothing. The result carries `tools`, a table as data, and `findings`.
    """
    reporter.findings([one for verdict in verdicts for one in verdict.findings])
    reporter.table(step.capitalize(), COLUMNS, [row(one) for one in verdicts], notes)
    concerned = [one for one in verdicts if not (narrowed and one.idle)]
    wanting = [one for one in concerned if one.outcome is not Outcome.PASSED]
    passed = not wanting
    outcome = Outcome.PASSED if passed else max((one.outcome for one in wanting), key=_weight)
    lines = [f"{step}: {tally(verdicts)}", *map(_sentence, wanting)]
    if remedy and outcome is Outcome.FINDINGS:
        lines.append(f"next: {remedy}")
    payload = {
        "outcome": str(outcome) if concerned else "nothing-to-do",
        "tools": [data(one) for one in verdicts],
    }
    reporter.result(payload, lines, ok=passed)


def row(verdict: Verdict) -> tuple[object, ...]:
    """A row of COLUMNS."""
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
