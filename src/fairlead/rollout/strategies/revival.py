"""The old slot whole again: what every way back begins with."""

from fairlead.commands import host, router
from fairlead.engines.compose.layout import PATIENCE, SETTLE_SECONDS
from fairlead.model import Command
from fairlead.rollout.situation import Situation


def revived(situation: Situation, name: str) -> tuple[Command, ...]:
    """All of the slot that was live runs, may take requests, and is healthy."""
    return (*_started(situation, name), _healthy(situation, name))


def reopened(situation: Situation, name: str, switch: tuple[Command, ...]) -> tuple[Command, ...]:
    """The same where nothing serves meanwhile: traffic first, for whatever of it answers."""
    return (*_started(situation, name), *switch, _healthy(situation, name))


def _started(situation: Situation, name: str) -> tuple[Command, ...]:
    project, backends = situation.old_project(name), situation.old_backends(name)
    return (host.revive(project), *router.ready(*backends))


def _healthy(situation: Situation, name: str) -> Command:
    timeout = max(situation.health_timeout(name), PATIENCE)
    return host.await_healthy(situation.old_project(name), SETTLE_SECONDS, timeout, "patient")
