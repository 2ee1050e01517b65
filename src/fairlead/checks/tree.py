"""The files that are checked: what git knows of, and what it would take in."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from fairlead.model import Command
from fairlead.transport.local import run_local


@dataclass(frozen=True)
class Tree:
    """root: absolute. files: paths from it, with slashes, sorted; nothing that git ignores."""

    root: Path
    files: tuple[str, ...]

    def matching(self, *patterns: str) -> tuple[str, ...]:
        """The files whose name (or path, for a pattern with a slash) matches one of the globs."""
        return tuple(file for file in self.files if any(_matches(file, one) for one in patterns))

    def only(self, files: Iterable[str]) -> "Tree":
        """The same tree, narrowed to those of the files it has."""
        wanted = set(files)
        return Tree(self.root, tuple(file for file in self.files if file in wanted))


def read_tree(root: Path) -> Tree:
    """The files under root that are tracked or could be, deleted ones left out.

    Outside a git repository: every file, but not those in hidden folders.
    """
    argv = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = run_local(Command(argv, timeout=60.0), cwd=root)
    if listed.ok:
        names = set(listed.out.split("\0")) - {""}
        return Tree(root, tuple(sorted(name for name in names if (root / name).is_file())))
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    visible = (path for path in found if not any(part.startswith(".") for part in path.parts[:-1]))
    return Tree(root, tuple(sorted(path.as_posix() for path in visible)))


def _matches(file: str, pattern: str) -> bool:
    return fnmatch(file if "/" in pattern else file.rpartition("/")[2], pattern)
