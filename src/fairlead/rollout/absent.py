"""Which services do not run where they should: on a host that is new, above all."""

from fairlead.config import Environment
from fairlead.rollout.observed import Observed
from fairlead.rollout.sources import serving_containers


def absent(environment: Environment, observed: Observed) -> dict[str, str]:
    """Service → where it does not run, as a sentence.

    A service without an image of ours, which may be one that the compose file switches off, is
    missed only where nothing at all runs.
    """
    found: dict[str, str] = {}
    rolled_out = [one for one in environment.services.values() if one.rolled_out]
    for host, state in sorted(observed.items()):
        running = {container.service for container in serving_containers(state)}
        for service in rolled_out:
            wanted = host in {one.name for one in environment.hosts_for(service)}
            if not wanted or service.name in running or (running and not service.image):
                continue
            missing = f"it does not run on {host}" if running else f"{host} runs nothing"
            found.setdefault(service.name, missing)
    return found
