"""A run that never came to its end, because its client was lost: what it was, and the ways out.

Forward: the same strategy plans again from the hosts as the run found them, and what is done is
left out. Back: traffic to what was live before, and what was begun is removed. A rollback with data
goes back, data first, until both are proven to be there; from then on it only goes forward.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fairlead.commands import compose, host, router
from fairlead.engines.compose.layout import SETTLE_SECONDS
from fairlead.errors import PreconditionError, UsageError
from fairlead.model import Command, ReleaseStatus, Step
from fairlead.rollout import manifest, preconditions
from fairlead.rollout.backups.choice import choose_data, crossed, dumped, refuse_to_cross
from fairlead.rollout.compile import migration_of
from fairlead.rollout.journal import Run
from fairlead.rollout.observed import HostState, Live, Observed
from fairlead.rollout.plan import Plan, in_order, step
from fairlead.rollout.session import Session
from fairlead.rollout.situation import Situation
from fairlead.rollout.strategies import STRATEGIES, restoring, slots
from fairlead.rollout.target import HostTarget, Target

TAKEN_BACK = ("failed", "rolled-back")  # ends of a run that left nothing behind on a host


@dataclass(frozen=True)
class Unfinished:
    """One run that did not end on every host; `runs` is what each host's journal tells of it."""

    runs: Mapping[str, Run]

    @property
    def run(self) -> Run:
        """The account of the host where it got furthest."""
        return max(self.runs.values(), key=lambda run: run.last)

    @property
    def touched(self) -> bool:
        """Something that serves was changed: not even a new deploy can be sure of it."""
        return any(run.touched for run in self.runs.values())

    @property
    def turned_back(self) -> bool:
        return any(run.turned_back for run in self.runs.values())

    @property
    def restoring(self) -> bool:
        """It began to replace data."""
        return any(run.data_of and run.began("restore") for run in self.runs.values())

    @property
    def data_are_back(self) -> bool:
        return any(run.data_are_back for run in self.runs.values())

    def told(self) -> str:
        """One sentence: what, by whom, how far."""
        run = self.run
        return f"`{run.doing}` by {run.who} of {run.started} stopped at `{run.at}`"


def find_unfinished(observed: Observed) -> Unfinished | None:
    """The run that never ended; of several the one that changed what serves, then the last."""
    ids = {run.id for state in observed.values() for run in state.runs if run.unfinished}
    found = [_of(observed, one) for one in sorted(ids)]
    return max(found, key=lambda one: (one.touched, one.run.id), default=None)


def _of(observed: Observed, wanted: str) -> Unfinished:
    return Unfinished(
        {
            name: run
            for name, state in observed.items()
            for run in state.runs
            if run.id == wanted and run.steps
        }
    )


def refuse_unfinished(observed: Observed) -> None:
    """Raise PreconditionError while a run is unfinished that changed what serves.

    One that did not is no obstacle: what it left behind is cleared away on the way.
    """
    found = find_unfinished(observed)
    if found and found.touched:
        raise PreconditionError(
            f"{found.told()}, and never came to its end",
            why=[f"{name}: {_serves(state)}" for name, state in sorted(observed.items())],
            state="nothing was changed by this command",
            next_step=found.run.ways_out,
            docs="how-to/after-a-crash.md",
        )


def refuse_half_restored(observed: Observed) -> None:
    """Raise PreconditionError while a rollback with data is unfinished that began to restore them.

    No release may be started on such data alone.
    """
    found = find_unfinished(observed)
    if found and found.restoring:
        raise PreconditionError(
            f"{found.told()}: its data may be those of before or those of {found.run.data_of}",
            why=[f"{name}: {_serves(state)}" for name, state in sorted(observed.items())],
            state="nothing was changed by this command",
            next_step=f"{found.run.ways_out}; --to=<release> only together with --with-data",
            docs="how-to/after-a-crash.md",
        )


def _serves(state: HostState) -> str:
    share = f", {state.live.share / 100:.0f} % in {state.live.next_slot}" if _half(state) else ""  # type: ignore[union-attr]
    return f"{state.live_release or 'nothing'} serves{share}"


def _half(state: HostState) -> bool:
    return bool(state.live and state.live.share)


# -- forward


