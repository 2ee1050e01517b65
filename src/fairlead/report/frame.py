"""One picture of the steps that are running, for a terminal of a given size. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from fairlead.events import HostFinished
from fairlead.report.layout import duration
from fairlead.report.terminal import Line, Piece, line

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
PLAIN_SPINNER = "-\\|/"
FRAMES_A_SECOND = 10
BAR = 16
WIDEST = 88
"""Columns after which more width only moves the seconds away from what they belong to."""


@dataclass
class HostRow:
    """What a host is doing in a running step; `done` of `total` when that is known."""

    text: str = ""
    done: int = 0
    total: int = 0
    finished: HostFinished | None = None

    @property
    def failed(self) -> bool:
        return self.finished is not None and not self.finished.ok


@dataclass
class Phase:
    """A running step."""

    title: str
    began: float
    hosts: dict[str, HostRow] = field(default_factory=dict)


def frame(
    phases: Mapping[str, Phase], now: float, width: int, height: int, spinner: str = SPINNER
) -> list[Line]:
    """A headline for each step and below it a row for each host, as many as fit."""
    width = min(width - 1, WIDEST)
    turning = spinner[int(now * FRAMES_A_SECOND) % len(spinner)]
    space = max(1, (height - 1) // max(1, len(phases)) - 1)
    return list(
        chain.from_iterable(
            [_headline(step, phase, now, width, turning), *_rows(phase, width, space)]
            for step, phase in phases.items()
        )
    )


def _headline(step: str, phase: Phase, now: float, width: int, turning: str) -> Line:
    head = line(Piece(turning, "name"), Piece(f" {step:<11} ", "strong"), phase.title)
    return _timed(head, now - phase.began, width)


def _rows(phase: Phase, width: int, space: int) -> list[Line]:
    """The hosts' rows; where they do not all fit, failed and running ones and a count."""
    label = max(map(len, phase.hosts), default=0)
    bars = any(row.total > 1 for row in phase.hosts.values())
    hosts = list(phase.hosts.items())
    shown, hidden = hosts, 0
    if len(hosts) > space:
        by_interest = sorted(hosts, key=lambda item: (not item[1].failed, bool(item[1].finished)))
        shown, hidden = by_interest[: space - 1], len(hosts) - space + 1
    rows = [_row(name, row, label, bars, width) for name, row in shown]
    if hidden:
        done = sum(row.finished is not None for row in phase.hosts.values())
        count = Piece(f"    … {hidden} more; {done} of {len(hosts)} done", "quiet")
        rows.append(_cut([count], width))
    return rows


def _row(name: str, row: HostRow, label: int, bars: bool, width: int) -> Line:
    head = [Piece("  "), *_mark(row), Piece(f" {name:<{label}}  ")]
    if row.finished:
        note = row.finished.note or ("done" if row.finished.ok else "failed")
        return _timed((*head, Piece(note, "quiet")), row.finished.seconds, width)
    bar = _bar(row) if bars else ()
    return _cut([*head, *bar, Piece(row.text)], width)


def _mark(row: HostRow) -> Line:
    if row.finished is None:
        return line(" ")
    return line(Piece("✓", "good") if row.finished.ok else Piece("✗", "bad"))


def _bar(row: HostRow) -> Line:
    full = BAR * min(row.done, row.total) // row.total if row.total else 0
    return line(Piece("━" * full, "name"), Piece("╌" * (BAR - full), "quiet"), "  ")


def _timed(pieces: Sequence[Piece], seconds: float, width: int) -> Line:
    """The pieces cut to the width, and the seconds at the right."""
    clock = duration(seconds)
    room = max(1, width - len(clock) - 2)
    cut = _cut(pieces, room)
    gap = room - sum(len(piece.text) for piece in cut)
    return (*cut, Piece(" " * (gap + 2)), Piece(clock, "quiet"))


def _cut(pieces: Sequence[Piece], room: int) -> Line:
    """As much of the pieces as fits, with an ellipsis where something was left out."""
    if sum(len(piece.text) for piece in pieces) <= room:
        return tuple(pieces)
    kept: list[Piece] = []
    room = max(0, room - 1)
    for piece in pieces:
        kept.append(Piece(piece.text[:room], piece.style))
        room -= len(kept[-1].text)
    return (*kept, Piece("…", "quiet"))
