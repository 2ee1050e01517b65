"""A new version: its number, its section of the changelog, its commit, its tag."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from fairlead.config.release import Release
from fairlead.errors import FairleadError, UsageError
from fairlead.transport.git import read_head
from fairlead.versions import changelog, history, version_file
from fairlead.versions.commits import Commit, notes, weight
from fairlead.versions.semver import Part, Version


@dataclass(frozen=True)
class Bump:
    """What is to be written. why: what the number was chosen by. files: path → new content."""

    old: Version
    new: Version
    tag: str
    why: str
    notes: str
    files: dict[str, str] = field(repr=False)


def plan_bump(root: Path, release: Release, part: str, today: str) -> Bump:
    """The next version and all that changes with it; nothing is written.

    part: `major`, `minor`, `patch`, or `auto` for what the conventional commits since the last
    tag demand. Raises UsageError for a dirty tree, a detached HEAD, a tag that exists, and when
    there is nothing to release.
    """
    _check_tree(root)
    old = version_file.current(root, release.version_file)
    last = history.tag_before(root, "HEAD", release.tag_prefix)
    since = history.commits(root, last)
    raised, why = _chosen(root, old, part, since, last)
    tag = f"{release.tag_prefix}{raised}"
    if history.has_tag(root, tag):
        raise UsageError(
            f"the tag {tag} exists already",
            why=[f"{release.version_file} says {old}"],
            state="nothing was changed",
            next_step=f"git show {tag}; or another --part",
        )
    file = root / release.changelog
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    body = changelog.unreleased(text) or notes(since)
    files = version_file.with_version(root, release.version_file, old, raised)
    files[release.changelog] = changelog.released(text, str(raised), tag, today, body)
    return Bump(old, raised, tag, why, body, files)


def carry_out(root: Path, bump: Bump) -> str:
    """Write, commit, tag; the commit. When git refuses the commit, all is as it was before."""
    before = {name: _bytes(root / name) for name in bump.files}
    try:
        for name, text in bump.files.items():
            _write(root / name, text.encode())
        history.git(root, "add", "--", *bump.files)
        message = f"chore(release): {bump.tag}"
        history.git(root, "commit", "--quiet", "-m", message, "--", *bump.files)
    except (FairleadError, OSError, KeyboardInterrupt) as fault:
        _put_back(root, before)
        if isinstance(fault, FairleadError):
            fault.state = "nothing was changed"
        raise
    commit = history.git(root, "rev-parse", "HEAD").strip()
    _tag(root, bump)
    return commit


def _tag(root: Path, bump: Bump) -> None:
    text = f"{bump.tag}\n\n{bump.notes}\n"
    words = ("tag", "--annotate", "--cleanup=verbatim", "--file=-", bump.tag)
    try:
        history.git(root, *words, stdin=text)
    except FairleadError as error:
        error.state = f"the release commit of {bump.tag} is made, the tag is not"
        error.next_step = f"git tag --annotate {bump.tag}"
        raise


def _check_tree(root: Path) -> None:
    head = read_head(root)
    if not head.commit:
        raise UsageError(
            "there is no commit to release: this is no git repository, or an empty one",
            state="nothing was changed",
            next_step="commit first: git add … && git commit",
        )
    if not head.clean:
        raise UsageError(
            "the working tree has changes that are in no commit",
            state="nothing was changed",
            next_step="git status; commit them or put them away first",
        )
    if not history.branch(root):
        raise UsageError(
            "no branch is checked out (detached HEAD): the release commit would be on none",
            state="nothing was changed",
            next_step="git switch main",
        )


def _chosen(
    root: Path, old: Version, part: str, since: list[Commit], last: str
) -> tuple[Version, str]:
    if part != "auto":
        try:
            return old.raised(Part[part.upper()]), f"--part={part}"
        except KeyError:
            raise UsageError(
                f"no part `{part}` of a version",
                state="nothing was changed",
                next_step="--part=patch, minor, major or auto",
            ) from None
    if history.is_shallow(root):
        raise UsageError(
            "this clone is shallow: the commits since the last release may not be here",
            state="nothing was changed",
            next_step="git fetch --unshallow --tags; or say which part: --part=minor",
        )
    heavy = weight(since)
    after = f"since {last}" if last else "since the first one"
    if heavy is None:
        raise UsageError(
            f"nothing to release: of {len(since)} commits {after} none is a feat or a fix",
            state="nothing was changed",
            next_step="--part=patch releases all the same",
        )
    decisive = next(commit for commit in since if commit.weight is heavy)
    mark = "breaking: " if decisive.breaking else f"{decisive.kind}: "
    early = ", which raises the minor number before 1.0.0" if old.major == 0 and heavy == 3 else ""
    return old.after(heavy), f"{mark}{decisive.what}{early}"


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _write(path: Path, content: bytes) -> None:
    """Beside, then renamed into place, with the file's own mode."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    if path.exists():
        beside.chmod(path.stat().st_mode)
    os.replace(beside, path)


def _put_back(root: Path, before: dict[str, bytes | None]) -> None:
    for name, content in before.items():
        if content is None:
            (root / name).unlink(missing_ok=True)
        else:
            _write(root / name, content)
    history.ask(root, "reset", "--quiet", "--", *before)
