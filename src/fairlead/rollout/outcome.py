"""A roll-out from lock to audit; what came of it is what is seen afterwards, not what was meant."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fairlead.events import Notice, PhaseFinished, PhaseStarted
from fairlead.rollout import audit, failures, journal, serving
from fairlead.rollout.execute import Execution
from fairlead.rollout.interruption import noted
from fairlead.rollout.journal import Run, Turn
from fairlead.rollout.last_look import last_look
from fairlead.rollout.lock import locked, who
from fairlead.rollout.observed import HostState, Observed, fingerprint
from fairlead.rollout.patience import ChangedMeanwhile, LockLost
from fairlead.rollout.plan import Plan
from fairlead.rollout.session import Session
from fairlead.rollout.situation import Situation


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
        error = failures.failed(session, execution, failure, unmade)
        audit.conclude(session, execution, doing, error.kind, error.what)
        raise error


def take_back(session: Session, situation: Situation, plan: Plan, run: Run) -> Outcome:
    """Carry out the plan that undoes a run which never ended.

    Raises LockHeld, LockLost (somebody else has gone on with it), MixedState.
    """
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
        seen = last_look(session.fleet)
        states = {name: s for name, s in seen.items() if isinstance(s, HostState)}
        if failure and execution.fenced:
            raise failures.overtaken(execution, failure.step.name, failure.told, states)
        before = situation.observed
        wrong = [
            name
            for name in situation.hosts
            if name not in states or not serving.serves_as_before(before[name], states[name])
        ]
        if failure or wrong:
            error = failures.not_back(failure, wrong, states, situation)
            audit.conclude(session, execution, doing, error.kind, error.what, ended=False)
            raise error
        audit.conclude(session, execution, doing, "rolled-back", "")
    return _taken_back(session, execution, states)


def _taken_back(session: Session, execution: Execution, states: Mapping[str, HostState]) -> Outcome:
    releases = sorted({state.live_release for state in states.values()} - {""})
    return Outcome(
        release=", ".join(releases) or "nothing",
        previous=(execution.situation.target.release,),
        digests=serving.live_digests(states),
        hosts={name: state.live_release for name, state in states.items()},
        seconds=execution.seconds,
        round_trips=session.fleet.round_trips,
        warnings=execution.plan.notes,
    )


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
        "irreversible": bool(target.migration and target.migration.irreversible),
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
    situation = execution.situation
    observed = _verified(session, execution, doing)
    record = audit.record(session, execution, doing, "done", "")
    tidy = execution.tidy(record)
    if execution.fenced:  # what was seen to serve may be another's work, or gone
        raise _overtaken(session, execution, "tidy")
    warnings = tuple(f"{name}: {'; '.join(lines)}" for name, lines in tidy.items())
    for warning in warnings:
        session.listen(Notice(warning, "warning"))
    unwritten = set(tidy) | set(record) - set(situation.hosts)
    audit.write(session, execution, {name: record[name] for name in sorted(unwritten)})
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


def _verified(session: Session, execution: Execution, doing: str) -> Observed:
    """The last look: the hosts as they are, if they run what was meant. Raises MixedState."""
    listen, situation = session.listen, execution.situation
    started = time.monotonic()
    listen(PhaseStarted("verify", "look again: is that what runs", session.fleet.hosts))
    seen = last_look(session.fleet, situation.observed)
    faults = {name: serving.fault(situation, seen[name]) for name in situation.hosts}
    wrong = {name: fault for name, fault in faults.items() if fault}
    listen(PhaseFinished("verify", not wrong, time.monotonic() - started))
    observed = {name: s for name, s in seen.items() if isinstance(s, HostState)}
    if wrong:
        error = failures.not_as_planned(situation, wrong, observed)
        audit.conclude(session, execution, doing, error.kind, error.what)
        raise _overtaken(session, execution, "verify") if execution.fenced else error
    return observed


def _overtaken(session: Session, execution: Execution, step: str) -> LockLost:
    """Somebody else has gone on from here, or back: what serves is told by another look."""
    seen = last_look(session.fleet)
    states = {name: state for name, state in seen.items() if isinstance(state, HostState)}
    return failures.overtaken(execution, step, (), states)
