"""A folder with the files of the tree and nothing else, for scanners that walk folders.

They would walk into .venv, node_modules and what git ignores, and tell of secrets in an .env that
never leaves the machine.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from fairlead.checks.folder import needed_folder
from fairlead.checks.tree import Tree

STAGE = ".fairlead/stage/tree"
"""From the root; the same in every run, so that a cache finds the same command again."""


@contextlib.contextmanager
def staged(tree: Tree) -> Iterator[str]:
    """STAGE, filled with links to the files of the tree; emptied at the end.

    One scan of a repository at a time: a second one waits here.
    """
    folder = needed_folder(tree.root, "stage")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.rmtree(tree.root / STAGE, ignore_errors=True)
        for file in tree.files:
            _link(tree.root / file, tree.root / STAGE / file)
        try:
            yield STAGE
        finally:
            shutil.rmtree(tree.root / STAGE, ignore_errors=True)


def _link(file: Path, there: Path) -> None:
    """A second name for the file, or a copy where the file system has no such thing."""
    there.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):  # it is gone since the tree was read
        if file.is_symlink():
            shutil.copyfile(file, there)  # what it points to: its own path would lead elsewhere
            return
        try:
            os.link(file, there)
        except OSError:
            shutil.copyfile(file, there)