def plan_resume(session: Session) -> tuple[Situation, Plan, Run | None]:
    """The plan that finishes what was left unfinished; and the run that it continues.

    None for the run: it got so little done that its deploy begins anew. Raises UsageError when
    there is nothing to resume, PreconditionError when it can only be taken back.
    """
    observed = _observed(session)
    found = find_unfinished(observed)
    if found is None:
        raise UsageError(
            "no deploy was left unfinished",
            state="nothing was changed",
            next_step="inv status",
        )
    run = found.run
    if found.turned_back:
        raise PreconditionError(
            f"{found.told()}: it had failed, and was turning back",
            state="nothing was changed by this command",
            next_step="inv rollback goes on with that",
        )
    if run.data_of and not found.data_are_back:
        raise PreconditionError(
            f"{found.told()}: data that are half restored can only be taken back",
            state="nothing was changed by this command",
            next_step=f"{run.ways_out}; then inv rollback --to={run.data_of} --with-data again",
        )
    if not all(observed[name].kept(run.release) for name in found.runs):
        return _anew(session, found)
    if run.verb == "deploy":
        _refuse_changed(session, observed, found)
    before = _as_found(observed, found)
    target = _rest_of(_target(observed, found), before)
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


def _observed(session: Session) -> Observed:
    observed = session.fleet.observe()
    preconditions.check_lock(observed)
    preconditions.check_hosts(session.environment, observed)
    return observed


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


def _as_found(observed: Observed, found: Unfinished) -> Observed:
    return {
        name: _before(state, found.runs[name]) if name in found.runs else state
        for name, state in observed.items()
    }


def _before(state: HostState, run: Run) -> HostState:
    """A host as the run found it: that slot live, and whole. Half-way ones have it live still."""
    if state.live_slot == run.live:
        return state
    live = Live(run.live) if run.live else None
    containers = tuple(
        replace(one, status="running") if run.live and one.slot == run.live else one
        for one in state.containers
    )
    return replace(state, live_runtime=live, live_file=live, containers=containers)


def _switched(state: HostState, run: Run) -> bool:
    """Whether all its traffic goes to the run's release already."""
    there = bool(state.live_slot) and state.live_slot != run.live and not _half(state)
    return there and state.live_release == run.release


def _target(observed: Observed, found: Unfinished) -> Target:
    run = found.run
    kept = {name: one for name in found.runs if (one := observed[name].kept(run.release))}
    first = next(iter(kept.values()), None)
    parts = {
        name: HostTarget.of_manifest(name, kept[name].manifest)
        if name in kept
        else HostTarget(name, {}, (), (), (), {})
        for name in found.runs
    }
    return Target(
        run.release,
        first.sequence if first else 0,
        run.tag,
        manifest.images(first.manifest) if first else {},
        parts,
        bypass=str(first.manifest.get("bypass", "")) if first else "",
        services=run.services,
    )


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


# -- back


def plan_undo(session: Session, *, any_: bool) -> tuple[Situation, Plan, Run] | None:
    """The plan that takes back what was left unfinished; None when nothing was.

    any_: also a run that changed nothing that serves. Raises GateRefused when the release before
    cannot work with the data as the run's migration left them; one that was turning back by itself
    goes on with that, and says so.
    """
    observed = _observed(session)
    found = find_unfinished(observed)
    if found is None or not (found.touched or any_):
        return None
    if found.data_are_back:
        raise PreconditionError(
            f"{found.told()}: its release serves, and the data of {found.run.data_of} are back",
            state="nothing was changed by this command",
            next_step=found.run.ways_out,
        )
    before = _as_found(observed, found)
    crossed_by = _crossed_by(observed, before, found)
    if crossed_by and not found.turned_back:
        refuse_to_cross(observed, *crossed_by, "inv deploy --resume finishes the deploy; or ")
    situation = Situation(
        session.environment,
        before,
        _target(observed, found),
        session.layout,
        seen=observed,
        resumed=found.run.id,
    )
    begun = [name for name, run in found.runs.items() if run.end not in TAKEN_BACK]
    plan = Plan(
        in_order(
            *_data_back(situation, found),
            step(
                "undo switch",
                "all traffic to what was live before",
                {name: _back(situation, name) for name in begun if found.runs[name].touched},
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
        ),
        notes=_warned(found.run, *crossed_by) if crossed_by else (),
        header={"environment": session.environment.name, "takes back": found.told()},
        strategy=found.run.strategy,
    )
    return situation, plan, found.run


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


def _back(situation: Situation, name: str) -> tuple[Command, ...]:
    """The whole old slot again, healthy, with all the traffic; data services as it knows them."""
    if not situation.old_slot(name):
        return slots.back(situation, name)
    project, release = situation.old_project(name), situation.state(name).live_release
    return (
        *_data(situation, name, release),
        host.revive(project),
        *router.ready(*situation.old_backends(name)),
        host.await_healthy(project, SETTLE_SECONDS, situation.health_timeout(name)),
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
    return (*gone, host.clear(project), *judged)
