"""Which tags an image gets: one pure function of where its commit stands."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

SHORT = 12  # digits of a commit in a tag
LONGEST = 128  # characters of a tag (OCI distribution specification 1.1)
LATEST = "latest"
DIRTY = "-dirty"
_VERSION = re.compile(
    r"(?P<major>0|[1-9]\d*)\.(?P<minor>0|[1-9]\d*)\.(?P<patch>0|[1-9]\d*)"
    r"(?P<pre>-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?"
)


@dataclass(frozen=True)
class Standing:
    """Where a commit stands. branch: empty when none is checked out. versions: git tags on it;
    released: all git tags there are; blind: some may not be in this clone. prefix: what a
    version's git tag begins with.
    """

    commit: str
    branch: str = ""
    versions: tuple[str, ...] = ()
    dirty: bool = False
    main: str = "main"
    released: tuple[str, ...] = ()
    prefix: str = "v"
    blind: bool = False


def tags(standing: Standing) -> tuple[str, ...]:
    """The tags, the one that says most first; each is a valid tag, none is there twice.

    main: `main-<sha>`, `latest`. Another branch: `<branch>-<sha>`, the branch made safe. A version
    tag: `vX.Y.Z`, and `vX.Y`, `vX` where it is known that no newer version has them; of a
    pre-release itself alone, and no `latest`. It stands instead of `main-<sha>`: an image says its
    version, so that of the same commit without one is another. With uncommitted changes: one tag
    that says so, and none that others rely on.
    """
    sha = standing.commit[:SHORT]
    branch = safe(standing.branch, LONGEST - SHORT - len(DIRTY) - 1) or "detached"
    if standing.dirty:
        return (f"{branch}-{sha}{DIRTY}",)
    versions = sorted(_versions(standing.versions, standing.prefix), reverse=True)
    released = [one for one in _versions(standing.released, standing.prefix) if one.final]
    found = [tag for one in versions for tag in _tags_of(one, released, standing.prefix)]
    if standing.blind:
        found = [tag for tag in found if not is_moving(tag, standing.prefix)]
    if not versions:
        found.append(f"{branch}-{sha}")
    if standing.branch == standing.main and (not versions or versions[0].final):
        found.append(LATEST)
    return tuple(dict.fromkeys(found))


def withheld(standing: Standing) -> tuple[str, ...]:
    """The tags that a clone with all git tags might give, and this one does not."""
    given = tags(standing)
    return tuple(tag for tag in tags(replace(standing, blind=False)) if tag not in given)


def safe(branch: str, longest: int = LONGEST) -> str:
    """A branch's name in the characters a tag may have, not beginning with a dot or a hyphen."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", branch).lstrip(".-")[:longest].rstrip(".-")


def is_moving(tag: str, prefix: str = "v") -> bool:
    """Whether a tag is meant to go on to newer images: `latest`, `vX`, `vX.Y`, `…-<sha>-dirty`."""
    short, dirty = rf"{re.escape(_begin(prefix))}\d+(\.\d+)?", rf".*-[0-9a-f]{{{SHORT}}}{DIRTY}"
    return bool(re.fullmatch(f"{LATEST}|{short}|{dirty}", tag))


@dataclass(frozen=True, order=True)
class _Version:
    """One version tag; orders as versions do, a pre-release before what it precedes."""

    numbers: tuple[int, int, int]
    final: bool
    text: str


def _versions(names: Iterable[str], prefix: str) -> Iterator[_Version]:
    for name in names:
        found = _VERSION.fullmatch(name.removeprefix(prefix)) if name.startswith(prefix) else None
        if found:
            numbers = int(found["major"]), int(found["minor"]), int(found["patch"])
            yield _Version(numbers, not found["pre"], found[0])


def _tags_of(version: _Version, released: Iterable[_Version], prefix: str) -> Iterator[str]:
    begin = _begin(prefix)
    yield (begin + version.text.replace("+", "_"))[:LONGEST]  # no tag may have a `+`
    newer = [one.numbers for one in released if one.numbers > version.numbers]
    for count in (2, 1) if version.final else ():
        short = version.numbers[:count]
        if not any(one[:count] == short for one in newer):
            yield begin + ".".join(map(str, short))


def _begin(prefix: str) -> str:
    """The prefix of git tags in the characters an image's tag may have."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", prefix).lstrip(".-")
