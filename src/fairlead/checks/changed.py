"""The files that a person is working on: what differs from the default branch."""

from dataclasses import dataclass
from pathlib import Path

from fairlead.errors import PreconditionError
from fairlead.model import Command
from fairlead.transport.local import run_local


@dataclass(frozen=True)
class Changed:
    """files: paths from the root, deleted ones too. since: what they were compared with."""

    files: tuple[str, ...]
    since: str


def changed_files(root: Path) -> Changed:
    """Committed since the branch left the default branch, staged, not staged, or new.

    Raises PreconditionError outside a git repository with a commit.
    """
    head = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if head is None:
        raise PreconditionError(
            f"{root} is no git repository with a commit, so nothing tells what changed",
            state="nothing was run",
            next_step="leave --changed out",
        )
    branch = _default_branch(root)
    base = _git(root, "merge-base", "HEAD", branch) if branch else None
    since = (base or head).strip()
    compared = ("diff", "--name-only", "--relative", "-z", "--no-renames", since, "--")
    new = ("ls-files", "-z", "--others", "--exclude-standard")
    names = {name for argv in (compared, new) for name in (_git(root, *argv) or "").split("\0")}
    told = f"{branch} at {since[:8]}" if base else f"HEAD, {since[:8]}"
    return Changed(tuple(sorted(names - {""})), told)


def _default_branch(root: Path) -> str:
    """What the remote says, else main or master; empty when there is neither."""
    said = _git(root, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    if said:
        return said.strip()
    names = ("origin/main", "origin/master", "main", "master")
    return next((n for n in names if _git(root, "rev-parse", "--verify", "--quiet", n)), "")


def _git(root: Path, *argv: str) -> str | None:
    """What git answers; None when it says no."""
    ran = run_local(Command(("git", *argv), timeout=60.0), cwd=root)
    return ran.out if ran.ok else None
