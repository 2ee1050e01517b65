"""The old slot whole again: what every way back begins with, before traffic goes there."""

from fairlead.commands import host, router
from fairlead.engines.compose.layout import SETTLE_SECONDS
from fairlead.model import Command
from fairlead.rollout.situation import Situation

PATIENCE = 60.0  # seconds: it served a moment ago, and there is nothing better to go to


def revived(situation: Situation, name: str) -> tuple[Command, ...]:
    """All of the slot that was live runs, may take requests, and is healthy."""
    project = situation.old_project(name)
    return (
        host.revive(project),
        *router.ready(*situation.old_backends(name)),
        host.await_healthy(project, SETTLE_SECONDS, max(situation.health_timeout(name), PATIENCE)),
    )
