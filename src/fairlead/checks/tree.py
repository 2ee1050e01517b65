"""The files that are checked: what git knows of, and what it would take in."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from fairlead.errors import PreconditionError
from fairlead.model import Command
from fairlead.transport.git import trouble
from fairlead.transport.local import run_local

NEVER = ("node_modules", "__pycache__", "venv", "site-packages")
"""Folders that hold other people's files; left out where git cannot tell."""


@dataclass(frozen=True)
class Tree:
    """root: absolute. files: paths from it, with slashes, sorted; nothing that git ignores.

    whole: all files, where `files` are only some of them: what decides which tools are called
    for, and what the rest of a program is checked against.
    """

    root: Path
    files: tuple[str, ...]
    whole: tuple[str, ...] = field(default=(), repr=False)

    @property
    def narrowed(self) -> bool:
        """Whether these are some files of a larger tree, picked out."""
        return bool(self.whole)

    @property
    def all(self) -> "Tree":
        """The tree it was before it was narrowed."""
        return Tree(self.root, self.whole) if self.whole else self

    def matching(self, *patterns: str) -> tuple[str, ...]:
        """The files whose name (or path, for a pattern with a slash) matches one of the globs."""
        return tuple(file for file in self.files if any(_matches(file, one) for one in patterns))

    def only(self, files: Iterable[str]) -> "Tree":
        """The same tree, narrowed to those of the files it has."""
        wanted = set(files)
        kept = tuple(file for file in self.files if file in wanted)
        return Tree(self.root, kept, self.whole or self.files)

    def without(self, patterns: Iterable[str]) -> "Tree":
        """The tree as if the files and folders that match the globs were not there."""
        left_out = tuple(patterns)

        def kept(files: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(f for f in files if not any(_within(f, one) for one in left_out))

        return Tree(self.root, kept(self.files), kept(self.whole)) if left_out else self


def read_tree(root: Path) -> Tree:
    """The files under root that are tracked or could be, deleted ones left out.

    Outside a git repository: every file, but not those in hidden folders or in NEVER. Raises
    PreconditionError where there is one that git does not read: what it ignores is not known then.
    """
    argv = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = run_local(Command(argv, timeout=60.0), cwd=root, odd_bytes="surrogateescape")
    if listed.ok:
        names = set(listed.out.split("\0")) - {""}
        return Tree(root, tuple(sorted(name for name in names if (root / name).is_file())))
    if why := trouble(root, listed):
        raise PreconditionError(
            f"git does not tell which files are in {root}: {why}",
            state="nothing was run",
            next_step="git status there tells more",
        )
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    visible = (path for path in found if not any(map(_hidden, path.parts[:-1])))
    return Tree(root, tuple(sorted(path.as_posix() for path in visible)))


def _hidden(folder: str) -> bool:
    return folder.startswith(".") or folder in NEVER


def _matches(file: str, pattern: str) -> bool:
    return fnmatch(file if "/" in pattern else file.rpartition("/")[2], pattern)


def _within(file: str, pattern: str) -> bool:
    """Whether a glob names the file or a folder above it."""
    pattern = pattern.rstrip("/")
    return _matches(file, pattern) or fnmatch(file, f"{pattern}/*")
