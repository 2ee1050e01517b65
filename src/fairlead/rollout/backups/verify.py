"""Is there a backup that could be restored now? Asked every day, before anybody needs it."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.commands import backup as phrases
from fairlead.config import BackupData
from fairlead.errors import FairleadError
from fairlead.model import Command, Result
from fairlead.rollout.fleet import Outcome
from fairlead.rollout.observed import Backup, HostState, Observed
from fairlead.rollout.session import Session


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `checked` or `restored`; why is empty when it is well."""

    host: str
    stamp: str
    what: str
    why: str = ""
    note: str = ""

    @property
    def ok(self) -> bool:
        return not self.why


def verify(session: Session, stamp: str = "", *, restore: bool = False) -> list[Finding]:
    """Look at the newest backup with data on each host that has any (or at `stamp`).

    Its age, its files and checksums; with `restore`, each dump in a throwaway container. A host
    where data are declared and none is backed up is a finding, not a pass; so is one that does not
    answer.
    """
    seen = session.fleet.look()
    observed = {name: state for name, state in seen.items() if isinstance(state, HostState)}
    chosen, findings = _chosen(session, observed, stamp)
    findings += [
        Finding(name, stamp or "-", "checked", f"cannot be looked at: {error.what}")
        for name, error in seen.items()
        if isinstance(error, FairleadError) and session.environment.data_on(name)
    ]
    outcomes = session.fleet.ask(_check(session, chosen))
    sound = {}
    for name, outcome in outcomes.items():
        backup = chosen[name]
        why = _said(outcome) or _too_old(session, observed[name], backup, stamp)
        note = f"{', '.join(backup.dumps) or 'files only'}, {_age(observed[name], backup)}"
        findings.append(Finding(name, backup.stamp, "checked", why, note))
        if not _said(outcome):
            sound[name] = backup
    return findings + (_tried(session, sound) if restore else [])


def plan_verify(
    session: Session, stamp: str = "", *, restore: bool = False
) -> dict[str, tuple[Command, ...]]:
    """What `verify` would ask each host."""
    chosen, _ = _chosen(session, session.fleet.observe(), stamp)
    return {
        name: (
            *_check(session, chosen)[name],
            *(
                phrases.try_out(backup.stamp, one)
                for one in session.environment.data_on(name)
                if restore and one.name in backup.dumps
            ),
        )
        for name, backup in chosen.items()
    }


def _check(session: Session, chosen: Mapping[str, Backup]) -> dict[str, tuple[Command, ...]]:
    return {
        name: (phrases.check(backup.stamp, *_names(session, name)),)
        for name, backup in chosen.items()
    }


def _chosen(
    session: Session, observed: Observed, stamp: str
) -> tuple[dict[str, Backup], list[Finding]]:
    """The backup to look at on each host with data; and what is missing."""
    chosen, missing = {}, []
    for name, state in observed.items():
        if not session.environment.data_on(name) and not stamp:
            continue
        found = _named(state, stamp) if stamp else _newest(state)
        if found:
            chosen[name] = found
        elif session.environment.data_on(name):
            why = "there is no such backup" if stamp else "there is no backup with data"
            missing.append(Finding(name, stamp or "-", "checked", why))
    return chosen, missing


def _newest(state: HostState) -> Backup | None:
    """The last that was taken, be its record whole or not: an older one is no stand-in for it."""
    held = [one for one in state.backups if one.broken or one.dumps]
    return max(held, key=lambda one: (one.sequence, one.stamp), default=None)


def _named(state: HostState, stamp: str) -> Backup | None:
    """That backup; one whose own records are gone is looked at all the same."""
    known = next((one for one in state.backups if one.stamp == stamp), None)
    return known or Backup(stamp, "", 0)


def _names(session: Session, host: str) -> tuple[str, ...]:
    return tuple(one.name for one in session.environment.data_on(host))


def _too_old(session: Session, state: HostState, backup: Backup, stamp: str) -> str:
    """An old one may be looked at by name; as the newest it is a finding."""
    if backup.broken:
        return "its data/manifest.json cannot be read"
    limit = session.environment.backup.max_age
    age = state.clock - backup.taken
    if stamp or age <= limit:
        return ""
    return f"it is {age / 3600:.1f} h old, at most {limit / 3600:.4g} h are allowed"


def _age(state: HostState, backup: Backup) -> str:
    return f"{(state.clock - backup.taken) / 3600:.1f} h old" if backup.taken else "no data"


def _said(outcome: Outcome) -> str:
    """Why it failed, in the host's words; nothing when it did not."""
    if isinstance(outcome, Result):
        lines = [line for line in outcome.err.splitlines() if line.strip()]
        return "" if outcome.ok else "; ".join(lines[-3:]) or f"exit code {outcome.code}"
    return str(outcome)


def _tried(session: Session, chosen: Mapping[str, Backup]) -> list[Finding]:
    findings = []
    for name, backup in chosen.items():
        for one in session.environment.data_on(name):
            if one.name in backup.dumps:
                command = phrases.try_out(backup.stamp, one)
                outcome = session.fleet.ask({name: (command,)})[name]
                findings.append(_judged(session, name, backup.stamp, one, outcome))
    return findings


def _judged(session: Session, host: str, stamp: str, one: BackupData, outcome: Outcome) -> Finding:
    """What the restored copy answered, beside what it must answer."""
    what = f"restored {one.name}"
    if not isinstance(outcome, Result) or not outcome.ok:
        return Finding(host, stamp, what, _said(outcome))
    answer = session.redact(_answer(outcome))
    asked = one.verify or "(nothing)"
    if re.fullmatch(one.expect, answer, re.DOTALL):
        return Finding(host, stamp, what, note=f"{asked} → {answer[:60]}")
    why = f"{asked} → {answer[:200]!r}, which is not {one.expect!r}"
    return Finding(host, stamp, what, why)


def _answer(outcome: Result) -> str:
    for line in outcome.out.splitlines():
        if line.startswith("@tried "):
            return base64.b64decode(line.split(" ")[3]).decode("utf-8", "replace").strip()
    return ""
