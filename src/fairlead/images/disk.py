"""This machine's disk, where it does not take or give what it should."""

from collections.abc import Iterator
from contextlib import contextmanager

from fairlead.errors import PreconditionError


@contextmanager
def on_disk(what: str, state: str) -> Iterator[None]:
    """An OSError in the block becomes a PreconditionError that begins with `what`."""
    try:
        yield
    except OSError as fault:
        raise PreconditionError(
            f"{what}: {fault.strerror or fault}",
            why=[str(fault.filename)] if fault.filename else [],
            state=state,
            next_step="df -h . shows whether the disk is full, ls -ld .fairlead whose it is",
        ) from fault
