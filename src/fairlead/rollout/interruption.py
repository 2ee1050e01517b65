"""Ctrl-C while hosts are being changed: finish the sentence, then turn back."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from fairlead.events import Listener, Notice

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def noted(listen: Listener) -> Iterator[threading.Event]:
    """An event that is set by Ctrl-C, SIGTERM or SIGHUP, in place of an exception anywhere.

    What runs on a host is ended or awaited, what was done is undone, the lock is freed: an
    exception in the middle of that could do none of it. Outside the main thread, where Python
    allows no handlers, the event is never set.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def note(number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        again = " already" if asked.is_set() else ""
        asked.set()
        listen(Notice(f"{name}: turning back{again}; this takes a moment", level="warning"))

    before = {one: signal.getsignal(one) for one in SIGNALS}
    before = {one: handler for one, handler in before.items() if handler is not signal.SIG_IGN}
    for one in before:
        signal.signal(one, note)
    try:
        yield asked
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
