"""What git knows of a project's releases: tags, and the commits since one."""

from pathlib import Path

from fairlead.errors import FairleadError
from fairlead.model import Command
from fairlead.transport.local import Ran, run_local
from fairlead.versions.commits import Commit, read

TIMEOUT = 900.0  # s for one command: hooks of a commit may run tests


def git(root: Path, *words: str, stdin: str = "") -> str:
    """What git prints. Raises FairleadError with what it said when it fails."""
    ran = ask(root, *words, stdin=stdin)
    if ran.missing:
        raise FairleadError(
            "git is not installed", state="nothing was changed", next_step="apt-get install git"
        )
    if not ran.ok:
        said = (ran.err or ran.out).strip().splitlines()[-10:]
        ended = [f"it took longer than {TIMEOUT:.0f} s"] if ran.stopped == "timeout" else []
        raise FairleadError(
            f"git {words[0]} failed",
            why=[*said, *ended],
            next_step="fix what git names, then repeat the command",
        )
    return ran.out


def ask(root: Path, *words: str, stdin: str = "") -> Ran:
    """A question to git that may have no answer."""
    data = stdin.encode() if stdin else None
    return run_local(Command(("git", *words), stdin=data, timeout=TIMEOUT), cwd=root)


def is_shallow(root: Path) -> bool:
    """Whether older commits and tags are missing here."""
    return ask(root, "rev-parse", "--is-shallow-repository").out.strip() == "true"


def branch(root: Path) -> str:
    """The branch that is checked out; empty for a detached HEAD, or outside git."""
    return ask(root, "symbolic-ref", "--quiet", "--short", "HEAD").out.strip()


def has_tag(root: Path, tag: str) -> bool:
    """Whether there is such a tag here."""
    return ask(root, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}").ok


def tag_before(root: Path, commit: str, prefix: str) -> str:
    """The nearest release tag at or before a commit, no pre-release; empty when there is none."""
    kinds = (f"--match={prefix}[0-9]*.*", f"--exclude={prefix}*-*")
    found = ask(root, "describe", "--tags", "--abbrev=0", *kinds, commit)
    return found.out.strip() if found.ok else ""


def commits(root: Path, since: str, until: str = "HEAD") -> list[Commit]:
    """The commits after a tag (all, when it is empty), the newest first; merges left out."""
    span = f"refs/tags/{since}..{until}" if since else until
    out = git(root, "log", "--no-merges", "-z", "--format=%B", span, "--")
    return [read(message) for message in out.split("\0") if message.strip()]
