"""What serves on the hosts after a roll-out: judged and told by what is observed."""

from fairlead.errors import FairleadError
from fairlead.rollout import manifest
from fairlead.rollout.observed import HostState, Observed
from fairlead.rollout.situation import Situation


def table(observed: Observed, before: Observed | None = None) -> str:
    """Each host with what it serves, in one line; where it was not seen, what it served before."""
    lines = [f"{name} serves {state.live_release or 'nothing'}" for name, state in observed.items()]
    lines += [
        f"{name} did not answer, and served {state.live_release or 'nothing'} before this"
        for name, state in (before or {}).items()
        if name not in observed
    ]
    return " · ".join(lines)


def facts(situation: Situation, states: Observed) -> dict[str, object]:
    """What a script is told of a roll-out that failed: what is live now, and what was wanted."""
    serving = {state.live_release for state in states.values()}
    agreed = serving.pop() if len(serving) == 1 and len(states) == len(situation.observed) else ""
    return {
        "release": agreed or None,
        "digests": live_digests(states) if agreed else {},
        "hosts": {name: state.live_release for name, state in states.items()},
        "wanted": situation.target.release,
    }


def live_digests(states: Observed) -> dict[str, str]:
    """Service → digest of what is live, as the hosts' own manifest tells it."""
    kept = next((one for s in states.values() if (one := s.kept(s.live_release))), None)
    images = manifest.images(kept.manifest) if kept else {}
    return {name: image.digest for name, image in images.items()}


def serves_as_before(before: HostState, now: HostState) -> bool:
    """The slot that was live has all the traffic, and runs the releases it ran."""
    if not before.live_slot:
        return now.live is None
    share = now.live.share if now.live else 0
    return (now.live_slot, share) == (before.live_slot, 0) and _running(now, before.live_slot) == (
        _running(before, before.live_slot)
    )


def _running(state: HostState, slot: str) -> set[str]:
    return {container.release for container in state.slot(slot) if container.running}


def fault(situation: Situation, state: HostState | FairleadError) -> str | None:
    """What differs on a host from the target: slot, release, digests."""
    if isinstance(state, FairleadError):
        return state.what
    wanted = situation.new_slot(state.host)
    if not state.live or state.live.share or state.live_slot != wanted:
        return f"the router serves {state.live or 'nothing'}, not {wanted}"
    images = situation.target.images
    running = [c for c in state.slot(wanted) if c.running]
    for service, count in situation.part(state.host).replicas.items():
        here = [c for c in running if c.service == service]
        if len(here) != count:
            return f"{len(here)} of {count} containers of {service} run"
        for container in here:
            if container.release != situation.target.release:
                return f"{container.name} is of release {container.release}"
            if container.image != images[service].pinned:
                return f"{container.name} runs {container.image}"
    return None
