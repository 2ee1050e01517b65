"""What a program started, also where it put itself in a group or session of its own."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")  # Linux; nowhere else is anything found


def apart(process: int) -> tuple[int, ...]:
    """Handles of its descendants that are in another process group than it leads; close them.

    A handle means one process for good: a number may be another's a moment later. Not found is
    what is no descendant any more: a daemon's parent has ended, and the system has adopted it.
    """
    handles = []
    for number in _descendants(process):
        with contextlib.suppress(OSError, AttributeError):  # it ended; or no Linux
            if os.getpgid(number) != process:
                handles.append(os.pidfd_open(number))
    return tuple(handles)


def tell(handles: tuple[int, ...], number: signal.Signals) -> None:
    """Send the signal to all of them that are still there."""
    for handle in handles:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            signal.pidfd_send_signal(handle, number)


def _descendants(process: int) -> Iterator[int]:
    children: dict[int, list[int]] = {}
    for folder in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            after_name = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2]
            children.setdefault(int(after_name.split()[1]), []).append(int(folder.name))
    waiting = [process]
    while waiting:
        below = children.get(waiting.pop(), [])
        yield from below
        waiting += below
