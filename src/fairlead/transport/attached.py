"""A program of this machine on the terminal that is ours: debuggers, consoles."""

import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fairlead.model import Command
from fairlead.transport.local import NOT_FOUND, Ran


def run_attached(command: Command, *, cwd: Path, environ: Mapping[str, str]) -> Ran:
    """Run a program that reads and writes our own terminal, to its end; nothing is captured.

    Ctrl-C is the program's to deal with. command.timeout does not hold: a person decides.
    """
    began = time.monotonic()
    try:
        with _ctrl_c_is_not_ours():
            code = subprocess.run(command.argv, cwd=cwd, env=dict(environ)).returncode
    except (FileNotFoundError, PermissionError) as error:
        return Ran(NOT_FOUND, "", str(error), 0.0, missing=True)
    return Ran(code, "", "", time.monotonic() - began)


@contextmanager
def _ctrl_c_is_not_ours() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = signal.signal(signal.SIGINT, lambda number, frame: None)  # SIG_IGN would be inherited
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
