"""What git knows of a folder: the commit it is at, and whether it is just that."""

from dataclasses import dataclass
from pathlib import Path

from fairlead.model import Command
from fairlead.transport.local import Ran, run_local

TIMEOUT = 30.0


@dataclass(frozen=True)
class Head:
    """commit: full hash; empty outside a repository, or before the first commit.

    clean: nothing tracked is changed, and nothing untracked is there that git does not ignore.
    trouble: why git does not tell, though there is a repository.
    """

    commit: str = ""
    clean: bool = False
    trouble: str = ""


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
    changed = any(not line.startswith("#") for line in lines)
    return Head("" if commit == "(initial)" else commit, not changed)
