"""What came of a roll-out: followed from what is seen afterwards, never from what was intended."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fairlead.commands import host as phrases
from fairlead.errors import DeployFailed, FairleadError, MixedState, RolledBack
from fairlead.events import Notice, PhaseFinished, PhaseStarted
from fairlead.model import Command
from fairlead.rollout import journal, manifest
from fairlead.rollout.execute import Execution, Failure
from fairlead.rollout.interruption import noted
from fairlead.rollout.journal import Run, Turn
from fairlead.rollout.lock import locked, who
from fairlead.rollout.observed import HostState, Observed, fingerprint
from fairlead.rollout.patience import ChangedMeanwhile, LockLost
from fairlead.rollout.plan import Commands, Plan
from fairlead.rollout.session import Session
from fairlead.rollout.situation import Situation

COMES_BACK = 15.0  # seconds; a dockerd that was killed answers after 3 to 5


@dataclass(frozen=True)
class Outcome:
    """A roll-out that is done: what serves on each host, and how long each step took (seconds)."""

    release: str
    previous: tuple[str, ...]
    digests: Mapping[str, str]
    hosts: Mapping[str, str]
    seconds: Mapping[str, float]
    round_trips: int
    warnings: tuple[str, ...] = field(default=())
    bypass: str = ""


def carry_out(
    session: Session, situation: Situation, plan: Plan, doing: str, resumed: Run | None = None
) -> Outcome:
    """Lock, look again, execute, look once more; undo on the way if a step fails.

    resumed: the run that goes on; its journal is continued. Raises LockHeld, PreconditionError
    (changed meanwhile), DeployFailed, RolledBack, MixedState.
    """
    fleet, environment = session.fleet, session.environment
    run = resumed.id if resumed else journal.new_run()
    opening = journal.opening(run, _headers(session, situation, plan, doing))
    with (
        noted(session.listen) as cancel,
        locked(fleet, environment.lock_lease, doing, opening) as token,
    ):
        _still_the_same(session, situation)
        turn = Turn(token, run, resumed.last if resumed else 0)
        execution = Execution(fleet, situation, plan, turn, cancel, session.listen)
        try:
            failure = execution.run()
        except Exception:  # a bug of ours: leave the hosts as they were all the same
            execution.undo()
            raise
        if failure is None:
            return _succeeded(session, execution, doing)
        unmade = execution.undo()
        error = _failed(session, execution, failure, unmade)
        _audit(session, execution, doing, error.kind, error.what)
        raise error


def take_back(session: Session, situation: Situation, plan: Plan, run: Run) -> Outcome:
    """Carry out the plan that undoes a run which never ended. Raises LockHeld, MixedState."""
    doing = f"rollback of {run.doing}"
    with (
        noted(session.listen) as cancel,
        locked(session.fleet, session.environment.lock_lease, doing) as token,
    ):
        _still_the_same(session, situation)
        turn = Turn(token, run.id, run.last)
        execution = Execution(session.fleet, situation, plan, turn, cancel, session.listen)
        for note in plan.notes:
            session.listen(Notice(note, "warning"))
        failure = execution.run()
        seen = session.fleet.look()
        states = {name: s for name, s in seen.items() if isinstance(s, HostState)}
        wrong = [
            n for n in situation.hosts if n not in states or not _is_back(situation, states[n])
        ]
        if failure or wrong:
            raise _not_back(failure, wrong, states, situation)
        _audit(session, execution, doing, "rolled-back", "")
    return _taken_back(session, execution, states)


def _is_back(situation: Situation, state: HostState) -> bool:
    return _serves_as_before(situation.observed[state.host], state)


def _not_back(
    failure: Failure | None,
    wrong: list[str],
    states: Mapping[str, HostState],
    situation: Situation,
) -> MixedState:
    reasons = failure.reasons if failure else {}
    return MixedState(
        f"{_what(failure)}" if failure else f"{', '.join(wrong)}: not back at what served before",
        why=[f"{name}: {line}" for name, lines in reasons.items() for line in lines],
        state=_table(states),
        next_step="fix what is named, then inv rollback again; or inv rollback --to=<release>",
        facts=_facts(situation, states),
    )


def _taken_back(session: Session, execution: Execution, states: Mapping[str, HostState]) -> Outcome:
    releases = sorted({state.live_release for state in states.values()} - {""})
    return Outcome(
        release=", ".join(releases) or "nothing",
        previous=(execution.situation.target.release,),
        digests=_live_digests(states),
        hosts={name: state.live_release for name, state in states.items()},
        seconds=execution.seconds,
        round_trips=session.fleet.round_trips,
        warnings=execution.plan.notes,
    )


def _live_digests(states: Observed) -> dict[str, str]:
    """Service → digest of what is live, as the hosts' own manifest tells it."""
    kept = next((one for s in states.values() if (one := s.kept(s.live_release))), None)
    images = manifest.images(kept.manifest) if kept else {}
    return {name: image.digest for name, image in images.items()}


