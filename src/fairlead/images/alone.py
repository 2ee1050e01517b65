"""One build at a time in a working copy: two would write the same layouts and the same record."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fairlead.config.folder import own_folder
from fairlead.errors import PreconditionError


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Nobody else builds here while the block runs; the system lets go when this process ends.

    Raises PreconditionError when somebody does already.
    """
    with (own_folder(root, "builds") / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PreconditionError(
                f"another `inv build` is at work in {root}",
                state="nothing was built",
                next_step="wait for its end; builds side by side need a clone each",
            ) from None
        yield
