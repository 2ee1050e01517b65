"""One fault that a tool found, in the one shape all tools share."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is. Tools with a scale of their own are mapped by their adapter.

    A note is what the tool itself lets pass: it is shown, and fails nothing.
    """

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for the worst; for sorting and for thresholds."""
        return tuple(Severity).index(self)


UNRATED = "unrated"


@dataclass(frozen=True)
class Finding:
    """A fault: who says so (tool, rule), how bad it is, where it is, what to do.

    path: from the root of the tree, with slashes; line and column count from 1, 0 when unknown.
    A finding about a dependency names `package` and the `installed` version instead of a line.
    fix: what fixes it, as a sentence or a version; empty when the tool does not say.
    aliases: other names of the same fault, such as the CVE of a GHSA. rated: False where the tool
    does not say how bad it is, and the severity is a guess.
    """

    tool: str
    rule: str
    severity: Severity
    message: str
    path: str = ""
    line: int = 0
    column: int = 0
    package: str = ""
    installed: str = ""
    fix: str = ""
    aliases: tuple[str, ...] = ()
    rated: bool = True

    @property
    def grade(self) -> str:
        """Its severity; UNRATED for a vulnerable package of which nobody says how bad it is."""
        return UNRATED if self.package and not self.rated else str(self.severity)

    def reaches(self, limit: Severity) -> bool:
        """Whether it is that bad, or worse; what is not rated may be as bad as any."""
        return self.severity.rank <= limit.rank or self.grade == UNRATED

    @property
    def place(self) -> str:
        """`src/api.py:3`, or `requests 2.5.0` for a dependency."""
        if self.package:
            return f"{self.package} {self.installed}".strip()
        return f"{self.path}:{self.line}" if self.line else self.path
