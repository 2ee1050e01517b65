"""What is said to a host about backups with data: calls of the functions in backup.sh, as argv."""

from fairlead.config import BackupData
from fairlead.model import Command

BRIEF = 600.0


def begin(stamp: str, release: str, sequence: int) -> Command:
    return Command(("fl_backup_begin", stamp, release, str(sequence)))


def data(stamp: str, one: BackupData, *, required: bool) -> Command:
    """Dump one thing into a backup that was begun."""
    need = "required" if required else "optional"
    words = ("fl_backup_data", stamp, one.name, need, _kind(one), one.service, *one.details)
    return Command(words, timeout=one.timeout)


def end(stamp: str) -> Command:
    return Command(("fl_backup_end", stamp), timeout=BRIEF)


def drop(stamp: str) -> Command:
    """Nothing is left of a backup that did not come to its end; one that did stays."""
    return Command(("fl_backup_drop", stamp))


def check(stamp: str, *names: str) -> Command:
    """Fail, saying why, unless the backup is whole, unharmed, ours, and has these data."""
    return Command(("fl_backup_check", stamp, *names), timeout=BRIEF)


def restore(stamp: str, one: BackupData) -> Command:
    words = ("fl_backup_restore", stamp, one.name, _kind(one), one.service, *one.details)
    return Command(words, timeout=one.timeout)


def give_back(stamp: str, one: BackupData) -> Command:
    """Undo of `restore`, if that was done: the data of the backup taken just before it."""
    words = ("fl_backup_return", stamp, one.name, _kind(one), one.service, *one.details)
    return Command(words, timeout=one.timeout)


def restored(sequence: int, *names: str) -> Command:
    """The data are those from before deploy `sequence`: its migration is no obstacle any more."""
    return Command(("fl_backup_restored", str(sequence), *names))


def try_out(stamp: str, one: BackupData) -> Command:
    """Restore one dump into a throwaway container and ask it what `verify` says."""
    words = ("fl_backup_try", stamp, one.name, _kind(one), one.service, one.verify, *one.details)
    return Command(words, timeout=one.timeout)


def remove(*stamps: str) -> Command:
    return Command(("fl_backup_remove", *stamps), timeout=BRIEF)


def _kind(one: BackupData) -> str:
    """The shell function that knows the kind; named whole, so that a script carries it."""
    return f"fl_kind_{one.kind}"
