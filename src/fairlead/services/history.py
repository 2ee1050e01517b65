"""What git says has changed since a commit. Where it cannot say, the reason."""

from pathlib import Path

from fairlead.model import Command
from fairlead.transport.local import Ran, run_local

TIMEOUT = 60.0  # s for one question: a first look at a large tree on a slow disk
Files = tuple[str, ...]


class Incomparable(Exception):
    """Nothing can be compared with a commit; says why, as the end of a sentence."""


def starting_point(root: Path, base: str, until: str = "") -> str:
    """The commit to compare with, in full.

    base: a commit; the name of a branch means the commit where `until` left it. until: a commit;
    empty for what is checked out. Raises Incomparable for a base that is not here, or does not
    come before `until`.
    """
    if not base.strip("0"):
        raise Incomparable("there is no commit to compare with, as on a new branch")
    if base.startswith("-"):
        raise Incomparable(f"{base} names no commit")
    argv = (
        "rev-parse",
        "--is-shallow-repository",
        f"{until or 'HEAD'}^{{commit}}",
        f"{base}^{{commit}}",
    )
    asked = _ran(root, *argv, "--symbolic-full-name", base)
    shallow, *known = asked.out.split() or [""]
    commits = [one for one in known if not one.startswith(("refs/", "HEAD^"))]
    if not asked.ok:
        raise Incomparable(_why_missing(base, shallow == "true", commits, asked))
    head, commit = commits[:2]
    if head == commit:
        return commit
    left = _ran(root, "merge-base", commit, head).out.strip()
    is_branch = known[-1].startswith(("refs/heads/", "refs/remotes/"))
    if left and (left == commit or is_branch):
        return left
    if shallow == "true":
        raise Incomparable(f"this clone is shallow: it does not tell what came after {base}")
    shown = until[:12] or "what is checked out"
    raise Incomparable(f"{base} does not come before {shown}, as after a force-push")


def changed_files(root: Path, commit: str, until: str = "") -> Files:
    """Paths below `root` whose content is not what it was at a commit, committed since or not.

    until: the commit whose content is compared; empty for that of the working tree.
    Both paths of a rename are told, and the path of a file that is gone. Raises Incomparable.
    """
    flags = ("--name-only", "--no-renames", "--no-ext-diff", "--ignore-submodules=none")
    return _paths(
        _git(root, "diff", *flags, "--relative", "-z", *filter(None, (commit, until)), "--")
    )


def untracked_files(root: Path) -> Files:
    """Paths below `root` that git would take in, and does not have yet. Raises Incomparable."""
    return _paths(_git(root, "ls-files", "-z", "--others", "--exclude-standard"))


def file_at(root: Path, commit: str, path: str) -> str | None:
    """The text of a file as it was at a commit; None if it was not there."""
    ran = _ran(root, "show", f"{commit}:./{path}")
    return ran.out if ran.ok else None


def _why_missing(base: str, shallow: bool, commits: list[str], asked: Ran) -> str:
    if asked.missing:
        return "git is not installed"
    if not asked.out:
        return f"git gives no answer: {_last_words(asked)}"
    if not commits:
        return "nothing is committed yet"
    if shallow:
        return f"this clone is shallow and lacks {base} (git fetch --unshallow)"
    return f"{base} is not in this repository, as after a force-push (git fetch may help)"


def _git(root: Path, *words: str) -> Ran:
    ran = _ran(root, *words)
    if ran.ok:
        return ran
    reason = "git is not installed" if ran.missing else _last_words(ran)
    raise Incomparable(f"git {words[0]} gives no answer: {reason}")


def _ran(root: Path, *words: str) -> Ran:
    return run_local(Command(("git", *words), timeout=TIMEOUT), cwd=root)


def _last_words(ran: Ran) -> str:
    said = ran.err.strip().splitlines()
    return said[0][:200] if said else ran.stopped or f"exit code {ran.code}"


def _paths(ran: Ran) -> Files:
    return tuple(path for path in ran.out.split("\0") if path)