def _facts(situation: Situation, states: Observed) -> dict[str, object]:
    """What a script is told of a roll-out that failed: what is live now, and what was wanted."""
    serving = {state.live_release for state in states.values()}
    agreed = serving.pop() if len(serving) == 1 and len(states) == len(situation.observed) else ""
    return {
        "release": agreed or None,
        "digests": _live_digests(states) if agreed else {},
        "hosts": {name: state.live_release for name, state in states.items()},
        "wanted": situation.target.release,
    }


def _headers(session: Session, situation: Situation, plan: Plan, doing: str) -> Mapping[str, str]:
    """What the journal says of this run on each host."""
    target = situation.target
    about = {
        "verb": doing.split()[0],
        "doing": doing,
        "who": who(),
        "release": target.release,
        "tag": target.tag,
        "strategy": plan.strategy or situation.environment.strategy,
        "services": list(target.services),
        "started": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        **{name: plan.audit.get(name, "") for name in ("data_of", "data_before")},
    }
    return {
        name: journal.header(about, plan, situation.state(name).live_slot)
        for name in session.fleet.hosts
    }


def _still_the_same(session: Session, situation: Situation) -> None:
    before, release = situation.seen or situation.observed, situation.target.release
    changed = [
        name
        for name, state in session.fleet.observe(before).items()
        if fingerprint(state, release) != fingerprint(before[name], release)
    ]
    if changed:
        raise ChangedMeanwhile(
            f"{', '.join(changed)} changed between the plan and the lock",
            state="nothing was changed by this command",
            next_step="look (inv status), then repeat the command",
        )


def _succeeded(session: Session, execution: Execution, doing: str) -> Outcome:
    listen, situation = session.listen, execution.situation
    started = time.monotonic()
    listen(PhaseStarted("verify", "look again: is that what runs", session.fleet.hosts))
    seen = _seen_in_the_end(session, situation.observed)
    observed = {name: s for name, s in seen.items() if isinstance(s, HostState)}
    wrong = {
        name: fault
        for name in situation.hosts
        if (fault := _fault(situation, seen[name])) is not None
    }
    listen(PhaseFinished("verify", not wrong, time.monotonic() - started))
    if wrong:
        error = MixedState(
            "the hosts do not run what was rolled out",
            why=[f"{name}: {fault}" for name, fault in wrong.items()],
            state=_table(observed),
            next_step="inv status",
            facts=_facts(situation, observed),
        )
        _audit(session, execution, doing, error.kind, error.what)
        raise error
    record = _record(session, execution, doing, "done", "")
    tidy = execution.tidy(record)
    warnings = tuple(f"{name}: {'; '.join(lines)}" for name, lines in tidy.items())
    for warning in warnings:
        listen(Notice(warning, "warning"))
    unwritten = set(tidy) | set(record) - set(situation.hosts)
    _write(session, execution, {name: record[name] for name in sorted(unwritten)})
    return Outcome(
        release=situation.target.release,
        previous=tuple(sorted({s.live_release for s in situation.observed.values()} - {""})),
        digests={name: image.digest for name, image in situation.target.images.items()},
        hosts={name: state.live_release for name, state in observed.items()},
        seconds=execution.seconds,
        round_trips=session.fleet.round_trips,
        warnings=warnings,
        bypass=situation.target.bypass,
    )


def _seen_in_the_end(session: Session, before: Observed) -> Mapping[str, HostState | FairleadError]:
    """The last look; an engine that is just being restarted is given time to come back."""
    give_up = time.monotonic() + COMES_BACK
    while True:
        seen = session.fleet.look(before)
        if not any(isinstance(state, FairleadError) for state in seen.values()):
            return seen
        if time.monotonic() > give_up:
            return seen
        time.sleep(1.0)


def _fault(situation: Situation, state: HostState | FairleadError) -> str | None:
    """What differs on a host from the target: slot, release, digests."""
    if isinstance(state, FairleadError):
        return state.what
    wanted = situation.new_slot(state.host)
    if not state.live or state.live.share or state.live_slot != wanted:
        return f"the router serves {state.live or 'nothing'}, not {wanted}"
    images = situation.target.images
    running = [c for c in state.slot(wanted) if c.running]
    for service, count in situation.part(state.host).replicas.items():
        here = [c for c in running if c.service == service]
        if len(here) != count:
            return f"{len(here)} of {count} containers of {service} run"
        for container in here:
            if container.release != situation.target.release:
                return f"{container.name} is of release {container.release}"
            if container.image != images[service].pinned:
                return f"{container.name} runs {container.image}"
    return None


