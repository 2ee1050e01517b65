"""What git knows of a folder: the commit it is at, and whether it is just that."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fairlead.model import Command
from fairlead.transport.local import Ran, run_local

TIMEOUT = 30.0
_FIELDS = {"1": 8, "2": 9, "u": 10, "?": 1}  # before the path, by the kind of a line


@dataclass(frozen=True)
class Head:
    """commit: full hash; empty outside a repository, or before the first commit.

    clean: nothing tracked is changed, and nothing untracked is there that git does not ignore.
    changed: the files that are the reason if it is not; of a new folder the folder.
    trouble: why git does not tell, though there is a repository.
    """

    commit: str = ""
    clean: bool = False
    trouble: str = ""
    changed: tuple[str, ...] = field(default=(), compare=False)


def trouble(root: Path, ran: Ran) -> str:
    """Why git would not read the repository that a folder is in; empty where it is in none."""
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return ""
    lines = ran.err.strip().splitlines()
    return lines[0] if lines else ran.stopped or f"git ended with {ran.code}"


def read_head(root: Path, within: str = ":/") -> Head:
    """Where a working tree stands, asked of git once. within: what is to be clean, from root."""
    asked = ("status", "--porcelain=v2", "--branch", "-z", "--", within)
    argv = ("git", "--no-optional-locks", *asked)
    said = run_local(Command(argv, timeout=TIMEOUT), cwd=root)
    if not said.ok:
        return Head(trouble=trouble(root, said))
    lines = [line for line in said.out.split("\0") if line]
    commit = next((line.split()[2] for line in lines if line.startswith("# branch.oid ")), "")
    changed = tuple(_changed(lines))
    return Head("" if commit == "(initial)" else commit, not changed, changed=changed)


def _changed(lines: Iterable[str]) -> Iterator[str]:
    """The paths in what `git status --porcelain=v2 -z` says; a renamed file by its new one."""
    entries = iter(lines)
    for line in entries:
        if kind := _FIELDS.get(line[:1]):
            yield line.split(" ", kind)[-1]
        if line.startswith("2"):
            next(entries, "")  # where it was
