"""What both reporters for people have in common: results, errors, tables, plans."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain

from fairlead.checks.finding import Finding
from fairlead.errors import FairleadError
from fairlead.events import Event, HostFinished
from fairlead.model import Step
from fairlead.report import layout, plan
from fairlead.report.called import Spoken
from fairlead.report.terminal import Line, Outlet, line


class Human:
    """Results to `out`, progress and errors to `err`. How progress looks is a subclass's."""

    def __init__(self, out: Outlet, err: Outlet, *, verbose: bool, spoken: Spoken) -> None:
        self.ok = True
        self.out = out
        self.err = err
        self.verbose = verbose
        self.spoken = spoken
        self.lock = threading.RLock()
        self._failed: list[HostFinished] = []
        self._waiting: deque[Callable[[], None]] = deque()
        self._busy = False

    def in_turn(self, tell: Callable[[], None]) -> None:
        """Tell something when what is being told is told: other threads wait, and what a signal
        handler has to say in the middle of a line comes right after it."""
        with self.lock:
            self._waiting.append(tell)
            if self._busy:
                return
            self._busy = True
            try:
                while self._waiting:
                    self._waiting.popleft()()
            finally:
                self._busy = False

    def event(self, event: Event) -> None:
        if isinstance(event, HostFinished) and not event.ok:
            self._failed.append(event)
        self.in_turn(partial(self.progress, event))

    def progress(self, event: Event) -> None:
        """Show an event. It is our turn."""
        raise NotImplementedError

    def show(self, outlet: Outlet, lines: Iterable[Line]) -> None:
        """Write lines, whatever progress is on display. It is our turn."""
        outlet.write(lines)

    def settle(self) -> None:
        """Finish what progress is on display: an error follows. It is our turn."""

    def error(self, error: FairleadError) -> None:
        self.ok = False
        several = self._failed if len({failed.host for failed in self._failed}) > 1 else []
        told = chain(layout.error(error, self.spoken), map(layout.failure, several))
        self.in_turn(self.settle)
        self.in_turn(partial(self.show, self.err, told))

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        notes: Sequence[str] = (),
    ) -> None:
        lines = layout.table(title, columns, rows, [*map(self.spoken, notes)])
        self.in_turn(partial(self.show, self.out, lines))

    def findings(self, findings: Sequence[Finding]) -> None:
        lines = [*chain.from_iterable(map(layout.finding, findings))]
        self.in_turn(partial(self.show, self.out, lines))

    def text(self, lines: Iterable[str]) -> None:
        for text in lines:
            self.in_turn(partial(self.show, self.out, [line(text)]))

    def plan(
        self,
        steps: Sequence[Step],
        header: Mapping[str, str],
        notes: Sequence[str] = (),
        verbose: bool = False,
    ) -> None:
        lines = plan.lines(steps, header, notes, verbose or self.verbose)
        self.in_turn(partial(self.show, self.out, lines))

    def result(
        self, payload: Mapping[str, object], summary: Sequence[str] = (), ok: bool = True
    ) -> None:
        self.ok = self.ok and ok
        lines = layout.result([*map(self.spoken, summary)], ok)
        self.in_turn(partial(self.show, self.out, lines))

    def close(self, exit_code: int = 0) -> None:
        """Nothing to end: every line is written when it is told."""
