"""What git, or a CI job, tells of the commit that is being built."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fairlead.errors import PreconditionError
from fairlead.images.tags import Standing
from fairlead.model import Command
from fairlead.transport.git import read_head
from fairlead.transport.local import run_local

TIMEOUT = 30.0


@dataclass(frozen=True)
class Revision:
    """standing: commit, branch, versions. when: its commit time, seconds since 1970. source: the
    repository's address without any password; empty when there is no remote.
    """

    standing: Standing
    when: int
    source: str

    @property
    def commit(self) -> str:
        return self.standing.commit

    @property
    def key(self) -> str:
        """What builds of it are kept under."""
        return self.commit + ("-dirty" if self.standing.dirty else "")

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
    )


def _lacks_tags(root: Path) -> bool:
    """Whether a clone was made without all of its origin's tags, as CI jobs make it."""
    shallow = _git(root, "rev-parse", "--is-shallow-repository") == "true"
    return shallow or "--no-tags" in _git(root, "config", "--get-all", "remote.origin.tagOpt")


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
