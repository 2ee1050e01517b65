"""From flags to hosts: the session of a task, narrowed by --hosts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairlead.config import Environment
    from fairlead.rollout.session import Session
    from fairlead.tasks.run import Run


@contextmanager
def session(run: "Run") -> "Iterator[Session]":
    """The environment's hosts at hand, those of --hosts only."""
    from fairlead.rollout.session import open_session

    environment = narrowed(run.environment(), run.options.hosts)
    with open_session(environment, run.reporter.event, run.redact) as opened:
        yield opened


def narrowed(environment: "Environment", wanted: tuple[str, ...]) -> "Environment":
    """The environment with the hosts named, by name or role. Raises UsageError for an unknown."""
    from difflib import get_close_matches

    from fairlead.errors import UsageError

    if not wanted:
        return environment
    known = {host.name for host in environment.hosts}
    known |= {role for host in environment.hosts for role in host.roles}
    for name in wanted:
        if name not in known:
            near = get_close_matches(name, sorted(known), 1)
            meant = f" (did you mean `{near[0]}`?)" if near else ""
            raise UsageError(
                f"no host or role `{name}` in {environment.name}{meant}",
                why=[f"there are: {', '.join(sorted(known))}"],
                state="no host was contacted",
            )
    chosen = tuple(host for host in environment.hosts if {host.name, *host.roles} & set(wanted))
    return replace(environment, hosts=chosen)


def chosen_services(environment: "Environment", wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The services of --service. Raises UsageError for one that is not declared."""
    from difflib import get_close_matches

    from fairlead.errors import UsageError

    for name in wanted:
        if name not in environment.services:
            near = get_close_matches(name, sorted(environment.services), 1)
            meant = f" (did you mean `{near[0]}`?)" if near else ""
            raise UsageError(
                f"no service `{name}`{meant}",
                why=[f"there are: {', '.join(sorted(environment.services))}"],
                state="no host was contacted",
            )
    return wanted
