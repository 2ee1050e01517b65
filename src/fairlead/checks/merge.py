"""The same fault told by several tools, shown once with all their names."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from fairlead.checks.finding import Finding


@dataclass(frozen=True)
class Fault:
    """One fault, and every finding that tells of it; at least one."""

    told: tuple[Finding, ...]

    @property
    def tools(self) -> tuple[str, ...]:
        """Who told of it, each once, in the order they were asked."""
        return tuple(dict.fromkeys(finding.tool for finding in self.told))

    @property
    def finding(self) -> Finding:
        """All of them as one: the worst severity of those that rate it, the first words, every
        other name of it."""
        rated = [one for one in self.told if one.rated] or self.told
        first = self.told[0]
        names = dict.fromkeys(name for one in self.told for name in (one.rule, *one.aliases))
        return replace(
            first,
            tool=", ".join(self.tools),
            severity=min((one.severity for one in rated), key=lambda severity: severity.rank),
            path=next((one.path for one in self.told if one.path), ""),
            line=next((one.line for one in self.told if one.line), 0),
            fix=next((one.fix for one in self.told if one.fix), ""),
            aliases=tuple(name for name in names if name != first.rule),
            rated=any(one.rated for one in self.told),
        )


def merged(findings: Iterable[Finding]) -> tuple[Fault, ...]:
    """The findings as faults, the worst first, then by place.

    Two are one when they name the same package and share an id (CVE, GHSA, PYSEC, …). Two of
    different tools are one when they point to the same line with the same weakness (CWE) or by the
    same rule (F401).
    """
    told = tuple(dict.fromkeys(findings))
    about_packages = _by_name(one for one in told if one.package)
    about_lines = _by_place(one for one in told if not one.package)
    return tuple(sorted((*about_packages, *about_lines), key=_order))


def _by_name(findings: Iterable[Finding]) -> Iterator[Fault]:
    """One fault for all that share an id, be it by way of a third finding that has both."""
    groups: list[list[Finding]] = []
    for finding in findings:
        same = [group for group in groups if any(_same(finding, one) for one in group)]
        groups = [group for group in groups if group not in same]
        groups.append([one for group in same for one in group] + [finding])
    return (Fault(tuple(group)) for group in groups)


def _same(one: Finding, other: Finding) -> bool:
    return _package(one) == _package(other) and bool(_ids(one) & _ids(other))


def _package(one: Finding) -> str:
    return re.sub(r"[-_.]+", "-", one.package).lower()


def _ids(one: Finding) -> set[str]:
    return {name for name in (one.rule, *one.aliases) if not name.startswith("CWE-")}


def _by_place(findings: Iterable[Finding]) -> Iterator[Fault]:
    """One fault for a line and a name; what one tool says of a line twice is two."""
    groups: list[list[Finding]] = []
    at: dict[tuple[str, int, str], list[list[Finding]]] = {}
    for finding in findings:
        places = [(finding.path, finding.line, name) for name in _names(finding)]
        near = (group for place in places for group in at.get(place, ()))
        group = next((one for one in near if finding.tool not in {f.tool for f in one}), None)
        if group is None:
            group = []
            groups.append(group)
        group.append(finding)
        for place in places:
            at.setdefault(place, []).append(group)
    return (Fault(tuple(group)) for group in groups)


def _names(one: Finding) -> tuple[str, ...]:
    """What a fault on a line is known as; without one none, for a whole file may have several
    faults of a kind."""
    return (one.rule, *one.aliases) if one.line else ()


def _order(fault: Fault) -> tuple[object, ...]:
    one = fault.finding
    return (one.severity.rank, one.path, one.line, one.package, one.rule)
