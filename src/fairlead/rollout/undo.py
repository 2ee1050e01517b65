"""Back out of an unfinished run: traffic to what was live before, and what was begun is removed."""

from fairlead.commands import compose, host, router
from fairlead.errors import PreconditionError
from fairlead.model import Command, ReleaseStatus, Step
from fairlead.rollout.backups.choice import crossed, dumped, refuse_to_cross
from fairlead.rollout.journal import Run
from fairlead.rollout.observed import HostState, Observed
from fairlead.rollout.plan import Plan, in_order, step
from fairlead.rollout.session import Session
from fairlead.rollout.situation import Situation
from fairlead.rollout.strategies import restoring, slots
from fairlead.rollout.strategies.revival import revived
from fairlead.rollout.target import HostTarget
from fairlead.rollout.unfinished import (
    Unfinished,
    as_found,
    find_unfinished,
    look,
    refuse_unknown_data,
    target_of,
)

TAKEN_BACK = ("failed", "rolled-back")  # ends of a run that left nothing behind on a host


def plan_undo(session: Session, *, any_: bool) -> tuple[Situation, Plan, Run] | None:
    """The plan that takes back what was left unfinished; None when nothing was.

    any_: also a run that changed nothing that serves. Raises GateRefused when the release before
    cannot work with the data as the run's migration left them; one that was turning back by itself
    goes on with that, and says so.
    """
    observed = look(session)
    found = find_unfinished(observed)
    if found is None or not (found.touched or any_):
        return None
    if found.data_are_back:
        raise PreconditionError(
            f"{found.told()}: its release serves, and the data of {found.run.data_of} are back",
            state="nothing was changed by this command",
            next_step=found.run.ways_out,
        )
    if not found.restoring:  # else its own undo brings them back
        refuse_unknown_data(observed)
    before = as_found(observed, found)
    _refuse_the_empty(observed, found)
    crossed_by = _crossed_by(observed, before, found)
    if crossed_by and not found.turned_back:
        refuse_to_cross(observed, *crossed_by, "inv deploy --resume finishes the deploy; or ")
    situation = Situation(
        session.environment,
        before,
        target_of(observed, found),
        session.layout,
        seen=observed,
        resumed=found.run.id,
    )
    plan = Plan(
        (*_data_back(situation, found), *_release_back(situation, found)),
        notes=_warned(found.run, *crossed_by) if crossed_by else (),
        header={"environment": session.environment.name, "takes back": found.told()},
        strategy=found.run.strategy,
    )
    return situation, plan, found.run


def _refuse_the_empty(observed: Observed, found: Unfinished) -> None:
    """Raise PreconditionError where the slot to go back to held containers, and they are gone.

    Somebody has pruned what was stopped. Taken back, the run would leave nothing that serves.
    """
    emptied = [
        name
        for name, run in sorted(found.runs.items())
        if run.touched and run.live and not observed[name].slot(run.live)
        if _had_services(observed[name], run)
    ]
    if emptied:
        raise PreconditionError(
            f"{found.told()}; the containers from before it are gone from {', '.join(emptied)}",
            why=["somebody removed what was stopped there (docker system prune?)"],
            state="nothing was changed by this command",
            next_step="inv deploy --resume goes on; inv rollback --to=<release> starts one anew",
        )


def _had_services(state: HostState, run: Run) -> bool:
    """Whether a release of before ran there: a host that is new in the environment has none."""
    return any(
        HostTarget.of_manifest(state.host, kept.manifest).replicas
        for kept in state.releases
        if kept.id != run.release and kept.status == ReleaseStatus.PROVEN
    )


def _crossed_by(observed: Observed, before: Observed, found: Unfinished) -> tuple[str, int] | None:
    """The release to go back to, if the run itself began what takes away the data it needs."""
    run = found.run
    if run.verb != "deploy":
        return None
    served = [kept for state in before.values() if (kept := state.kept(state.live_release))]
    oldest = min(served, key=lambda kept: kept.sequence, default=None)
    if oldest is None or run.release not in crossed(observed, oldest.sequence):
        return None
    return oldest.id, oldest.sequence


def _warned(run: Run, release: str, _: int) -> tuple[str, ...]:
    return (
        f"the migration of {run.release} is irreversible and was begun: {release} has the data as "
        f"it left them; those from before: inv rollback --to={release} --with-data",
    )


def _data_back(situation: Situation, found: Unfinished) -> tuple[Step, ...]:
    """Nothing, unless data were being restored: what is begun on them is to be undone first."""
    if not found.restoring:
        return ()
    run, environment = found.run, situation.environment
    data = {
        name: here
        for name, state in situation.observed.items()
        if (here := dumped(state, run.data_of, environment.data_on(name)))
    }
    return restoring.taken_back(situation, run.data_before, data)


def _release_back(situation: Situation, found: Unfinished) -> tuple[Step, ...]:
    begun = [name for name, run in found.runs.items() if run.end not in TAKEN_BACK]
    stopped = tuple(found.runs) if found.restoring else begun  # as the data came back first
    return in_order(
        step(
            "undo switch",
            "all traffic to what was live before",
            {name: _back(situation, name) for name in stopped if found.runs[name].touched},
            interruptible=False,
            after_switch=True,
        ),
        step(
            "undo start",
            f"remove what was begun of {found.run.release}",
            {name: _away(situation, name, found.run) for name in begun},
            interruptible=False,
            after_switch=True,
        ),
    )


def _back(situation: Situation, name: str) -> tuple[Command, ...]:
    """The whole old slot again, healthy, with all the traffic; data services as it knows them."""
    if not situation.old_slot(name):
        return slots.back(situation, name)
    return (
        *_data(situation, name, situation.state(name).live_release),
        *revived(situation, name),
        *slots.back(situation, name),
    )


def _data(situation: Situation, name: str, release: str) -> tuple[Command, ...]:
    kept, part = situation.state(name).kept(release), situation.part(name)
    old = kept.manifest["host"]["files"].get("shared.yaml") if kept else None
    if not old or old == part.digests.get("shared.yaml"):
        return ()
    return (compose.up(situation.layout.key, situation.layout.shared_file(release)),)


def _away(situation: Situation, name: str, run: Run) -> tuple[Command, ...]:
    """The run's slot answers what it was asked, is stopped with its own grace, then it goes."""
    project = situation.new_project(name)
    held = situation.state(name).slot(situation.new_slot(name))
    backends = sorted({one.backend for one in held if one.backend})
    drained = (router.drain(situation.environment.drain_timeout, *backends),) if backends else ()
    gone = (*drained, host.retire(project, 0)) if held else ()
    judged = (host.status(run.release, ReleaseStatus.FAILED),) if run.verb == "deploy" else ()
    return (host.require_idle(project), *gone, host.clear(project), *judged)
