"""A host's router is shared: what a roll-out may change of it, and what is told of a change."""

from collections.abc import Mapping

from fairlead.config import Environment
from fairlead.config.traffic import Router
from fairlead.errors import ConfigError, Problem
from fairlead.rollout.observed import HostState, Observed
from fairlead.rollout.situation import Situation
from fairlead.rollout.target import Target

SHARED = ("image", "http_port", "https_port")  # Router.container


def refuse_another(environment: Environment, observed: Observed, target: Target) -> None:
    """Raise ConfigError where a router that serves others is not as `[router]` wants it.

    The container would be exchanged under them: what they are reached at may be gone then.
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
    """What is wanted otherwise than others have it on a host: a sentence by key of `[router]`."""
    others = ", ".join(sorted(set(state.foreign_routes.values())))
    there = state.declared_router
    if there is None or not others:
        return {}
    return {
        key: f"is {getattr(wanted, key)}, and the router of {state.host}, which serves {others}, "
        f"has {getattr(there, key)}"
        for key in SHARED
        if getattr(wanted, key) != getattr(there, key)
    }


def announced(situation: Situation) -> list[str]:
    """Routers that are exchanged although they serve: a sentence a host."""
    wanted = situation.environment.router
    return [
        f"{name}: its router, {_told(there)}, is replaced by {_told(wanted)} before the release is "
        "proven: no answer for about a second. A failure brings the old one back"
        for name, part in situation.target.hosts.items()
        if part.routed
        and (there := situation.state(name).declared_router)
        and there.container != wanted.container
    ]


def _told(router: Router) -> str:
    return f"{router.image} on ports {router.http_port} and {router.https_port}"
