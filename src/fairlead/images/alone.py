"""One build at a time in a working copy: two would write the same layouts and the same record."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fairlead.config.folder import own_folder
from fairlead.errors import PreconditionError
from fairlead.images.disk import on_disk


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Nobody else builds or pushes here while the block runs.

    The system lets go when this process ends. Raises PreconditionError when somebody does already,
    or where nothing can be written.
    """
    with _locked(root, fcntl.LOCK_EX):
        yield


@contextmanager
def while_nobody_builds(root: Path) -> Iterator[None]:
    """What is built stays as it is while the block runs; others may push, too. Raises as alone."""
    with _locked(root, fcntl.LOCK_SH):
        yield


@contextmanager
def _locked(root: Path, kind: int) -> Iterator[None]:
    with on_disk("nothing can be kept in .fairlead", "nothing was done"):
        file = (own_folder(root, "builds") / ".lock").open("w")
    with file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            others = "`inv build`" if kind == fcntl.LOCK_SH else "`inv build` or `inv push`"
            raise PreconditionError(
                f"another {others} is at work in {root}",
                state="nothing was done",
                next_step="wait for its end; builds side by side need a clone each",
            ) from None
        yield
