"""Which tags an image gets: one pure function of where its commit stands."""

import re
from dataclasses import dataclass

SHORT = 12  # digits of a commit in a tag
LONGEST = 128  # characters of a tag (OCI distribution specification 1.1)
LATEST = "latest"
DIRTY = "-dirty"
_VERSION = re.compile(
    r"v(?P<major>0|[1-9]\d*)\.(?P<minor>0|[1-9]\d*)\.(?P<patch>0|[1-9]\d*)"
    r"(?P<pre>-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?"
)
_MOVING = re.compile(r"latest|v\d+(\.\d+)?")


@dataclass(frozen=True)
class Standing:
    """Where a commit stands. branch: empty when none is checked out. versions: git tags on it."""

    commit: str
    branch: str = ""
    versions: tuple[str, ...] = ()
    dirty: bool = False
    main: str = "main"


def tags(standing: Standing) -> tuple[str, ...]:
    """The tags, the one that says most first; each is a valid tag, none is there twice.

    main: `main-<sha>`, `latest`. Another branch: `<branch>-<sha>`, the branch made safe. A version
    tag: `vX.Y.Z`, `vX.Y`, `vX`; of a pre-release itself alone, and no `latest`. With uncommitted
    changes: one tag that says so, and none that others rely on.
    """
    sha = standing.commit[:SHORT]
    branch = safe(standing.branch, LONGEST - SHORT - len(DIRTY) - 1) or "detached"
    if standing.dirty:
        return (f"{branch}-{sha}{DIRTY}",)
    versions = sorted(filter(_VERSION.fullmatch, standing.versions), key=_order, reverse=True)
    found = [tag for version in versions for tag in _version_tags(version)]
    if standing.branch or not versions:
        found.append(f"{branch}-{sha}")
    if standing.branch == standing.main and not any(map(is_prerelease, versions)):
        found.append(LATEST)
    return tuple(dict.fromkeys(found))


def safe(branch: str, longest: int = LONGEST) -> str:
    """A branch's name in the characters a tag may have, not beginning with a dot or a hyphen."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", branch).lstrip(".-")[:longest].rstrip(".-")


def is_moving(tag: str) -> bool:
    """Whether a tag is meant to go on to newer images: `latest`, `vX`, `vX.Y`."""
    return bool(_MOVING.fullmatch(tag))


def is_prerelease(version: str) -> bool:
    """Whether a version tag says that more is to come: `v1.2.0-rc.1`."""
    found = _VERSION.fullmatch(version)
    return bool(found and found["pre"])


def _version_tags(version: str) -> tuple[str, ...]:
    found = _VERSION.fullmatch(version)
    whole = version.replace("+", "_")[:LONGEST]  # the one character of a version no tag may have
    if not found or found["pre"]:
        return (whole,)
    return (whole, f"v{found['major']}.{found['minor']}", f"v{found['major']}")


def _order(version: str) -> tuple[int, int, int, bool, str]:
    numbers, _, pre = version.partition("+")[0].removeprefix("v").partition("-")
    major, minor, patch = (int(part) for part in numbers.split("."))
    return major, minor, patch, not pre, version
