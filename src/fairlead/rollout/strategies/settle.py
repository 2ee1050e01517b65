"""Before a plan: what a roll-out that was killed half way left behind is set right."""

from fairlead.commands import host, router
from fairlead.model import Command, Step
from fairlead.rollout.plan import step
from fairlead.rollout.situation import Situation
from fairlead.rollout.strategies.preparation import SETTLE_SECONDS


def settle(situation: Situation) -> Step | None:
    """The live slot whole again and with all the traffic; the router's file as its runtime."""
    commands = {name: _settled(situation, name) for name in situation.observed}
    return step(
        "settle", "set right what an unfinished roll-out left behind", commands, after_switch=True
    )


def _settled(situation: Situation, name: str) -> tuple[Command, ...]:
    state = situation.state(name)
    if state.live and state.live.share:
        project = situation.layout.project(state.live_slot)
        return (
            host.activate(project),
            *router.ready(*situation.old_backends(name)),
            host.await_healthy(project, SETTLE_SECONDS, situation.health_timeout(name)),
            router.switch(state.live_slot),
        )
    if state.live_runtime and state.live_runtime != state.live_file:
        return (router.reconcile(),)
    return ()
