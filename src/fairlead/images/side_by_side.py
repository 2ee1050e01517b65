"""Work on several images at a time, which an interrupt ends."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
LOOK = 0.5  # s: Python may hear a signal only when a wait has ended


def side_by_side(
    work: Callable[[T], R], items: Iterable[T], limit: int, cancel: threading.Event, note: str
) -> list[R]:
    """What the work gives for each, in their order.

    An interrupt sets `cancel`, begins no more of them, and is raised on with the note.
    """
    with ThreadPoolExecutor(max_workers=limit) as pool:
        try:
            futures = [pool.submit(work, one) for one in items]
            while wait(futures, timeout=LOOK).not_done:
                pass
            return [future.result() for future in futures]
        except KeyboardInterrupt as asked:
            asked.add_note(note)
            cancel.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
