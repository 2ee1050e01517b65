"""Forward out of an unfinished run: the same strategy plans again from the hosts as the run found
them, and what is done is left out."""

from collections.abc import Iterable
from dataclasses import replace

from fairlead.errors import PreconditionError, UsageError
from fairlead.model import Step
from fairlead.rollout.backups.choice import choose_data
from fairlead.rollout.compile import migration_of
from fairlead.rollout.journal import Run
from fairlead.rollout.observed import HostState, Observed
from fairlead.rollout.plan import Plan
from fairlead.rollout.session import Session
from fairlead.rollout.situation import Situation
from fairlead.rollout.strategies import STRATEGIES, restoring
from fairlead.rollout.target import Target
from fairlead.rollout.unfinished import (
    Unfinished,
    as_found,
    find_unfinished,
    is_half,
    look,
    refuse_unknown_data,
    target_of,
)


def plan_resume(session: Session) -> tuple[Situation, Plan, Run | None]:
    """The plan that finishes what was left unfinished; and the run that it continues.

    None for the run: it got so little done that its deploy begins anew. Raises UsageError when
    there is nothing to resume, PreconditionError when it can only be taken back.
    """
    observed = look(session)
    found = find_unfinished(observed)
    if found is None:
        raise UsageError(
            "no deploy was left unfinished",
            state="nothing was changed",
            next_step="inv status",
        )
    _refuse_backward(found)
    if not found.restoring:
        refuse_unknown_data(observed)
    run = found.run
    if not all(observed[name].kept(run.release) for name in found.runs):
        return _anew(session, found)
    if run.verb == "deploy":
        _refuse_changed(session, observed, found)
    before = as_found(observed, found)
    target = _rest_of(target_of(observed, found), before)
    if run.verb == "deploy" and not any(one.carried_out("migrate") for one in found.runs.values()):
        target = replace(target, migration=migration_of(session.environment))
    situation = Situation(
        session.environment, before, target, session.layout, seen=observed, resumed=run.id
    )
    switched = [name for name in found.runs if _switched(observed[name], found.runs[name])]
    if run.data_of:
        plan = _recorded(situation, run)
    else:
        plan = _continued(STRATEGIES[run.strategy](situation), switched)
    header = {
        "environment": session.environment.name,
        "resumes": found.told(),
        "release": run.release,
        "switched already": ", ".join(switched) or "no host",
    }
    return situation, replace(plan, header=header, strategy=run.strategy), run


def _refuse_backward(found: Unfinished) -> None:
    """Raise PreconditionError when there is no way but back."""
    run = found.run
    if found.turned_back:
        raise PreconditionError(
            f"{found.told()}: it had failed, and was turning back",
            state="nothing was changed by this command",
            next_step="inv rollback goes on with that",
        )
    if run.data_of and not found.data_are_back:
        raise PreconditionError(
            f"{found.told()}: a rollback with data is not resumed before both were back",
            state="nothing was changed by this command",
            next_step=f"{run.ways_out}; then inv rollback --to={run.data_of} --with-data again",
        )


def _refuse_changed(session: Session, observed: Observed, found: Unfinished) -> None:
    """Raise PreconditionError when the configuration is not the one that the deploy began with.

    Its files are on the hosts; its migration, checks and timeouts are only here.
    """
    kept = [one for name in found.runs if (one := observed[name].kept(found.run.release))]
    if all(one.manifest["config_hash"] == session.environment.config_hash for one in kept):
        return
    raise PreconditionError(
        f"{found.told()}, and the configuration or env files here have changed since",
        state="nothing was changed by this command",
        next_step="bring back those that it began with (git stash, git checkout) and repeat this; "
        "or inv rollback takes it back, and then deploy again",
        docs="how-to/after-a-crash.md",
    )


def _anew(session: Session, found: Unfinished) -> tuple[Situation, Plan, None]:
    """Not every host has the release's files: nothing was started, so there is nothing to keep."""
    from fairlead.rollout.deploy import plan_deploy

    run = found.run
    if run.verb != "deploy" or found.touched:
        raise PreconditionError(
            f"{found.told()}, and not every host has the files of {run.release}",
            state="nothing was changed by this command",
            next_step="inv rollback takes it back",
        )
    return *plan_deploy(session, run.tag, run.services), None


def _switched(state: HostState, run: Run) -> bool:
    """Whether all its traffic goes to the run's release already."""
    there = bool(state.live_slot) and state.live_slot != run.live and not is_half(state)
    return there and state.live_release == run.release


def _rest_of(target: Target, before: Observed) -> Target:
    """The target without the hosts that served it when the run began, and go on with it."""
    hosts = {
        n: part for n, part in target.hosts.items() if before[n].live_release != target.release
    }
    return replace(target, hosts=hosts)


def _recorded(situation: Situation, run: Run) -> Plan:
    """What is left of a rollback with data whose release and data are back: to say so."""
    observed, target = situation.observed, situation.target
    chosen = choose_data(
        situation.environment, observed, target.release, target.sequence, run.data_of
    )
    audit = {"data_of": run.data_of, "data_before": run.data_before}
    return replace(restoring.plan(situation, chosen), steps=(), audit=audit)


def _continued(plan: Plan, switched: Iterable[str]) -> Plan:
    """The plan without what lies before the switch on hosts that have switched."""
    through = {name: _last_switch(plan, name) for name in switched}
    steps: list[Step] = []
    done: list[Step] = []
    for index, one in enumerate(plan.steps):
        past = {name for name, last in through.items() if index <= last}
        before, rest = _only(one, past), _only(one, set(one.commands) - past)
        if before.commands:
            done.append(before)
        if rest.commands or not one.commands:
            steps.append(rest)
    return replace(plan, steps=tuple(steps), done=tuple(done))


def _last_switch(plan: Plan, name: str) -> int:
    return max(
        index
        for index, one in enumerate(plan.steps)
        if any(command.argv[0] == "fl_switch" for command in one.commands.get(name, ()))
    )


def _only(one: Step, names: set[str]) -> Step:
    """A step on some of its hosts."""
    return replace(
        one,
        commands={name: words for name, words in one.commands.items() if name in names},
        undo={name: words for name, words in one.undo.items() if name in names},
    )
