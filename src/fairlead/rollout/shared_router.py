"""A host's router is shared: what a roll-out may change of it, and what is told of a change."""

from collections.abc import Mapping
from dataclasses import replace

from fairlead.config import Environment
from fairlead.config.traffic import Router
from fairlead.errors import ConfigError, Problem
from fairlead.rollout.observed import HostState, Observed
from fairlead.rollout.situation import Situation
from fairlead.rollout.target import Target

PORTS = ("http_port", "https_port")


def refuse_another(environment: Environment, observed: Observed, target: Target) -> None:
    """Raise ConfigError where a router that serves others has other ports than `[router]` wants.

    With ours they could not be reached, with theirs we could not. Another image is no reason: the
    one that is there serves all (wanted_on).
    """
    problems = [
        Problem("deploy/fairlead.toml", f"router.{key}", message)
        for name, part in target.hosts.items()
        if part.routed
        for key, message in disagreements(environment.router, observed[name]).items()
    ]
    if problems:
        raise ConfigError(
            problems,
            state="nothing was changed",
            next_step="write into [router] what the host's router has, as all that it serves have "
            "to agree; how to change it for all of them is in the documentation",
            docs="how-to/day-two.md#two-applications-on-one-host",
        )


def disagreements(wanted: Router, state: HostState) -> Mapping[str, str]:
    """Ports that others have otherwise on a host: a sentence by key of `[router]`."""
    there, others = state.declared_router, _others(state)
    if there is None or not others:
        return {}
    return {
        key: f"is {getattr(wanted, key)}, and the router of {state.host}, which serves {others}, "
        f"has {getattr(there, key)}"
        for key in PORTS
        if getattr(wanted, key) != getattr(there, key)
    }


def wanted_on(wanted: Router, state: HostState) -> Router:
    """The router to have on a host: as declared, but the image stays where it serves others, too.

    They lose no second to an upgrade of this application, nor to one of Fairlead's default.
    """
    there = state.declared_router
    return replace(wanted, image=there.image) if there and _others(state) else wanted


def announced(situation: Situation) -> list[str]:
    """Routers that are exchanged though they serve, or stay as they are: a sentence a host."""
    wanted = situation.environment.router
    told = []
    for name, part in situation.target.hosts.items():
        state = situation.state(name)
        there = state.declared_router
        if not part.routed or there is None or there.container == wanted.container:
            continue
        if others := _others(state):
            told.append(
                f"{name}: its router stays {there.image}, not {wanted.image}, as it serves {others}"
            )
        else:
            told.append(
                f"{name}: its router, {_told(there)}, is replaced by {_told(wanted)} before the "
                "release is proven: no answer for about a second. A failure brings the old one back"
            )
    return told


def _others(state: HostState) -> str:
    return ", ".join(sorted(set(state.foreign_routes.values())))


def _told(router: Router) -> str:
    return f"{router.image} on ports {router.http_port} and {router.https_port}"
