"""Programs on this machine: run to their end, or to their timeout with all their children."""

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fairlead.model import Command
from fairlead.transport import descendants
from fairlead.transport.protocol import LineListener

GRACE = 2.0  # s between SIGTERM and SIGKILL: time for a tool to remove its temporary files
NOT_FOUND = 127  # what a shell says of a program that is not there


@dataclass(frozen=True)
class Ran:
    """What a local program left: exit code (negative: its signal), output, seconds.

    stopped: why we ended it ("timeout", "interrupted"); empty when it ended by itself.
    missing: there is no such program; nothing ran.
    """

    code: int
    out: str
    err: str
    seconds: float
    stopped: str = ""
    missing: bool = False

    @property
    def ok(self) -> bool:
        return self.code == 0 and not self.stopped and not self.missing


def run_local(
    command: Command,
    *,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    on_line: LineListener | None = None,
    cancel: threading.Event | None = None,
    odd_bytes: str = "replace",
) -> Ran:
    """Run a program in a process group of its own; nothing of the group outlives it.

    cwd: where it runs. environ: its whole environment (default: ours). on_line gets each complete
    line of stdout and stderr as it arrives. Setting `cancel`, or command.timeout (s), ends the
    group, and on Linux all other descendants: SIGTERM, then SIGKILL after GRACE. Output is read as
    UTF-8; odd_bytes: what becomes of those that are none ("surrogateescape" keeps them, for names
    of files). Raises nothing for what the program does; a program that is not there is told by
    `missing`.
    """
    began = time.monotonic()
    try:
        process = subprocess.Popen(
            command.argv,
            stdin=subprocess.DEVNULL if command.stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=dict(environ) if environ is not None else None,
            start_new_session=True,
        )
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        return Ran(NOT_FOUND, "", str(error), 0.0, missing=True)
    heard: tuple[list[str], list[str]] = ([], [])
    readers = [
        _reader(stream, kept, on_line, odd_bytes)
        for stream, kept in zip((process.stdout, process.stderr), heard, strict=True)
    ]
    if command.stdin is not None:
        readers.append(_writer(process.stdin, command.stdin))
    stopped = ""
    try:
        stopped = _await(process, began + command.timeout, cancel)
    finally:
        _end(process, GRACE if stopped else 0.0)
        for reader in readers:
            reader.join(GRACE)
    out, err = ("".join(kept) for kept in heard)
    return Ran(process.returncode, out, err, time.monotonic() - began, stopped)


def _await(
    process: "subprocess.Popen[bytes]", deadline: float, cancel: threading.Event | None
) -> str:
    """Wait for the end of the program; why it has to be ended, if it has."""
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return "timeout"
        if cancel is not None and cancel.is_set():
            return "interrupted"
        if _ended(process, min(left, 0.1) if cancel is not None else left):
            return ""


def _ended(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Whether a program ended within the time; known at once where the system can tell.

    Popen.wait with a timeout looks only now and then, up to 50 ms late.
    """
    with contextlib.suppress(OSError, AttributeError):  # an old kernel, or no Linux
        watched = os.pidfd_open(process.pid)
        try:
            select.select([watched], [], [], seconds)
        finally:
            os.close(watched)
        return process.poll() is not None
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.poll() is not None


def _end(process: "subprocess.Popen[bytes]", grace: float) -> None:
    """End the group: politely when it still runs, then whatever is left of it.

    Of one that still runs, also the descendants that left its group.
    """
    apart: tuple[int, ...] = ()
    if process.poll() is None:
        apart = descendants.apart(process.pid)
        _signal(process.pid, signal.SIGTERM)
        descendants.tell(apart, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
    _signal(process.pid, signal.SIGKILL)
    descendants.tell(apart, signal.SIGKILL)
    for handle in apart:
        os.close(handle)
    process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _reader(
    stream: IO[bytes] | None, kept: list[str], on_line: LineListener | None, odd_bytes: str
) -> threading.Thread:
    def read() -> None:
        for raw in stream or ():
            line = raw.decode("utf-8", odd_bytes)
            kept.append(line)
            if on_line:
                on_line(line.rstrip("\n"))

    return _started(read)


def _writer(stream: IO[bytes] | None, content: bytes) -> threading.Thread:
    def write() -> None:
        with contextlib.suppress(BrokenPipeError):
            if stream:
                stream.write(content)
                stream.close()

    return _started(write)


def _started(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
