"""What is new in a release, for people: as the changelog has it, else as its commits say."""

from pathlib import Path

from fairlead.config.release import Release
from fairlead.errors import UsageError
from fairlead.versions import changelog, commits, history
from fairlead.versions.github import Draft


def release_notes(root: Path, release: Release, tag: str) -> Draft:
    """The notes of a tag; of the newest one, when it is empty.

    The changelog is read as it is now. Raises UsageError for a tag that is not here.
    """
    prefix = release.tag_prefix
    tag = tag or history.tag_before(root, "HEAD", prefix)
    if not tag or not history.has_tag(root, tag):
        raise UsageError(
            f"there is no tag {tag}" if tag else "there is no release tag yet",
            state="nothing was changed",
            next_step="git tag --list; inv release.bump makes one",
        )
    file = root / release.changelog
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    body = changelog.section(text, tag.removeprefix(prefix))
    if not body:
        before = history.tag_before(root, f"refs/tags/{tag}^", prefix)
        body = commits.notes(history.commits(root, before, f"refs/tags/{tag}"))
    return Draft(tag, tag, body, prerelease="-" in tag.removeprefix(prefix))
