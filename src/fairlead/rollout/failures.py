"""The error that tells a failed roll-out: what failed, and what serves now, by what is observed."""

from collections.abc import Mapping, Sequence

from fairlead.errors import DeployFailed, FairleadError, MixedState, RolledBack
from fairlead.rollout import serving
from fairlead.rollout.execute import Execution, Failure
from fairlead.rollout.last_look import last_look
from fairlead.rollout.observed import HostState, Observed
from fairlead.rollout.patience import LockLost
from fairlead.rollout.session import Session
from fairlead.rollout.situation import Situation

NOT_SWITCHED = " · nothing was switched"


def failed(
    session: Session,
    execution: Execution,
    failure: Failure,
    unmade: Mapping[str, tuple[str, ...]],
) -> FairleadError:
    """A step failed, and what was begun was undone: is every host back at what it served?

    unmade: what could not be undone, by host. It is a DeployFailed, RolledBack, MixedState or
    LockLost.
    """
    before = execution.situation.observed
    seen = last_look(session.fleet)
    states = {name: s for name, s in seen.items() if isinstance(s, HostState)}
    lost = sorted(set(seen) - set(states))
    moved = [n for n, s in states.items() if not serving.serves_as_before(before[n], s)]
    why = failure.told
    why += [f"{n}: could not be undone: {line}" for n, lines in unmade.items() for line in lines]
    why += _data_lost(execution)
    facts = serving.facts(execution.situation, states)
    if execution.fenced and set(moved) <= execution.fenced and not lost:
        return overtaken(execution, failure.step.name, why, states)
    if moved or execution.stuck or (lost and execution.after_switch):
        return MixedState(
            f"{_what(failure)}, and not every host is back at what it served before",
            why=[*why, *(f"{name}: does not answer" for name in lost)],
            state=serving.table(states, before),
            next_step=_next_step(execution),
            facts=facts,
        )
    kind = RolledBack if execution.after_switch else DeployFailed
    end = ": every host is back at what it served before" if execution.after_switch else ""
    return kind(
        _what(failure) + end,
        why=why,
        state=serving.table(states, before) + (NOT_SWITCHED if lost else ""),
        next_step=_again(failure, execution, lost),
        facts=facts,
    )


def _again(failure: Failure, execution: Execution, lost: list[str]) -> str:
    """What helps now: the new containers are gone, so `inv logs` would show the old ones."""
    if lost:
        return f"inv status, once {' and '.join(lost)} can be reached; then deploy again"
    if failure.interrupted:
        return "inv status, then deploy again"
    said = "correct what is told above"
    if failure.step.name == "migrate":
        said += f" (all that the migration said: {execution.record('migrate')})"
    gone = "; the new containers are gone" if failure.evidence else ""
    if gone and any(state.live_release for state in execution.situation.observed.values()):
        gone += ", inv logs shows what serves"
    return f"{said}, then deploy again{gone}"


def _next_step(execution: Execution) -> str:
    if execution.data_unknown:
        return "fix what is named, then inv rollback: it brings the data back, then their release"
    return f"inv status; then {_to(execution.situation)}, or fix the hosts named"


def _to(situation: Situation) -> str:
    """The command that brings every host to what all of them served before."""
    before = {state.live_release for state in situation.observed.values()}
    release = before.pop() if len(before) == 1 else ""
    return f"inv rollback --to={release or '<release>'}"


def not_back(
    failure: Failure | None,
    wrong: list[str],
    states: Mapping[str, HostState],
    situation: Situation,
) -> MixedState:
    """Undoing an unfinished run did not bring these hosts back."""
    return MixedState(
        f"{_what(failure)}" if failure else f"{', '.join(wrong)}: not back at what served before",
        why=failure.told if failure else [],
        state=serving.table(states, situation.observed),
        next_step=f"fix what is named, then inv rollback again; or {_to(situation)}",
        facts=serving.facts(situation, states),
    )


def not_as_planned(situation: Situation, wrong: Mapping[str, str], states: Observed) -> MixedState:
    """Every step went well, and yet a host runs something else. wrong: what, by host."""
    return MixedState(
        "the hosts do not run what was rolled out",
        why=[f"{name}: {fault}" for name, fault in wrong.items()],
        state=serving.table(states, situation.observed),
        next_step="inv status",
        facts=serving.facts(situation, states),
    )


def overtaken(
    execution: Execution, step: str, why: Sequence[str], states: Mapping[str, HostState]
) -> LockLost:
    """This command slept, or was cut off, for longer than its lease; the hosts are another's."""
    return LockLost(
        f"the lock was lost on {' and '.join(sorted(execution.fenced))} at `{step}`",
        why=why,
        state=f"this command changed nothing after that; {serving.table(states)}",
        next_step="inv status shows who is at work; then repeat the command if it is still wanted",
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


def _what(failure: Failure) -> str:
    if failure.interrupted:
        return f"interrupted at `{failure.step.name}`"
    where = " and ".join(name if name == "here" else f"on {name}" for name in failure.reasons)
    return f"`{failure.step.name}` failed {where} ({failure.step.title})"
