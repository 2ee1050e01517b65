"""Which licences a project takes: an allow list, a deny list, and SPDX expressions."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from fairlead.checks.finding import Finding, Severity

UNKNOWN = ("", "unknown", "unknown license", "other", "none")


@dataclass(frozen=True)
class Licences:
    """allow, deny: globs over SPDX ids and licence names, in any case; `GPL-*`, `*Affero*`.

    A denied licence is refused though it is allowed too. With an empty allow list everything that
    is not denied is taken; otherwise nothing else is, and an unknown licence is a finding.
    """

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.allow or self.deny)

    def judged(self, tool: str, package: str, version: str, licence: str) -> Finding | None:
        """What is wrong with the licence of a package; None when nothing is."""
        choices = [self._fault(choice) for choice in re.split(r"\s+OR\s+", licence.strip("() "))]
        if not all(choices):  # a licensee may choose
            return None
        rule = "licence-denied" if "licence-denied" in choices else choices[0]
        denied = rule == "licence-denied"
        return Finding(
            tool=tool,
            rule=rule,
            severity=Severity.HIGH if denied else Severity.MEDIUM,
            message=f"licence {licence!r} " + _SAID[rule],
            package=package,
            installed=version,
            fix="replace the package, or settle its licence in [scan.licenses]",
        )

    def _fault(self, choice: str) -> str:
        """The rule that one choice of licences breaks; all its parts bind."""
        parts = [part.strip("() ") for part in re.split(r"\s+AND\s+|;", choice)]
        if any(_matches(part, self.deny) for part in parts):
            return "licence-denied"
        if not self.allow or all(_matches(part, self.allow) for part in parts):
            return ""
        unknown = all(part.lower() in UNKNOWN for part in parts)
        return "licence-unknown" if unknown else "licence-not-allowed"


_SAID = {
    "licence-denied": "is on the deny list",
    "licence-unknown": "says nothing",
    "licence-not-allowed": "is not on the allow list",
}


def _matches(licence: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(licence.lower(), glob.lower()) for glob in globs)
