"""Which faults an exclusion covers, which exclusions have run out, and which cover nothing."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from fairlead.checks.finding import Finding
from fairlead.checks.merge import Fault
from fairlead.config.exclusions import Exclusion


@dataclass(frozen=True)
class Sifted:
    """kept: faults that count. excluded: those that do not, each with what covers it.

    expired: exclusions whose day is over; what they covered counts again. unused: exclusions that
    cover nothing.
    """

    kept: tuple[Fault, ...]
    excluded: tuple[tuple[Fault, Exclusion], ...]
    expired: tuple[Exclusion, ...]
    unused: tuple[Exclusion, ...]


def sifted(
    faults: Sequence[Fault], exclusions: Sequence[Exclusion], today: datetime.date
) -> Sifted:
    """The faults, without those that an exclusion covers today."""
    valid = [one for one in exclusions if one.expires >= today]
    covers = {fault: next((one for one in valid if _covers(one, fault)), None) for fault in faults}
    used = {one for one in exclusions if any(_covers(one, fault) for fault in faults)}
    return Sifted(
        tuple(fault for fault, by in covers.items() if by is None),
        tuple((fault, by) for fault, by in covers.items() if by is not None),
        tuple(one for one in exclusions if one.expires < today),
        tuple(one for one in valid if one not in used),
    )


def _covers(exclusion: Exclusion, fault: Fault) -> bool:
    """Whether everything that the exclusion says fits one of those who tell of the fault."""
    return any(_fits(exclusion, finding) for finding in fault.told)


def _fits(exclusion: Exclusion, one: Finding) -> bool:
    return (
        (not exclusion.id or exclusion.id in (one.rule, *one.aliases))
        and (not exclusion.tool or exclusion.tool == one.tool)
        and (not exclusion.path or fnmatchcase(one.path, exclusion.path))
        and (not exclusion.package or fnmatchcase(one.package.lower(), exclusion.package.lower()))
    )
