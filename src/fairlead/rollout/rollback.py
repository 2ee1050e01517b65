"""`rollback`: which release is the right one to go back to, and the plan that goes there.

The road is the strategies' own. The target's files, images, env and routes come from what the
hosts kept, so nothing of today's configuration or registry can get into it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fairlead.errors import FairleadError, UsageError
from fairlead.model import ReleaseStatus
from fairlead.rollout import manifest, preconditions, shared_router
from fairlead.rollout.backups.choice import choose_data, refuse_to_cross
from fairlead.rollout.backups.take import new_stamp
from fairlead.rollout.observed import HostState, KeptRelease, Observed
from fairlead.rollout.plan import Plan
from fairlead.rollout.session import Session
from fairlead.rollout.situation import Situation
from fairlead.rollout.strategies import STRATEGIES, restoring
from fairlead.rollout.target import HostTarget, Target
from fairlead.rollout.unfinished import refuse_half_restored


@dataclass(frozen=True)
class Candidate:
    """A release that was proven and that every host still has; `stamps` are its backups."""

    release: str
    sequence: int
    tag: str
    created: str
    status: str
    stamps: tuple[str, ...]
    live: bool


def candidates(observed: Observed) -> list[Candidate]:
    """Releases kept on every host that was ever deployed to, newest first; the live one too."""
    holders = {name: state for name, state in observed.items() if state.releases}
    first = next(iter(holders.values()), None)
    if first is None:
        return []
    found = []
    for kept in first.releases:
        if all(state.kept(kept.id) for state in holders.values()):
            found.append(_candidate(kept, holders))
    return sorted(found, key=lambda one: one.sequence, reverse=True)


def _candidate(kept: KeptRelease, observed: Observed) -> Candidate:
    states = list(observed.values())
    stamps = {b.stamp for s in states for b in s.backups if b.release == kept.id}
    statuses = {other.status for s in states if (other := s.kept(kept.id))}
    worst = next((s for s in reversed(ReleaseStatus) if s in statuses), kept.status)
    return Candidate(
        kept.id,
        kept.sequence,
        kept.tag,
        str(kept.manifest.get("created", "")),
        worst.value,
        tuple(sorted(stamps, reverse=True)),
        any(kept.id in state.serving for state in states),
    )


def without_way_back(observed: Observed) -> tuple[str, ...]:
    """Hosts by which a deploy to all of these could not be rolled back: they joined since the last.

    None where a proven release is on all of them, or where nothing is live yet.
    """
    live = {state.live_release for state in observed.values()} - {""}
    proven = {
        name: {kept.id for kept in state.releases if kept.status == ReleaseStatus.PROVEN}
        for name, state in observed.items()
    }
    if not live or set.intersection(*proven.values()):
        return ()
    return tuple(sorted(name for name, ids in proven.items() if not ids & live))


def choose(observed: Observed, to: str = "") -> Candidate:
    """The candidate named by timestamp, release or tag; without a name the one before the live.

    Of several with one tag it is the newest that was proven and is not live. "Before" is by
    sequence, among proven releases: one that was rolled back is never chosen, so two rollbacks in a
    row never return to a bad release. Raises UsageError listing what there is.
    """
    found = candidates(observed)
    if to:
        named = [c for c in found if to in (c.release, c.tag) or to in c.stamps]
        if not named:
            raise _unknown(to, found)
        return min(named, key=lambda c: (c.live, c.status != ReleaseStatus.PROVEN))
    newest = max((c.sequence for c in found if c.live), default=None)
    older = [
        c
        for c in found
        if c.status == ReleaseStatus.PROVEN and (newest is None or c.sequence < newest)
    ]
    if not older:
        raise _nothing_older(found)
    return older[0]


def plan_rollback(
    session: Session, to: str = "", *, with_data: bool = False
) -> tuple[Situation, Plan]:
    """The plan that makes an older release live again; with_data: on the data it had.

    Raises GateRefused when it could not work with the data as they are, UsageError when there is
    no such release or no backup of its data.
    """
    environment = session.environment
    observed = session.fleet.observe()
    preconditions.check_lock(observed)
    preconditions.check_hosts(environment, observed)
    chosen = choose(observed, to)
    if with_data:
        return _with_data(session, observed, chosen, to)
    refuse_half_restored(observed)
    refuse_to_cross(observed, chosen.release, chosen.sequence)
    target = _target(observed, chosen)
    if all(_serves_whole(s, chosen.release) for s in observed.values() if s.releases):
        raise _live_already(chosen, environment.name)
    shared_router.refuse_another(environment, observed, target)
    situation = Situation(environment, observed, target, session.layout)
    strategy = _strategy(session, situation)
    plan = STRATEGIES[strategy](situation)
    header = {
        "environment": environment.name,
        "release": target.release,
        "live now": ", ".join(sorted({s.live_release or "nothing" for s in observed.values()})),
        "road": "switch only" if _all_warm(situation) else "start, prove, switch",
    }
    notes = tuple(shared_router.announced(situation))
    return situation, Plan(plan.steps, plan.tidy, notes, header, strategy=strategy)


def _with_data(
    session: Session, observed: Observed, chosen: Candidate, to: str
) -> tuple[Situation, Plan]:
    """The release may be live already: then only its data go back."""
    environment = session.environment
    stamp = to if to in chosen.stamps else ""
    data = choose_data(environment, observed, chosen.release, chosen.sequence, stamp)
    target = replace(_target(observed, chosen), stamp=new_stamp(observed), dump=True)
    shared_router.refuse_another(environment, observed, target)
    situation = Situation(environment, observed, target, session.layout)
    plan = restoring.plan(situation, data)
    header = {
        "environment": environment.name,
        "release": target.release,
        "live now": ", ".join(sorted({s.live_release or "nothing" for s in observed.values()})),
        "road": "stop, restore, start, prove, switch",
        "data of": data.stamp,
        "data before": f"kept as backup {target.stamp}",
    }
    notes = [f"{name}: not in backup {data.stamp}; stays as it is" for name in data.left_out]
    notes += shared_router.announced(situation)
    audit = {"data_of": data.stamp, "data_before": target.stamp}
    return situation, Plan(plan.steps, plan.tidy, tuple(notes), header, audit)


def _strategy(session: Session, situation: Situation) -> str:
    """A rollback is all at once: what is live is bad, so batches would only prolong it."""
    declared = session.environment.strategy
    return "recreate" if declared == "recreate" and not _all_warm(situation) else "blue-green"


def _all_warm(situation: Situation) -> bool:
    return all(situation.is_warm(name) for name in situation.hosts)


def _target(observed: Observed, chosen: Candidate) -> Target:
    """The chosen release, for the hosts that do not serve it yet."""
    kept = {name: one for name, s in observed.items() if (one := s.kept(chosen.release))}
    parts = {
        name: HostTarget.of_manifest(name, one.manifest)
        for name, one in kept.items()
        if observed[name].live_release != chosen.release
    }
    restore = {
        name: backup.stamp
        for name in parts
        for backup in observed[name].backups
        if backup.release == chosen.release and kept[name].from_backup
    }
    kept_manifest = next(iter(kept.values())).manifest
    return Target(
        chosen.release,
        chosen.sequence,
        chosen.tag,
        manifest.images(kept_manifest),
        parts,
        restore=restore,
        bypass=str(kept_manifest.get("bypass", "")),
    )


def _serves_whole(state: HostState, release: str) -> bool:
    return state.serving == (release,)


def _live_already(chosen: Candidate, name: str) -> UsageError:
    return UsageError(
        f"{chosen.release} is live already",
        state="nothing was changed",
        next_step=f"inv rollback --list --env={name}",
    )


def _unknown(to: str, found: Iterable[Candidate]) -> UsageError:
    return UsageError(
        f"no release, tag or backup `{to}` is kept on the hosts",
        why=_listed(found),
        state="nothing was changed",
        next_step="inv rollback --to=<one of these>",
    )


def _nothing_older(found: Iterable[Candidate]) -> FairleadError:
    return FairleadError(
        "there is no older proven release to go back to",
        why=_listed(found),
        state="nothing was changed",
        next_step="inv rollback --to=<one of these>, or inv deploy --tag=<a good one>",
    )


def _listed(found: Iterable[Candidate]) -> list[str]:
    lines = [
        f"{c.release}  {c.tag}  {c.status}{' (live)' if c.live else ''}  {' '.join(c.stamps)}"
        for c in found
    ]
    return lines or ["no release is kept on these hosts"]
