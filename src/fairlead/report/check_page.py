"""A run of checks as one page of Markdown: what ran, what it found, what it did not see."""

from collections.abc import Iterable, Iterator, Sequence

from fairlead.checks.merge import Fault
from fairlead.checks.verdict import Verdict
from fairlead.config.exclusions import Exclusion
from fairlead.report.layout import duration
from fairlead.report.markdown import cell, table

COLUMNS = ("check", "outcome", "looked at", "time", "note")


def check_page(
    title: str,
    verdicts: Sequence[Verdict],
    faults: Sequence[Fault],
    excluded: Sequence[tuple[Fault, Exclusion]] = (),
    remarks: Sequence[str] = (),
) -> str:
    """The page. remarks: sentences that come first."""
    parts = [f"# {cell(title)}\n", *(f"\n- {cell(remark)}\n" for remark in remarks)]
    parts.append(table(COLUMNS, [*verdict_rows(verdicts)]))
    if faults:
        rows = [*_fault_rows(faults)]
        parts += ["\n## Findings\n", table(("severity", "where", "what", "fix"), rows)]
    if excluded:
        rows = [[_what(fault), one.reason, one.expires] for fault, one in excluded]
        parts += ["\n## Excluded\n", table(("what", "reason", "until"), rows)]
    return "".join(parts)


def verdict_rows(verdicts: Iterable[Verdict]) -> Iterator[list[object]]:
    """A row of COLUMNS for each verdict."""
    for one in verdicts:
        time = "from cache" if one.cached else duration(one.seconds)
        count = f" ({len(one.findings)})" if one.findings else ""
        yield [one.tool, f"{one.outcome}{count}", one.looked_at, time, one.reason]


def _fault_rows(faults: Iterable[Fault]) -> Iterator[list[object]]:
    for fault in faults:
        one = fault.finding
        yield [str(one.severity), one.place, f"{one.tool} {one.rule}: {one.message}", one.fix]


def _what(fault: Fault) -> str:
    one = fault.finding
    return f"{one.tool} {one.rule} {one.place}"
