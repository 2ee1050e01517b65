"""Which backup's data belong to a release, and when going back needs them."""

from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.config import BackupData, Environment
from fairlead.errors import GateRefused, UsageError
from fairlead.rollout.observed import Backup, HostState, Observed


@dataclass(frozen=True)
class DataBackup:
    """A backup whose data are to be restored: on each host these."""

    stamp: str
    sequence: int
    data: Mapping[str, tuple[BackupData, ...]]
    left_out: tuple[str, ...] = ()  # declared, and not in the backup


def crossed(observed: Observed, sequence: int) -> tuple[str, ...]:
    """Releases after that one whose migration took away what it needs; oldest first."""
    marked = {release for state in observed.values() for release in state.irreversible}
    return tuple(sorted((one for one in marked if _number(one) > sequence), key=_number))


def refuse_to_cross(observed: Observed, release: str, sequence: int, forward: str = "") -> None:
    """Raise GateRefused when the release cannot work with the data as they are now.

    forward: the way out that needs no older data, where there is one.
    """
    if not (ways := crossed(observed, sequence)):
        return
    raise GateRefused(
        f"the migration of {', '.join(ways)} is irreversible: {release} cannot work with the data "
        "as they are now",
        why=["going back across it means going back to the data of a backup taken before it"],
        state="nothing was changed",
        next_step=f"{forward}inv rollback --to={release} --with-data --plan  (what was written "
        "since that backup is lost)",
        docs="how-to/backups.md#going-back-with-data",
    )


def choose_data(
    environment: Environment, observed: Observed, release: str, sequence: int, stamp: str = ""
) -> DataBackup:
    """The newest backup of a release with its data, on every host that has any; or that `stamp`.

    One taken after an irreversible migration is not before it, whatever release was live.
    Raises UsageError when there is none.
    """
    holders = {name: data for name in observed if (data := environment.data_on(name))}
    if not holders:
        raise UsageError(
            f"no data are declared for {environment.name}, so none can be restored",
            state="nothing was changed",
            next_step="declare [[backup.data]] in deploy/fairlead.toml; see fairlead init "
            "--reference",
        )
    limit = min((_number(one) for one in crossed(observed, sequence)), default=None)
    fitting = [
        backup
        for backup in _everywhere(observed, holders)
        if (backup.stamp == stamp if stamp else backup.release == release)
        and (limit is None or backup.sequence <= limit)
    ]
    if not fitting:
        raise _nothing_fits(observed, release, stamp, limit)
    newest = max(fitting, key=lambda one: (one.sequence, one.stamp))
    return _chosen(newest, observed, holders)


def with_data(state: HostState, stamp: str) -> Backup | None:
    """That backup on a host, if it holds data there."""
    return next((one for one in state.backups if one.stamp == stamp and one.dumps), None)


def dumped(
    state: HostState, stamp: str, declared: tuple[BackupData, ...]
) -> tuple[BackupData, ...]:
    """Those of the declared data that a backup on a host holds."""
    backup = with_data(state, stamp)
    return tuple(one for one in declared if backup and one.name in backup.dumps)


def _everywhere(observed: Observed, holders: Mapping[str, tuple[BackupData, ...]]) -> list[Backup]:
    first = next(iter(holders))
    return [
        backup
        for backup in observed[first].backups
        if all(with_data(observed[name], backup.stamp) for name in holders)
    ]


def _chosen(
    backup: Backup, observed: Observed, holders: Mapping[str, tuple[BackupData, ...]]
) -> DataBackup:
    data = {
        name: dumped(observed[name], backup.stamp, declared) for name, declared in holders.items()
    }
    left_out = tuple(
        one.name for name, declared in holders.items() for one in declared if one not in data[name]
    )
    return DataBackup(backup.stamp, backup.sequence, data, left_out)


def _nothing_fits(observed: Observed, release: str, stamp: str, limit: int | None) -> UsageError:
    what = f"backup {stamp} holds no data" if stamp else f"no backup holds the data of {release}"
    when = "" if limit is None else f" from before the migration of release {limit}"
    return UsageError(
        what + when,
        why=[
            f"{name}: {one.stamp} of {one.release}: {', '.join(one.dumps) or 'no data'}"
            for name, state in observed.items()
            for one in state.backups
        ]
        or ["there is no backup on these hosts"],
        state="nothing was changed",
        next_step="inv backups.list",
    )


def _number(release: str) -> int:
    head = release.partition("-")[0]
    return int(head) if head.isdigit() else 0
