"""Progress as lines that are never redrawn: logs, CI, pipes."""

import threading
import time
from collections.abc import Iterable

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
from fairlead.report.human import Human
from fairlead.report.terminal import Line, Outlet, Piece, line

HEARTBEAT = 15.0
"""Seconds of silence inside a step after which a line says that it is still running."""


class Plain(Human):
    """A line with a clock for every change, and one after each HEARTBEAT of silence."""

    def __init__(
        self,
        out: Outlet,
        err: Outlet,
        *,
        verbose: bool,
        spoken: Spoken,
        heartbeat: float = HEARTBEAT,
    ) -> None:
        super().__init__(out, err, verbose=verbose, spoken=spoken)
        self._heartbeat = heartbeat
        self._running: dict[str, tuple[float, int]] = {}  # step → when it began, on how many hosts
        self._last: dict[tuple[str, str], str] = {}  # (step, host) → what it said last
        self._finished: dict[str, list[HostFinished]] = {}
        self._spoke = time.monotonic()
        self._closed = threading.Event()
        self._pulse: threading.Thread | None = None

    def show(self, outlet: Outlet, lines: Iterable[Line]) -> None:
        self._spoke = time.monotonic()
        super().show(outlet, lines)

    def progress(self, event: Event) -> None:
        match event:
            case PhaseStarted():
                self._begin(event)
            case HostProgress():
                self._change(event)
            case HostOutput(step, host, text):
                self._say(step, host, Piece("| " + text, "quiet"))
            case HostFinished():
                self._finish_host(event)
            case PhaseFinished(step, ok, seconds, note):
                self._running.pop(step, None)
                self._tell(layout.fold(step, ok, seconds, self._finished.pop(step, []), note))
            case Notice(text, level):
                mark = Piece("warning: ", "warn") if level == "warning" else Piece("")
                self._tell(line(mark, self.spoken(text)))

    def close(self, exit_code: int = 0) -> None:
        self._closed.set()
        if self._pulse is not None:
            self._pulse.join()

    def _begin(self, event: PhaseStarted) -> None:
        self._running[event.step] = (time.monotonic(), len(event.hosts))
        hosts = f" [{', '.join(event.hosts)}]" if event.hosts else ""
        self._tell(line(Piece(event.step, "strong"), f": {event.title}{hosts}"))
        if self._pulse is None:
            self._pulse = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
            self._pulse.start()

    def _change(self, event: HostProgress) -> None:
        text = layout.progress(event)
        if self._last.get((event.step, event.host)) != text:
            self._last[event.step, event.host] = text
            self._say(event.step, event.host, Piece(text))

    def _finish_host(self, event: HostFinished) -> None:
        self._finished.setdefault(event.step, []).append(event)
        self._last.pop((event.step, event.host), None)
        _, hosts = self._running.get(event.step, (0.0, 0))
        if event.ok and hosts == 1:
            return  # the line that ends the step says it
        verdict = Piece("done", "good") if event.ok else Piece("failed", "bad")
        rest = f" in {layout.duration(event.seconds)}" + f": {event.note}" * bool(event.note)
        self._say(event.step, event.host, verdict, Piece(rest))

    def _say(self, step: str, host: str, *pieces: Piece) -> None:
        who = f"{step} {host}: " if host else f"{step}: "
        self._tell(line(Piece(who), *pieces))

    def _tell(self, told: Line) -> None:
        self.show(self.err, [line(Piece(time.strftime("%H:%M:%S "), "quiet"), *told)])

    def _beat(self) -> None:
        wait = self._heartbeat
        while not self._closed.wait(wait):
            silent = time.monotonic() - self._spoke
            if silent >= self._heartbeat:
                self.in_turn(self._still_running)
                silent = 0.0
            wait = self._heartbeat - silent

    def _still_running(self) -> None:
        for step, (began, _) in self._running.items():
            waiting = [f"{host} {text}" for (one, host), text in self._last.items() if one == step]
            detail = f" ({layout.SEPARATOR.join(waiting)})" if waiting else ""
            since = layout.duration(time.monotonic() - began)
            self._say(step, "", Piece(f"still running after {since}{detail}"))
