"""Git asked beside other work: its answers are waited for only where they are needed."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from fairlead.services import history
from fairlead.services.history import Files

T = TypeVar("T")


class Comparison:
    """What is here, or what was at the commit `until`, beside `base`, or beside other commits.

    Git looks for untracked files from now on, and for what differs from `base` if that is given.
    """

    def __init__(self, root: Path, base: str | None = None, until: str = "") -> None:
        self.root, self.base, self.until = root, base, until
        self._begun = {} if base is None else {base: _beside(lambda: self._look(base))}
        self._untracked: Callable[[], Files] = tuple
        if not until:
            self._untracked = _beside(lambda: history.untracked_files(root))

    def since(self, base: str) -> tuple[str, Files]:
        """The commit that `base` stands for, and the tracked files that are not as they were then.

        Raises Incomparable.
        """
        begun = self._begun.get(base)
        return begun() if begun else self._look(base)

    def untracked(self) -> Files:
        """Files that git would take in, and does not have yet. Raises Incomparable."""
        return self._untracked()

    def _look(self, base: str) -> tuple[str, Files]:
        commit = history.starting_point(self.root, base, self.until)
        return commit, history.changed_files(self.root, commit, self.until)


def _beside(work: Callable[[], T]) -> Callable[[], T]:
    """Begin some work; what is returned waits for its end, and raises what it raised."""
    done: list[T] = []
    faults: list[Exception] = []

    def run() -> None:
        try:
            done.append(work())
        except Exception as fault:
            faults.append(fault)

    running = threading.Thread(target=run, daemon=True)
    running.start()

    def awaited() -> T:
        running.join()
        if faults:
            raise faults[0]
        return done[0]

    return awaited