def _failed(
    session: Session,
    execution: Execution,
    failure: Failure,
    unmade: Mapping[str, tuple[str, ...]],
) -> FairleadError:
    """The error that tells a failed roll-out as it is now, by what is observed."""
    before = execution.situation.observed
    seen = session.fleet.look()
    states = {name: s for name, s in seen.items() if isinstance(s, HostState)}
    lost = sorted(set(seen) - set(states))
    moved = [n for n, s in states.items() if not _serves_as_before(before[n], s)]
    why = [f"{n}: {line}" for n, lines in failure.reasons.items() for line in lines]
    why += [f"{n}: could not be undone: {line}" for n, lines in unmade.items() for line in lines]
    facts = _facts(execution.situation, states)
    if failure.fenced and set(moved) <= failure.fenced and not lost:
        return _overtaken(failure, why, states)
    if moved or (lost and execution.after_switch):
        return MixedState(
            f"{_what(failure)}, and not every host is back at what it served before",
            why=[*why, *(f"{name}: does not answer" for name in lost)],
            state=_table(states),
            next_step="inv status; then inv rollback --to=<release>, or fix the hosts named",
            facts=facts,
        )
    why += _data_lost(execution)
    kind = RolledBack if execution.after_switch else DeployFailed
    end = ": every host is back at what it served before" if execution.after_switch else ""
    return kind(
        _what(failure) + end,
        why=why,
        state=_table(states) or "no release is serving",
        next_step="inv logs, inv status; then deploy again",
        facts=facts,
    )


def _data_lost(execution: Execution) -> list[str]:
    """What an irreversible migration that was begun means for the release that serves."""
    target = execution.situation.target
    migration = target.migration
    begun = any(step.name == "migrate" for step in execution.begun)
    if not (migration and migration.irreversible and begun):
        return []
    way = f"inv rollback --to={target.stamp} --with-data" if target.dump else "no backup has them"
    return [
        f"the migration of {target.release} is irreversible and was begun: what serves has the "
        f"data as it left them; those from before: {way}"
    ]


def _overtaken(failure: Failure, why: list[str], states: Mapping[str, HostState]) -> FairleadError:
    """This command slept, or was cut off, for longer than its lease; the hosts are another's."""
    return LockLost(
        f"the lock was lost on {' and '.join(sorted(failure.fenced))} before `{failure.step.name}`",
        why=why,
        state=f"this command changed nothing after that; {_table(states)}",
        next_step="inv status shows who is at work; then repeat the command if it is still wanted",
    )


def _what(failure: Failure) -> str:
    if failure.interrupted:
        return f"interrupted at `{failure.step.name}`"
    where = " and ".join(name if name == "here" else f"on {name}" for name in failure.reasons)
    return f"`{failure.step.name}` failed {where} ({failure.step.title})"


def _serves_as_before(before: HostState, now: HostState) -> bool:
    """The slot that was live has all the traffic, and runs the releases it ran."""
    if not before.live_slot:
        return now.live is None
    share = now.live.share if now.live else 0
    return (now.live_slot, share) == (before.live_slot, 0) and _running(now, before.live_slot) == (
        _running(before, before.live_slot)
    )


def _running(state: HostState, slot: str) -> set[str]:
    return {container.release for container in state.slot(slot) if container.running}


def _table(observed: Observed) -> str:
    """Each host with what it serves, in one line."""
    return " · ".join(
        f"{name} serves {state.live_release or 'nothing'}" for name, state in observed.items()
    )


def _audit(session: Session, execution: Execution, doing: str, outcome: str, why: str) -> None:
    """A line in each host's audit.jsonl, and the journal's end; a failure here changes nothing."""
    _write(session, execution, _record(session, execution, doing, outcome, why))


def _record(
    session: Session, execution: Execution, doing: str, outcome: str, why: str
) -> dict[str, tuple[Command, ...]]:
    situation, run = execution.situation, execution.turn.run
    bypass = situation.target.bypass
    record: dict[str, tuple[Command, ...]] = {}
    for name in session.fleet.hosts:
        line = json.dumps(
            {
                "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "event": doing.split()[0],
                "release": situation.target.release,
                "from": situation.state(name).live_release,
                "outcome": outcome,
                "why": session.redact(why),
                **({"bypass": session.redact(bypass)} if bypass else {}),
                "who": who(),
                **execution.plan.audit,
                "run": run,
            }
        )
        record[name] = (phrases.audit(line), phrases.journal_end(run, outcome))
    return record


def _write(session: Session, execution: Execution, record: Commands) -> None:
    if not record:
        return
    for name, result in session.fleet.act("end", record, execution.turn, quiet=True).items():
        if isinstance(result, Exception) or not result.ok:
            session.listen(Notice(f"{name}: the audit line could not be written", "warning"))
