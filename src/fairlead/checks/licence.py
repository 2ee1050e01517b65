"""Which licences a project takes: an allow list, a deny list, and SPDX expressions."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.spdx import weighed

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
        weight = weighed(licence, self._weight)
        fault = _FAULTS[self._named(licence) if weight is None else weight]
        if fault is None:
            return None
        return Finding(
            tool=tool,
            rule=fault.rule,
            severity=fault.severity,
            message=f"licence {licence!r} {fault.said}",
            package=package,
            installed=version,
            fix="replace the package, or settle its licence in [scan.licenses]",
        )

    def _weight(self, licence: str) -> int:
        """Of one licence; one with an exception is listed with it or without."""
        forms = (licence, re.split(r"\s+with\s+", licence, flags=re.I)[0])
        if any(_matches(form, self.deny) for form in forms):
            return DENIED
        if not self.allow or any(_matches(form, self.allow) for form in forms):
            return TAKEN
        return NOT_KNOWN if licence.lower() in UNKNOWN else NOT_ALLOWED

    def _named(self, text: str) -> int:
        """Of a text that is no expression: every licence that it names counts, for nobody can say
        whether its `or` is a choice (`GNU Library or Lesser General Public License`)."""
        if any(_matches(part.strip(), self.deny) for part in _PARTS.split(text)):
            return DENIED
        return max(self._weight(name.strip(" ()")) for name in _NAMES.split(text))


@dataclass(frozen=True)
class _Fault:
    rule: str
    severity: Severity
    said: str


TAKEN, NOT_KNOWN, NOT_ALLOWED, DENIED = range(4)
_FAULTS = (
    None,
    _Fault("licence-unknown", Severity.MEDIUM, "says nothing"),
    _Fault("licence-not-allowed", Severity.MEDIUM, "is not on the allow list"),
    _Fault("licence-denied", Severity.HIGH, "is on the deny list"),
)
_NAMES = re.compile(r";|\s+(?:AND|OR)\s+")
_PARTS = re.compile(r"[;,/()]|\s+(?:and|or)\s+", re.I)


def _matches(licence: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(licence.lower(), glob.lower()) for glob in globs)
