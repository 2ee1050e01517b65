"""Blue-green: the whole new release beside the old, proven; one switch; the old kept warm."""

from fairlead.rollout.plan import Plan
from fairlead.rollout.situation import Situation
from fairlead.rollout.strategies import slots
from fairlead.rollout.strategies.preparation import migration, preparation


def plan(situation: Situation) -> Plan:
    """All hosts side by side. Until the switch nothing that serves is touched."""
    return slots.finished(
        situation,
        *preparation(situation),
        migration(situation),
        slots.start(situation),
        slots.prove(situation),
        slots.smoke_idle(situation),
        slots.switch(situation),
        *slots.smoke_live(situation),
        slots.drain(situation),
        slots.stop_old_workers(situation),
    )
