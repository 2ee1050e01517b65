"""A run that never came to its end, because its client was lost: what it was, and what it found.

The ways out: resume.py goes on, undo.py goes back. A rollback with data goes back, data first,
until release and data are proven to be there; from then on it only goes forward.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fairlead.errors import PreconditionError
from fairlead.model import ReleaseStatus
from fairlead.rollout import manifest, preconditions
from fairlead.rollout.journal import Run
from fairlead.rollout.observed import HostState, Live, Observed
from fairlead.rollout.session import Session
from fairlead.rollout.target import HostTarget, Target


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
    refuse_unknown_data(observed)


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
    refuse_unknown_data(observed)


def refuse_unknown_data(observed: Observed) -> None:
    """Raise PreconditionError where a restore of data was cut off: rollback.sh has no journal."""
    if told := half_restored(observed):
        raise PreconditionError(
            told,
            why=[f"{name}: {_serves(state)}" for name, state in sorted(observed.items())],
            state="nothing was changed by this command",
            next_step=with_data_again(observed),
            docs="how-to/after-a-crash.md",
        )


def half_restored(observed: Observed) -> str:
    """Whose data nobody knows, as their restore was begun and never ended; empty if all do."""
    found = [f"{name} in {one}" for one, s in sorted(observed.items()) for name in s.half_restored]
    what = f"a restore of the data of {', '.join(found)} was begun and never ended"
    return f"{what}: nobody knows what they are" if found else ""


def with_data_again(observed: Observed) -> str:
    """The way out of that: the release that serves, else the newest proven, with its data."""
    kept = [one for state in observed.values() for one in state.releases]
    serving = {state.live_release for state in observed.values()}
    fit = [one for one in kept if one.id in serving or one.status is ReleaseStatus.PROVEN]
    best = max(fit, key=lambda one: (one.id in serving, one.sequence), default=None)
    release = best.id if best else "<release>"
    return f"inv rollback --to={release} --with-data; inv backups.list has all data there are"


def _serves(state: HostState) -> str:
    share = f", {state.live.share / 100:.0f} % in {state.live.next_slot}" if is_half(state) else ""  # type: ignore[union-attr]
    return f"{state.live_release or 'nothing'} serves{share}"


def is_half(state: HostState) -> bool:
    """Whether its requests are shared between two slots."""
    return bool(state.live and state.live.share)


def look(session: Session) -> Observed:
    """The hosts now. Raises LockHeld while somebody is at work on them."""
    observed = session.fleet.observe()
    preconditions.check_lock(observed)
    preconditions.check_hosts(session.environment, observed)
    return observed


def as_found(observed: Observed, found: Unfinished) -> Observed:
    """The hosts as the run found them when it began."""
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


def target_of(observed: Observed, found: Unfinished) -> Target:
    """What the run was to lead to, by what the hosts keep; without its migration."""
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
