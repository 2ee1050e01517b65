"""Recreate: stop the old, start the new. For releases of which two must never run at once."""

from fairlead.commands import host, router
from fairlead.model import Step
from fairlead.rollout.plan import Plan, step
from fairlead.rollout.situation import Situation
from fairlead.rollout.strategies import slots
from fairlead.rollout.strategies.preparation import migration, preparation
from fairlead.rollout.strategies.revival import reopened


def plan(situation: Situation) -> Plan:
    """With downtime from the stop to the switch; a failure starts the old release again."""
    return slots.finished(
        situation,
        *preparation(situation),
        _stop(situation),
        migration(situation),
        slots.start(situation),
        slots.prove(situation),
        slots.smoke_idle(situation),
        slots.switch(situation, old_runs=False),
        *slots.smoke_live(situation),
    )


def _stop(situation: Situation) -> Step | None:
    live = [name for name in situation.hosts if situation.old_slot(name)]
    drained = situation.environment.drain_timeout
    return step(
        "stop",
        "stop the old release (nothing is served from here to the switch)",
        {
            name: (
                router.switch("-"),
                router.drain(drained, *situation.old_backends(name)),
                host.retire(situation.old_project(name), 0),
            )
            for name in live
        },
        {name: reopened(situation, name, slots.back(situation, name)) for name in live},
        after_switch=True,  # what serves was touched: from here on a failure is a rollback
    )
