"""Taking a backup: what is live now, and the data that are declared."""

from datetime import UTC, datetime

from fairlead.commands import backup, host
from fairlead.config import BackupData
from fairlead.model import Command, ReleaseStatus, Step
from fairlead.rollout.observed import HostState, KeptRelease, Observed
from fairlead.rollout.plan import step
from fairlead.rollout.situation import Situation


def backup_step(situation: Situation) -> Step | None:
    """Back up what is live on every host as `target.stamp`; with its data if the target says so."""
    target = situation.target
    if not target.stamp:
        return None
    commands = {
        name: _commands(situation, state, kept)
        for name, state in situation.observed.items()
        if (kept := _live(situation, state))
    }
    with_data = {name for name in commands if target.dump and _dumped(situation, name)}
    undo = {name: (backup.drop(target.stamp),) for name in with_data}
    what = "what is live and its data" if with_data else "what is live"
    return step("backup", f"back up {what} as {target.stamp}", commands, undo)


def new_stamp(observed: Observed, now: datetime | None = None) -> str:
    """A backup's name: the second it is taken (UTC); with a number if a host has that one."""
    stamp = (now or datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")
    taken = {backup.stamp for state in observed.values() for backup in state.backups}
    number = 2
    unique = stamp
    while unique in taken:
        unique, number = f"{stamp}-{number}", number + 1
    return unique


def next_sequence(observed: Observed) -> int:
    """The sequence of the next deploy: one more than any release's on any host."""
    states = observed.values()
    return 1 + max((kept.sequence for state in states for kept in state.releases), default=0)


def is_required(one: BackupData, environment: str) -> bool:
    """Whether nothing may go on without this dump: where nothing is said, in production."""
    return environment == "production" if one.required is None else one.required


def _commands(situation: Situation, state: HostState, kept: KeptRelease) -> tuple[Command, ...]:
    stamp = situation.target.stamp
    sequence = next_sequence(situation.observed)
    data = _dumped(situation, state.host) if situation.target.dump else ()
    if not data:
        return (host.backup(stamp, kept.id, sequence),)
    name = situation.environment.name
    return (
        backup.begin(stamp, kept.id, sequence),
        *(backup.data(stamp, one, required=is_required(one, name)) for one in data),
        backup.end(stamp),
    )


def _dumped(situation: Situation, name: str) -> tuple[BackupData, ...]:
    """The data of a host whose service is there: one that comes with this deploy has none yet."""
    there = {container.service for container in situation.state(name).containers}
    return tuple(one for one in situation.environment.data_on(name) if one.service in there)


def _live(situation: Situation, state: HostState) -> KeptRelease | None:
    """The release that serves here; else elsewhere (a host with data only); else the newest proven.

    The last is for data that a killed rollback left with nothing serving on them.
    """
    elsewhere = sorted({one.live_release for one in situation.observed.values()} - {""})
    proven = sorted(
        (kept for kept in state.releases if kept.status == ReleaseStatus.PROVEN),
        key=lambda kept: kept.sequence,
    )
    names = (state.live_release, *reversed(elsewhere), *(kept.id for kept in reversed(proven)))
    found = (state.kept(name) for name in names if name)
    return next((kept for kept in found if kept and not kept.from_backup), None)
