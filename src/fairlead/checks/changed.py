"""The files that a person is working on: what differs from the default branch."""

from collections.abc import Mapping
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


TARGETS = ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME")
"""Variables in which a CI job is told the branch that a change is to go into."""


def changed_files(root: Path, environ: Mapping[str, str]) -> Changed:
    """Committed since the branch left the one it goes into, staged, not staged, or new.

    That is the target of a merge request where a CI job knows one, else the default branch.
    Raises PreconditionError outside a git repository with a commit, and where the clone does not
    reach back to where the branch began: nothing found would look like nothing changed.
    """
    head = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if head is None:
        raise PreconditionError(
            f"{root} is no git repository with a commit, so nothing tells what changed",
            state="nothing was run",
            next_step="leave --changed out",
        )
    target = next((environ[name] for name in TARGETS if environ.get(name)), "")
    branch = _known(root, f"origin/{target}", target) if target else _default_branch(root)
    base = _git(root, "merge-base", "HEAD", branch) if branch else None
    if base is None:
        raise _no_base(branch or target)
    since = base.strip()
    compared = ("diff", "--name-only", "--relative", "-z", "--no-renames", since, "--")
    new = ("ls-files", "-z", "--others", "--exclude-standard")
    names = {name for argv in (compared, new) for name in (_git(root, *argv) or "").split("\0")}
    return Changed(tuple(sorted(names - {""})), f"{branch} at {since[:8]}")


def _no_base(branch: str) -> PreconditionError:
    what = f"where this left {branch}" if branch else "which branch is the default one"
    return PreconditionError(
        f"this clone does not tell {what}, so nothing tells what changed",
        why=["a clone of a CI job often has no other branch and no history"],
        state="nothing was run",
        next_step="fetch them: fetch-depth: 0 of actions/checkout, GIT_DEPTH: 0 in GitLab, "
        "git fetch --unshallow and git remote set-head origin --auto; or leave --changed out",
    )


def _default_branch(root: Path) -> str:
    """What the remote says, else main or master; empty when there is neither."""
    said = _git(root, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    if said:
        return said.strip()
    return _known(root, "origin/main", "origin/master", "main", "master")


def _known(root: Path, *names: str) -> str:
    """The first of the branches that this clone has; empty when it has none."""
    return next((n for n in names if _git(root, "rev-parse", "--verify", "--quiet", n)), "")


def _git(root: Path, *argv: str) -> str | None:
    """What git answers; None when it says no."""
    ran = run_local(Command(("git", *argv), timeout=60.0), cwd=root)
    return ran.out if ran.ok else None
