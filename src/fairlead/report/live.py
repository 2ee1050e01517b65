"""Progress on a terminal: the running step is redrawn, finished ones fold into a line each."""

import time
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from io import TextIOBase
from typing import TYPE_CHECKING, TextIO, cast

from fairlead.events import (
    Event,
    HostFinished,
    HostOutput,
    HostProgress,
    Notice,
    PhaseFinished,
    PhaseStarted,
)
from fairlead.report import layout
from fairlead.report.called import Spoken
from fairlead.report.frame import FRAMES_A_SECOND, PLAIN_SPINNER, SPINNER, HostRow, Phase, frame
from fairlead.report.human import Human
from fairlead.report.terminal import Line, Outlet, Piece, line

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live as Display


class Live(Human):
    """Redraws the running steps in place; everything else is written above them."""

    def __init__(self, out: Outlet, err: Outlet, *, verbose: bool, spoken: Spoken) -> None:
        super().__init__(out, err, verbose=verbose, spoken=spoken)
        self._phases: dict[str, Phase] = {}
        self._display: Display | None = None
        self._spinner = SPINNER if err.spell(SPINNER) == SPINNER else PLAIN_SPINNER

    def show(self, outlet: Outlet, lines: Iterable[Line]) -> None:
        self._hide()
        super().show(outlet, lines)
        if self._phases:
            self._draw()

    def settle(self) -> None:
        for step, phase in list(self._phases.items()):
            self._fold(step, False, time.monotonic() - phase.began)

    def close(self, exit_code: int = 0) -> None:
        self._phases.clear()
        self._hide()
        if "_console" in self.__dict__:  # something was drawn; an interrupt may have cut its end
            self._console.show_cursor()

    def progress(self, event: Event) -> None:
        match event:
            case PhaseStarted(step, title, hosts):
                rows = {host: HostRow() for host in hosts}
                self._phases[step] = Phase(title, time.monotonic(), rows)
                self._draw()
            case HostProgress(step, host, _, done, total):
                row = self._host(step, host)
                row.text, row.done, row.total = layout.progress(event), done, total
            case HostOutput(step, host, text):
                self._host(step, host).text = " ".join(text.split())
                if self.verbose:
                    self.show(self.err, [line(Piece(f"  {host}  {text}", "quiet"))])
            case HostFinished(step, host):
                self._host(step, host).finished = event
            case PhaseFinished(step, ok, seconds, note):
                self._fold(step, ok, seconds, note)
            case Notice(text, level):
                mark = Piece("▲ ", "warn") if level == "warning" else Piece("· ", "quiet")
                self.show(self.err, [line(mark, self.spoken(text))])

    def _host(self, step: str, host: str) -> HostRow:
        phase = self._phases.setdefault(step, Phase("", time.monotonic()))
        return phase.hosts.setdefault(host, HostRow())

    def _fold(self, step: str, ok: bool, seconds: float, note: str = "") -> None:
        phase = self._phases.pop(step, Phase("", 0.0))
        finished = [row.finished for row in phase.hosts.values() if row.finished]
        self.show(self.err, [layout.fold(step, ok, seconds, finished, note)])

    def _draw(self) -> None:
        """Start redrawing, unless that is going on already."""
        if self._display is None:
            from rich.live import Live as Display

            self._display = Display(
                console=self._console,
                get_renderable=self._frame,
                refresh_per_second=FRAMES_A_SECOND,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._display.start()

    def _hide(self) -> None:
        if self._display is not None:
            display, self._display = self._display, None
            display.stop()

    def _frame(self) -> "RenderableType":
        """What Rich asks for, from its own thread and without our lock: it is held to stop it."""
        from rich.text import Text

        width, height = self._console.size
        phases = {
            step: replace(phase, hosts=dict(phase.hosts))
            for step, phase in dict(self._phases).items()
        }
        lines = frame(phases, time.monotonic(), width, height, self._spinner)
        painted = "\n".join(map(self.err.painted, lines))
        return Text.from_ansi(painted, no_wrap=True, overflow="crop")

    @cached_property
    def _console(self) -> "Console":
        """A console that leaves colours to us: what it is given is painted, or plain already."""
        from rich.console import Console

        return Console(
            file=cast(TextIO, _Screen(self.err)),
            force_terminal=True,
            color_system="standard",
            highlight=False,
            markup=False,
            emoji=False,
        )


class _Screen(TextIOBase):
    """What Rich writes to: the outlet, so that a terminal that is gone stops nothing."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    def write(self, text: str) -> int:
        self._outlet.raw(text)
        return len(text)

    def isatty(self) -> bool:
        return True
