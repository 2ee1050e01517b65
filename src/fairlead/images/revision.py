"""What git, or a CI job, tells of the commit that is being built."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fairlead.errors import PreconditionError
from fairlead.images.tags import DIRTY, SHORT, Standing
from fairlead.model import Command
from fairlead.transport.git import read_head
from fairlead.transport.local import run_local

TIMEOUT = 30.0


@dataclass(frozen=True)
class Revision:
    """standing: commit, branch, versions. when: its commit time, seconds since 1970. source: the
    repository's address without any password; empty when there is no remote. change: a digest (hex)
    of how the working tree differs from the commit; empty when it does not.
    """

    standing: Standing
    when: int
    source: str
    change: str = ""

    @property
    def commit(self) -> str:
        return self.standing.commit

    @property
    def label(self) -> str:
        """What an image says it was built from."""
        return self.commit + (DIRTY if self.standing.dirty else "")

    @property
    def key(self) -> str:
        """What builds of it are kept under; with other changes it is another."""
        return f"{self.label}-{self.change[:SHORT]}" if self.change else self.label

    @property
    def created(self) -> str:
        from datetime import UTC, datetime

        return datetime.fromtimestamp(self.when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_revision(root: Path, main: str, environ: Mapping[str, str], prefix: str = "v") -> Revision:
    """The commit of a working tree. Raises PreconditionError where there is none.

    main: the main branch. prefix: what the git tag of a version begins with.
    """
    head = read_head(root)
    if not head.commit:
        raise PreconditionError(
            f"{root} is no git repository with a commit; an image is named after its commit",
            state="nothing was built",
            next_step="git init && git add --all && git commit",
        )
    here = _git(root, "symbolic-ref", "--quiet", "--short", "HEAD")
    branch = _merge_request(environ) or here or _ci_branch(environ)
    versions = tuple(_git(root, "tag", "--points-at", "HEAD").split())
    released = tuple(_git(root, "tag", "--list").split()) if versions else ()
    blind = bool(versions) and _lacks_tags(root)
    return Revision(
        Standing(head.commit, branch, versions, not head.clean, main, released, prefix, blind),
        int(_git(root, "show", "--no-patch", "--format=%ct", "HEAD") or 0),
        _source(_git(root, "remote", "get-url", "origin"), environ),
        "" if head.clean else _change(root),
    )


def _lacks_tags(root: Path) -> bool:
    """Whether a clone was made without all of its origin's tags, as CI jobs make it."""
    shallow = _git(root, "rev-parse", "--is-shallow-repository") == "true"
    return shallow or "--no-tags" in _git(root, "config", "--get-all", "remote.origin.tagOpt")


def _change(root: Path) -> str:
    """A digest of what differs from the commit: what git would show, and each new file."""
    diff = ("diff", "HEAD", "--binary", "--no-relative", "--no-ext-diff", "--submodule=diff")
    new = ("ls-files", "-z", "--others", "--exclude-standard", ":/")
    total = hashlib.sha256()
    for words in (diff, new):
        command = Command(("git", *words), timeout=TIMEOUT)
        said = run_local(command, cwd=root, odd_bytes="surrogateescape")
        total.update(said.out.encode("utf-8", "surrogateescape"))
    for name in said.out.split("\0"):
        file = root / name
        if file.is_file():
            total.update(oct(file.stat().st_mode & 0o100).encode())
            with file.open("rb") as content:
                total.update(hashlib.file_digest(content, "sha256").digest())
    return total.hexdigest()


def require_unchanged(revision: Revision, root: Path, environ: Mapping[str, str]) -> None:
    """Raise PreconditionError when the working tree is not any more what was read of it."""
    standing = revision.standing
    if read_revision(root, standing.main, environ, standing.prefix) != revision:
        raise PreconditionError(
            "the working tree was changed while it was read",
            state="nothing was built",
            next_step="inv build again; once it builds, it works on a copy",
        )


def _git(root: Path, *words: str) -> str:
    said = run_local(Command(("git", *words), timeout=TIMEOUT), cwd=root)
    return said.out.strip() if said.ok else ""


def _merge_request(environ: Mapping[str, str]) -> str:
    """`pr-<branch>` in a job for a pull or merge request; its branch may be called main, too."""
    source = environ.get("GITHUB_HEAD_REF") or environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")
    return f"pr-{source}" if source else ""


def _ci_branch(environ: Mapping[str, str]) -> str:
    """GitHub's and GitLab's word for the branch: their jobs check out a commit, not a branch."""
    if environ.get("GITHUB_REF_TYPE") == "branch":
        return environ.get("GITHUB_REF_NAME", "")
    return environ.get("CI_COMMIT_BRANCH", "")


def _source(remote: str, environ: Mapping[str, str]) -> str:
    """`https://host/owner/name` for a remote as git writes it, without user and password."""
    if environ.get("GITHUB_SERVER_URL") and environ.get("GITHUB_REPOSITORY"):
        return f"{environ['GITHUB_SERVER_URL']}/{environ['GITHUB_REPOSITORY']}"
    address = remote.removesuffix(".git")
    if found := re.fullmatch(r"(https?://)(?:.*@)?(.+)", address):
        return found[1] + found[2]
    ssh = r"(?:ssh://(?:[^@/]+@)?([^:/]+)(?::\d+)?/|(?:[^@/]+@)?([^:/]+):)([^/].*)"
    if found := re.fullmatch(ssh, address):
        return f"https://{found[1] or found[2]}/{found[3]}"
    return ""
