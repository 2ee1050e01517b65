"""All that a strategy may know: what is declared, what was seen, what is wanted."""

from dataclasses import dataclass

from fairlead.config import Environment
from fairlead.engines.compose.layout import Layout
from fairlead.model import ReleaseStatus
from fairlead.rollout.observed import HostState, Observed
from fairlead.rollout.target import HostTarget, Target


@dataclass(frozen=True)
class Situation:
    """The three inputs of `plan`, with the questions every strategy asks of them.

    For a run that is resumed, `observed` is what it found when it began, `seen` what there is now,
    and `resumed` its name.
    """

    environment: Environment
    observed: Observed
    target: Target
    layout: Layout
    seen: Observed | None = None
    resumed: str = ""

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(self.target.hosts)

    def part(self, host: str) -> HostTarget:
        return self.target.hosts[host]

    def state(self, host: str) -> HostState:
        return self.observed[host]

    def new_slot(self, host: str) -> str:
        """The slot the target goes to: the idle one, where it may be waiting already."""
        return self.state(host).idle_slot

    def old_slot(self, host: str) -> str:
        """The slot that is live; empty on a host where nothing is."""
        return self.state(host).live_slot

    def new_project(self, host: str) -> str:
        return self.layout.project(self.new_slot(host))

    def old_project(self, host: str) -> str:
        return self.layout.project(self.old_slot(host))

    def file(self, host: str) -> str:
        """The compose file of the target in its slot."""
        return self.layout.slot_file(self.target.release, self.new_slot(host))

    def is_waiting(self, host: str) -> bool:
        """Whether the idle slot holds the target already, whole (running or stopped)."""
        state = self.state(host)
        half_way = state.live is not None and state.live.share > 0  # it is cleared first
        if half_way or state.release_in(state.idle_slot) != self.target.release:
            return False
        held = [container.service for container in state.slot(state.idle_slot)]
        return all(held.count(name) == n for name, n in self.part(host).replicas.items())

    def is_warm(self, host: str) -> bool:
        """Whether it could take traffic this moment: proven once, waiting, its services run."""
        state = self.state(host)
        kept = state.kept(self.target.release)
        if kept and kept.status == ReleaseStatus.PREPARED:
            return False  # its roll-out stopped before it was proven
        routed = [container for container in state.slot(state.idle_slot) if container.backend]
        return (
            bool(routed)  # workers rest while a slot is warm, so they tell nothing
            and self.is_waiting(host)
            and all(one.running and one.health in ("", "healthy") for one in routed)
        )

    def old_backends(self, host: str) -> tuple[str, ...]:
        """Router backends of the live slot, by what runs there (its services may differ)."""
        slot = self.old_slot(host)
        found = {c.backend for c in self.state(host).slot(slot) if c.backend} if slot else set()
        return tuple(sorted(found))

    def new_backends(self, host: str) -> tuple[str, ...]:
        slot = self.new_slot(host)
        return tuple(self.layout.backend(slot, service) for service in self.part(host).routed)

    def health_timeout(self, host: str) -> float:
        """Seconds a slot may take to get healthy: as long as its slowest service."""
        part = self.target.hosts.get(host)  # none: the host serves the target already
        return self.environment.health_timeout(part.replicas if part else ())
