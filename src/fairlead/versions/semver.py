"""Semantic versions, as far as a release has one: three numbers. semver.org 2.0.0."""

import re
from dataclasses import dataclass
from enum import IntEnum

_TEXT = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


class Part(IntEnum):
    """What a change raises; the greatest of all changes decides."""

    PATCH = 1
    MINOR = 2
    MAJOR = 3


@dataclass(frozen=True, order=True)
class Version:
    """`1.4.2`. Orders as versions do."""

    major: int
    minor: int
    patch: int

    @staticmethod
    def parse(text: str) -> "Version":
        """The version a text is. Raises ValueError, also for pre-releases and build metadata."""
        found = _TEXT.fullmatch(text)
        if not found:
            raise ValueError(f'must be a version such as "1.4.2", not {text!r}')
        return Version(*map(int, found.groups()))

    def raised(self, part: Part) -> "Version":
        """The next version in that part; what stands behind it becomes 0."""
        if part is Part.MAJOR:
            return Version(self.major + 1, 0, 0)
        if part is Part.MINOR:
            return Version(self.major, self.minor + 1, 0)
        return Version(self.major, self.minor, self.patch + 1)

    def after(self, part: Part) -> "Version":
        """The next version after changes of that weight.

        Before 1.0.0 anything may change (semver.org, 4): a breaking change raises the minor
        number there; 1.0.0 itself is a decision, not a consequence.
        """
        return self.raised(min(part, Part.MINOR) if self.major == 0 else part)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"
