"""Copies of backups elsewhere: on another host, or in a folder on this machine.

A copy is streamed, never whole in memory, written beside and renamed, and believed only when its
checksums were read where it is.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fairlead.commands import backup as phrases
from fairlead.commands.script import script
from fairlead.errors import FairleadError, UsageError
from fairlead.model import Command
from fairlead.rollout.backups.folder import unpack
from fairlead.rollout.backups.retention import newest_first
from fairlead.rollout.observed import Backup, Observed
from fairlead.rollout.session import Session
from fairlead.transport.connection import SshSettings
from fairlead.transport.stream import download, upload


@dataclass(frozen=True)
class Copy:
    """One backup of a host, and where its copy goes: `target` is a host, or empty for `folder`."""

    host: str
    stamp: str
    target: str
    folder: str
    bytes: int = 0
    seconds: float = 0.0

    @property
    def place(self) -> str:
        where = f"{self.target}:" if self.target else ""
        return f"{where}{self.folder}/{self.stamp}"


def copies(session: Session, to: str, stamp: str = "") -> list[Copy]:
    """What is to be copied. Raises UsageError: no such host, no folder, no backup."""
    observed = session.fleet.observe()
    chosen = _chosen(observed, stamp)
    if not chosen:
        raise UsageError(
            f"there is no backup {stamp}" if stamp else "there is no backup with data",
            state="nothing was changed",
            next_step="inv backups.list",
        )
    is_host = to in session.fleet.hosts
    if not is_host and "/" not in to:
        raise UsageError(
            f"`{to}` is neither a host of {session.environment.name} nor a folder",
            why=[f"hosts: {', '.join(session.fleet.hosts)}; a folder has a / in it: ./{to}"],
            state="nothing was changed",
            next_step="--to=<one of these hosts>, or --to=/srv/backups",
        )
    base = session.layout.directory + "/copies" if is_host else _folder(session, to)
    return [
        Copy(name, one.stamp, to if is_host else "", f"{base}/{name}")
        for name, one in chosen.items()
        if name != to  # it has it already
    ]


def describe(one: Copy) -> str:
    return f"{one.host}:{one.stamp} → {one.place}"


def copy_all(session: Session, wanted: list[Copy]) -> list[Copy]:
    """Make the copies, one after the other. Raises FairleadError for the first that fails."""
    return [_copy(session, one) for one in wanted]


def _chosen(observed: Observed, stamp: str) -> Mapping[str, Backup]:
    found = {
        name: next((one for one in newest_first(state) if not stamp or one.stamp == stamp), None)
        for name, state in observed.items()
    }
    return {name: one for name, one in found.items() if one}


def _folder(session: Session, to: str) -> str:
    return str((Path(to).expanduser() / session.environment.key).absolute())


def _copy(session: Session, one: Copy) -> Copy:
    began = time.monotonic()
    _checked(session, one)
    source = Command(
        ("tar", "-C", f"{session.layout.directory}/backups", "-cf", "-", one.stamp),
        timeout=6 * 3600.0,
    )
    chunks = download(session.fleet.transports[one.host].host, _settings(session), source)
    if one.target:
        size = upload(
            session.fleet.transports[one.target].host,
            _settings(session),
            _receiver(session, one),
            chunks,
        )
    else:
        size = unpack(chunks, Path(one.folder), one.stamp)
    return Copy(one.host, one.stamp, one.target, one.folder, size, time.monotonic() - began)


def _checked(session: Session, one: Copy) -> None:
    """Raise unless the backup is whole where it comes from."""
    outcome = session.fleet.ask({one.host: (phrases.check(one.stamp),)})[one.host]
    if isinstance(outcome, Exception):
        raise outcome
    if not outcome.ok:
        raise FairleadError(
            f"{one.host}: backup {one.stamp} is not copied",
            why=outcome.err.strip().splitlines()[-3:],
            state="nothing was changed",
            next_step="inv backups.verify",
        )


def _receiver(session: Session, one: Copy) -> Command:
    """Takes the stream on a host: unpacked beside, checked there, renamed."""
    words = Command(("fl_backup_receive", one.folder, one.stamp), stdin=b"", timeout=6 * 3600.0)
    return script((words,), {"FL_TOKEN": "", **session.layout.variables})


def _settings(session: Session) -> SshSettings:
    ssh = session.environment.ssh
    return SshSettings(ssh.key, ssh.known_hosts, ssh.connect_timeout)
