"""Ctrl-C, SIGTERM and SIGHUP, all told to a running task as KeyboardInterrupt."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ASKED_TO_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt(signal's name) on the first of ASKED_TO_STOP.

    After it only another Ctrl-C raises again: a CI job sends SIGINT and SIGTERM in a row, and the
    second must not cut short the clean-up that the first began. A signal that is ignored (nohup)
    stays ignored. Outside the main thread, where Python allows no handlers, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stopping = False

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        if stopping and number != signal.SIGINT:
            return
        stopping = True
        raise KeyboardInterrupt(signal.Signals(number).name)

    usual = (signal.SIG_DFL, signal.default_int_handler)
    replaced = {one: signal.getsignal(one) for one in ASKED_TO_STOP}
    replaced = {one: handler for one, handler in replaced.items() if handler in usual}
    for one in replaced:
        signal.signal(one, stop)
    try:
        yield
    finally:
        for one, handler in replaced.items():
            signal.signal(one, handler)
