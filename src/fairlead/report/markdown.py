"""The step summary of a CI job: a page of Markdown, kept under the size that is accepted."""

from collections.abc import Iterable, Mapping, Sequence

from fairlead.checks.finding import Finding
from fairlead.errors import FairleadError
from fairlead.events import Event, HostFinished, PhaseFinished
from fairlead.model import Step
from fairlead.report import layout, plan
from fairlead.report.called import Spoken
from fairlead.report.terminal import plain

LIMIT = 1024 * 1024 - 1
"""Bytes of a whole summary file."""

ROWS = 200  # of a table of findings

_LEFT_OUT = "\n_Something was left out here: a summary may have 1 MiB._\n"


class Summary:
    """Collects what a command tells, and writes it as one page when it is over."""

    def __init__(self, spoken: Spoken) -> None:
        self._spoken = spoken
        self._sentences: list[str] = []
        self._facts: dict[str, object] = {}
        self._blocks: list[str] = []
        self._failure: list[str] = []
        self._hosts: dict[str, list[HostFinished]] = {}
        self._steps: list[list[object]] = []
        self._seconds = 0.0

    def event(self, event: Event) -> None:
        """Remember how long each step took."""
        if isinstance(event, HostFinished):
            self._hosts.setdefault(event.step, []).append(event)
        elif isinstance(event, PhaseFinished):
            hosts = self._hosts.pop(event.step, [])
            told = event.note or "".join(piece.text for piece in layout.folded_hosts(hosts))
            mark = "✓" if event.ok else "✗"
            self._steps.append([f"{mark} {event.step}", told, layout.duration(event.seconds)])
            self._seconds += event.seconds

    def error(self, error: FairleadError) -> None:
        lines = ["".join(piece.text for piece in one) for one in layout.error(error, self._spoken)]
        self._failure.append(_fenced(lines))

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        notes: Sequence[str],
    ) -> None:
        foot = "".join(f"\n{cell(note)}\n" for note in map(self._spoken, notes))
        self._blocks.append(f"\n**{cell(title)}**\n{table(columns, rows)}{foot}")

    def findings(self, findings: Sequence[Finding]) -> None:
        """The faults as tables of at most ROWS lines, so that as many as fit are shown."""
        columns = ("where", "rule", "severity", "what", "fix", "tool")
        rows = [(f.place, f.rule, f.severity, f.message, f.fix, f.tool) for f in findings]
        for begin in range(0, len(rows), ROWS):
            self._blocks.append(table(columns, rows[begin : begin + ROWS]))

    def plan(self, steps: Sequence[Step], header: Mapping[str, str], notes: Sequence[str]) -> None:
        lines = plan.lines(steps, header, notes, verbose=False)
        self._blocks.append(_fenced("".join(piece.text for piece in one) for one in lines))

    def result(self, payload: Mapping[str, object], summary: Sequence[str]) -> None:
        self._sentences += map(self._spoken, summary)
        self._facts |= {name: one for name, one in payload.items() if _is_fact(one)}

    def markdown(self, verdict: str, exit_code: int, taken: int = 0) -> str:
        """The page; `taken` bytes of the file are used already."""
        mark = "✗" if exit_code else "✓"
        blocks = [f"\n### {mark} {cell(verdict)}\n", *self._failure]
        blocks += [f"\n{cell(sentence)}\n" for sentence in self._sentences]
        if self._facts:
            blocks.append(table(["", ""], [[name, one] for name, one in self._facts.items()]))
        if self._steps:
            head = f"{len(self._steps)} steps, {layout.duration(self._seconds)}"
            steps = table(["step", "hosts", "time"], self._steps)
            blocks.append(f"\n<details><summary>{head}</summary>\n{steps}\n</details>\n")
        return _fitting([*blocks, *self._blocks], LIMIT - taken)


def _fitting(blocks: Sequence[str], room: int) -> str:
    """The blocks that fit, whole, and a remark where one had to be left out."""
    room -= len(_LEFT_OUT.encode())
    page, complete = "", True
    for block in blocks:
        size = len(block.encode())
        complete = complete and size <= room
        if size <= room:
            page += block
            room -= size
    return page if complete or room < 0 else page + _LEFT_OUT


def _is_fact(value: object) -> bool:
    """Whether a value fits a line of the summary's table."""
    return isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows under columns; a cell of None is empty."""
    cells = [["" if one is None else cell(str(one)) for one in row] for row in rows]
    head = [[cell(column) for column in columns], ["---"] * len(columns)]
    return "\n" + "".join(f"| {' | '.join(row)} |\n" for row in (*head, *cells))


def cell(text: str) -> str:
    """Text that stays text: no tags, no cell borders, on one line."""
    for mark in "\\`*_[]|":
        text = text.replace(mark, "\\" + mark)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "<br>".join(plain(text).splitlines())


def _fenced(lines: Iterable[str]) -> str:
    text = plain("\n".join(lines))
    fence = "```"
    while fence in text:
        fence += "`"
    return f"\n{fence}text\n{text}\n{fence}\n"
