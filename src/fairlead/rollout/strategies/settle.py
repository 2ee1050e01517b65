"""Before a plan: what a roll-out that was killed half way left behind is set right."""

from fairlead.commands import host, router
from fairlead.model import Command, ReleaseStatus, Step
from fairlead.rollout.observed import HostState
from fairlead.rollout.plan import step
from fairlead.rollout.situation import Situation
from fairlead.rollout.strategies.revival import revived


def settle(situation: Situation) -> Step | None:
    """The live slot whole again and with all the traffic; the router's file as its runtime.

    Nobody else is at work when this runs: the lock is ours, so what is unfinished stays so.
    """
    commands = {
        name: (*_whole(situation, state), *_ended(situation, state), *_closed(situation, state))
        for name, state in situation.observed.items()
    }
    return step("settle", "set right what an unfinished roll-out left behind", commands)


def _whole(situation: Situation, state: HostState) -> tuple[Command, ...]:
    if state.live and state.live.share:
        other = situation.layout.project(state.live.next_slot)
        backends = {c.backend for c in state.slot(state.live.next_slot) if c.backend}
        return (
            *revived(situation, state.host),
            router.switch(state.live_slot),
            router.drain(situation.environment.drain_timeout, *sorted(backends)),
            host.retire(other, 0),
            host.clear(other),
        )
    if state.live_runtime and state.live_runtime != state.live_file:
        return (router.reconcile(),)
    return ()


def _closed(situation: Situation, state: HostState) -> tuple[Command, ...]:
    """Runs that nobody will finish any more, as this one takes their place."""
    return tuple(
        host.journal_end(run.id, "abandoned")
        for run in state.runs
        if run.unfinished and run.id != situation.resumed
    )


def _ended(situation: Situation, state: HostState) -> tuple[Command, ...]:
    """Releases whose roll-out was never finished, and which serve nothing, have failed."""
    return tuple(
        host.status(kept.id, ReleaseStatus.FAILED)
        for kept in state.releases
        if kept.status == ReleaseStatus.PREPARED
        and kept.id not in (state.live_release, situation.target.release)
    )
