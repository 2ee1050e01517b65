"""Whose a container is: its client's, as long as that holds the lock on a file.

The kernel lets go of the lock however the client ends, so that the next one can tell what was left.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LABEL = "fairlead.client"  # its value is the file


@contextmanager
def claim() -> Iterator[str]:
    """The path of a file that is locked while the block runs, and removed at its end."""
    with tempfile.NamedTemporaryFile(prefix="fairlead-client-") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file.name


def abandoned(path: str) -> bool:
    """Whether the client of a claim is gone. A file that is not here may be of another machine."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(file)
    return True


def forget(path: str) -> None:
    """Remove the file of a claim that nobody holds any more."""
    if Path(path).name.startswith("fairlead-client-"):
        Path(path).unlink(missing_ok=True)
