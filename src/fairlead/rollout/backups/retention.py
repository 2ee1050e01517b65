"""Which backups with data may go: more than `keep`, older than `keep_for`, beyond `keep_size`.

Law 12: whatever the rules say, the newest backup with data stays, and the newest one of each of the
last proven releases; a rollback could need them. A backup of files only goes with its release.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fairlead.config import Backup as Rules
from fairlead.model import ReleaseStatus
from fairlead.rollout.observed import Backup, HostState


@dataclass(frozen=True)
class Doomed:
    """A backup that goes, and why."""

    stamp: str
    reason: str


def doomed(state: HostState, rules: Rules, keep_releases: int) -> tuple[Doomed, ...]:
    """The backups of a host that the rules no longer keep, newest first."""
    held = newest_first(state)
    safe = protected(state, keep_releases)
    found: list[Doomed] = []
    kept_bytes = 0
    for number, backup in enumerate(held):
        reason = _reason(backup, number, kept_bytes, state.clock, rules)
        if reason and backup.stamp not in safe:
            found.append(Doomed(backup.stamp, reason))
        else:
            kept_bytes += backup.bytes
    return tuple(found)


def newest_first(state: HostState) -> list[Backup]:
    """Backups with data, by recorded sequence and then by name, which is a time."""
    with_data = [backup for backup in state.backups if backup.dumps]
    return sorted(with_data, key=lambda one: (one.sequence, one.stamp), reverse=True)


def protected(state: HostState, keep_releases: int) -> frozenset[str]:
    """What a rollback could need: the newest of all, and of each release that is kept or serves."""
    proven = [kept for kept in state.releases if kept.status == ReleaseStatus.PROVEN]
    recent = sorted(proven, key=lambda kept: kept.sequence, reverse=True)[:keep_releases]
    releases = {kept.id for kept in recent} | set(state.serving)
    return frozenset(_newest_of_each(newest_first(state), releases))


def _newest_of_each(held: list[Backup], releases: set[str]) -> Iterator[str]:
    if held:
        yield held[0].stamp
    for backup in held:
        if backup.release in releases:
            releases = releases - {backup.release}
            yield backup.stamp


def _reason(backup: Backup, number: int, kept_bytes: int, now: int, rules: Rules) -> str:
    if number >= rules.keep:
        return f"more than {rules.keep}"
    age = now - backup.taken
    if rules.keep_for and age > rules.keep_for:
        return f"{age / 86400:.1f} days old, {rules.keep_for / 86400:.1f} are kept"
    if rules.keep_size and kept_bytes + backup.bytes > rules.keep_size:
        return f"beyond {rules.keep_size / 10**6:.0f} MB"
    return ""
