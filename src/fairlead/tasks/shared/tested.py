"""What came of the test suites, told: one table, the failed tests, the coverage, the verdict."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairlead.checks.suites.coverage import Coverage
    from fairlead.checks.suites.request import Request
    from fairlead.checks.suites.result import Result
    from fairlead.checks.suites.session import Session
    from fairlead.cli.run import Run

SHOWN_FILES = 10
COLUMNS = ("suite", "outcome", "passed", "failed", "skipped", "time")


def threshold(given: str, declared: float) -> float:
    """--threshold, else what the configuration says. Raises UsageError for no percentage."""
    from fairlead.errors import UsageError

    try:
        limit = float(given) if given else declared
    except ValueError:
        limit = -1.0
    if not 0 <= limit <= 100:
        raise UsageError(
            f"--threshold={given} is no percentage",
            state="nothing was run",
            next_step="--threshold=85",
        )
    return limit


def tell(run: "Run", request: "Request", session: "Session", limit: float) -> None:
    """Everything in its order; the verdict last."""
    covered = session.coverage
    columns = (*COLUMNS, *["coverage"] * (covered is not None))
    rows = [_row(result)[: len(columns)] for result in session.results]
    notes = [f"{r.name}: {r.verdict.reason}" for r in session.results if r.verdict.reason]
    run.reporter.table("Tests", columns, rows, [*session.notes, *notes, *_logs(session)])
    run.reporter.findings([one for result in session.results for one in result.verdict.findings])
    if covered is not None and not covered.reason:
        show_files(run, covered)
    lines = [_tests(session), *([_coverage(covered, request, limit)] if covered else [])]
    good = session.passed and (covered is None or _enough(covered, request, limit))
    payload: dict[str, object] = {
        "outcome": "passed" if good else str(_worst(session)),
        "suites": [_data(result) for result in session.results],
        "whole": request.whole and not request.partial,
    }
    if covered is not None:
        payload["coverage"] = coverage_data(covered, limit)
    run.reporter.result(payload, lines, ok=good)


def _worst(session: "Session") -> str:
    """The outcome of the whole: what was found says more than what did not run. Too little
    coverage is a finding."""
    outcomes = {str(r.verdict.outcome) for r in session.results if not r.unselected}
    order = ("findings", "error", "not-run")
    failed = next((one for one in order if one in outcomes), "not-run")
    return "findings" if session.passed else failed


def _row(result: "Result") -> tuple[object, ...]:
    counts = result.counts
    numbers = (counts.passed, counts.failed, counts.skipped) if counts else (None, None, None)
    covered = None if result.coverage is None else f"{result.coverage:.2f} %"
    seconds = result.verdict.seconds
    return (result.name, result.verdict.outcome, *numbers, f"{seconds:.1f} s", covered)


def _logs(session: "Session") -> Iterator[str]:
    """Where to read more of what did not pass."""
    for result in session.results:
        if result.log and not result.passed and not result.unselected:
            yield f"{result.name}: all it printed is in {result.log}"


def show_files(run: "Run", covered: "Coverage") -> None:
    """The files with most lines missing; all of them with --verbose."""
    shown = covered.files if run.options.verbose else covered.files[:SHOWN_FILES]
    rows = [(one.path, one.total, one.missing, f"{one.percent:.2f} %") for one in shown]
    more = len(covered.files) - len(shown)
    notes = [f"{more} more files"] if more else []
    notes.append(".fairlead/reports/htmlcov/index.html, .fairlead/reports/coverage.xml")
    run.reporter.table("Coverage", ("file", "lines", "missing", "covered"), rows, notes)


def _tests(session: "Session") -> str:
    """`312 tests passed in 5 suites`, or how many failed, and what else did not pass."""
    counts = [result.counts for result in session.results if result.counts]
    passed, failed = sum(one.passed for one in counts), sum(one.failed for one in counts)
    text = f"{passed} test{'s' * (passed != 1)} passed" + (f", {failed} failed" if failed else "")
    others = [
        f"{result.name}: {result.verdict.outcome}"
        for result in session.results
        if not (result.passed or result.unselected or result.verdict.outcome == "findings")
    ]
    return "; ".join((text, *others))


def _coverage(covered: "Coverage", request: "Request", limit: float) -> str:
    """Of a shard the share alone."""
    if request.wishes.shard and not covered.reason:
        shown = covered.shown(limit)
        return f"coverage {shown} % by this shard alone, not held against a threshold"
    return coverage_sentence(covered, limit)


def coverage_sentence(covered: "Coverage", limit: float) -> str:
    """By how much the threshold is kept or missed, and where most is to be gained."""
    if covered.reason:
        return f"coverage was not measured: {covered.reason}"
    shown = f"coverage {covered.shown(limit)} %"
    if covered.reaches(limit):
        return f"{shown}, threshold {limit:g} %"
    worst = ", ".join(f"{one.path} ({one.missing} missing)" for one in covered.files[:3])
    lines = covered.lines_short_of(limit)
    return (
        f"{shown} is {covered.short_of(limit)} points below the threshold of {limit:g} %:"
        f" {lines} more line{'s' * (lines != 1)} would do; most are missing in {worst}"
    )


def _enough(covered: "Coverage", request: "Request", limit: float) -> bool:
    if request.wishes.shard:
        return not covered.reason
    return covered.reaches(limit)


def _data(result: "Result") -> dict[str, object]:
    counts = result.counts
    return {
        "suite": result.name,
        "outcome": result.verdict.outcome,
        "reason": result.verdict.reason,
        "passed": counts.passed if counts else None,
        "failed": counts.failed if counts else None,
        "skipped": counts.skipped if counts else None,
        "seconds": round(result.verdict.seconds, 3),
        "coverage": result.coverage,
    }


def coverage_data(covered: "Coverage", limit: float) -> dict[str, object]:
    return {
        "percent": covered.percent,
        "threshold": limit,
        "lines": covered.total,
        "missing": covered.missing,
        "reason": covered.reason,
    }
