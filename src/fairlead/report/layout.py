"""Lines for people: errors, tables, progress. Pure functions; nothing here writes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from fairlead.checks.finding import Finding, Severity
from fairlead.errors import FairleadError
from fairlead.events import HostFinished, HostProgress
from fairlead.report.called import Spoken
from fairlead.report.terminal import Line, Piece, line

SEPARATOR = " · "
SEVERITIES = {
    Severity.CRITICAL: "bad strong",
    Severity.HIGH: "bad",
    Severity.MEDIUM: "warn",
    Severity.LOW: "",
    Severity.NOTE: "quiet",
}


def duration(seconds: float) -> str:
    """`0.4s`, `12.0s`, `3m 05s`, `2h 05m`."""
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02}s"
    return f"{minutes // 60}h {minutes % 60:02}m"


def progress(event: HostProgress) -> str:
    """`layers 3/7 · 12 MB`, `requests 4`, `waiting`."""
    count = f" {event.done}/{event.total}" if event.total else f" {event.done}" * bool(event.done)
    return event.what + count + (SEPARATOR + event.note) * bool(event.note)


def fold(
    step: str, ok: bool, seconds: float, finished: Sequence[HostFinished], note: str = ""
) -> Line:
    """A finished step in one line: `✓ pull        host1 1.2s · host2 1.4s`, or its note."""
    mark = Piece("✓", "good") if ok else Piece("✗", "bad")
    head = [mark, Piece(f" {step:<11} ", "" if ok else "strong")]
    if note:
        return line(*head, note, Piece(f" {duration(seconds)}", "quiet"))
    return line(*head, *(folded_hosts(finished) or [Piece(duration(seconds), "quiet")]))


def folded_hosts(finished: Sequence[HostFinished]) -> list[Piece]:
    """Each host and its time; many hosts that all went well as a count and a range."""
    if len(finished) > 4 and all(host.ok for host in finished):
        times = sorted(host.seconds for host in finished)
        spread = f"{duration(times[0])} – {duration(times[-1])}"
        return [Piece(f"{len(finished)} hosts"), Piece(" " + spread, "quiet")]
    pieces: list[Piece] = []
    for host in finished:
        pieces += [Piece(SEPARATOR, "quiet")] if pieces else []
        pieces += [Piece(host.host, "" if host.ok else "bad strong")]
        verdict = Piece("" if host.ok else " failed", "bad")
        pieces += [verdict, Piece(f" {duration(host.seconds)}", "quiet")]
    return pieces


def failure(failed: HostFinished) -> Line:
    """One failed host, for the list that ends a report."""
    note = f": {failed.note}" if failed.note else ""
    return line(Piece("✗ ", "bad"), Piece(f"{failed.step} "), Piece(failed.host, "strong"), note)


def error(told: FairleadError, spoken: Spoken = str) -> Iterator[Line]:
    """What failed; why, indented; what is true now; what to do next; where it is explained."""
    what, *more = spoken(told.what).splitlines() or [""]
    yield line(Piece("✗ ", "bad"), Piece(what, "bad strong"))
    for why in (*more, *map(spoken, told.why)):
        for text in why.splitlines() or [""]:
            yield line("    ", text)
    labels = {"state:": told.state, "next:": told.next_step, "docs:": at_hand(docs(told.docs))}
    for label, text in labels.items():
        for index, part in enumerate(spoken(text).splitlines()):
            head = Piece(f"  {label if index == 0 else '':<7}", "quiet")
            yield line(head, Piece(part, "strong" if label == "next:" else ""))


def finding(told: Finding) -> Iterator[Line]:
    """A fault in one line: `src/api.py:3:8 F401 imported but unused (ruff, medium)`.

    The rest of a message that has several lines comes below it.
    """
    column = f":{told.column}" if told.column and not told.package else ""
    fix = f"; fix: {told.fix}" if told.fix else ""
    first, *more = told.message.splitlines() or [""]
    yield line(
        Piece(told.place + column, "name"),
        Piece(f" {told.rule} ", SEVERITIES[told.severity]),
        first,
        Piece(f" ({told.tool}, {told.severity}{fix})", "quiet"),
    )
    for text in more:
        yield line("    ", text)


def docs(anchor: str) -> str:
    """Where an anchor under docs/ is found."""
    return anchor if not anchor or anchor.startswith(("docs/", "http")) else f"docs/{anchor}"


def at_hand(place: str) -> str:
    """Where a page of ours is on this machine: beside an installed package, or in a checkout."""
    if not place.startswith("docs/"):
        return place
    package = Path(__file__).parents[1]
    homes = (package, package.parents[1])
    home = next((one for one in homes if (one / place.partition("#")[0]).is_file()), None)
    return str(home / place) if home and home != Path.cwd() else place


def table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], notes: Sequence[str]
) -> Iterator[Line]:
    """A title, aligned columns, notes. Nothing is cut, whatever the width."""
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    if title:
        yield line(Piece(title, "strong"))
    yield line(Piece(_row(columns, widths), "quiet"))
    for row in cells:
        yield line(_row(row, widths))
    for note in notes:
        yield line(Piece(f"  {note}", "quiet"))


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
    return ("  " + "  ".join(padded)).rstrip()


def result(summary: Sequence[str], ok: bool) -> Iterator[Line]:
    """What came of a command: a marked sentence, and what belongs to it below."""
    mark = Piece("✓ ", "good") if ok else Piece("✗ ", "bad")
    for index, text in enumerate(summary):
        yield line(mark, Piece(text, "strong")) if index == 0 else line("  ", text)
