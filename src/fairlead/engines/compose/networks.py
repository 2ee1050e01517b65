"""What becomes of a compose file's networks: its own become the slot's one, external ones stay.

A slot has a network of its own, where the router finds it. What two slots could not keep of the
rest is refused, and what is lost is said.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fairlead.errors import Problem

Project = Mapping[str, Any]
ServiceBody = Mapping[str, Any]

ADDRESSES = ("ipv4_address", "ipv6_address", "link_local_ips", "mac_address")
LOST = ("attachable", "driver_opts", "enable_ipv6", "ipam", "name")


def external_networks(project: Project, services: Iterable[str]) -> dict[str, str]:
    """Networks of these services that somebody else makes: name in the file → name on a host."""
    return {
        key: str(_declared(project, key).get("name") or key)
        for name in sorted(services)
        for key in _networks(project["services"][name])
        if _declared(project, key).get("external")
    }


def attached(project: Project, body: ServiceBody, own: Mapping[str, list[str]]) -> dict[str, Any]:
    """The `networks` of a service as it runs. own: its slots' networks, with our aliases there.

    Aliases on a network of the file's own are answered to in the slot's.
    """
    given = _networks(body)
    theirs = {key for key in given if _declared(project, key).get("external")}
    aliases = sorted(
        {alias for key in given if key not in theirs for alias in given[key].get("aliases") or ()}
    )
    here = {key: [*ours, *aliases] for key, ours in own.items()}
    return {
        **{key: {"aliases": names} if names else None for key, names in here.items()},
        **{_key(key): given[key] or None for key in sorted(theirs)},
    }


def external_sections(project: Project, services: Iterable[str]) -> dict[str, Any]:
    """What the file on a host declares for `attached`, besides the slots' networks."""
    found = external_networks(project, services)
    return {_key(key): {"name": name, "external": True} for key, name in found.items()}


def network_refusals(project: Project, slotted: set[str], file: str) -> list[Problem]:
    """Every key that a slot's network cannot keep and something may rely on."""
    problems = []
    for name, body in sorted(project["services"].items()):
        for key, settings in _networks(body).items():
            shared = bool(_declared(project, key).get("external"))
            for setting, message in _unkept(settings, shared, name in slotted):
                problems.append(Problem(file, f"services.{name}.networks.{key}.{setting}", message))
    for key in _own(project):
        declared = _declared(project, key)
        if declared.get("internal"):
            message = (
                "each slot has one network of its own, from which the outside can be reached, so "
                "this would not hold; remove it, or make the network on the hosts and declare it "
                "`external: true`"
            )
            problems.append(Problem(file, f"networks.{key}.internal", message))
        if declared.get("driver") not in (None, "", "default", "bridge"):
            message = (
                f"`{declared['driver']}` would not be kept, as each slot has a bridge of its own; "
                "remove it, or make the network on the hosts and declare it `external: true`"
            )
            problems.append(Problem(file, f"networks.{key}.driver", message))
    return problems


def network_notes(project: Project, slotted: set[str]) -> list[str]:
    """Sentences for the plan: what is joined, and what is not kept."""
    notes = []
    for name in sorted(project["services"]):
        for real in external_networks(project, [name]).values():
            both = f"; there `{name}` is both slots while both run" if name in slotted else ""
            notes.append(f"{name}: joins the host's network `{real}`{both}")
    own = _own(project)
    if len(own) > 1:
        names = ", ".join(f"`{key}`" for key in own)
        notes.append(f"networks {names} become one, the slot's: what they kept apart is not")
    for key in own:
        lost = [one for one in LOST if _declared(project, key).get(one)]
        if lost:
            names = ", ".join(f"`{one}`" for one in lost)
            notes.append(f"network `{key}`: {names} not kept; the slot's network stands for it")
    return notes


def _unkept(settings: Mapping[str, Any], shared: bool, slotted: bool) -> Iterator[tuple[str, str]]:
    if settings.get("aliases") and shared and slotted:
        yield (
            "aliases",
            "both slots would answer to it, the one that is not proven yet, too; remove it, and "
            "give the service `routes`",
        )
    for address in ADDRESSES:
        if settings.get(address) and slotted:
            yield address, "two slots cannot have one address; remove it, and use the name"
        elif settings.get(address) and not shared:
            yield address, "a slot's network has addresses of its own; remove it, and use the name"


def _own(project: Project) -> list[str]:
    """Networks of the file's own that a service is in."""
    used = {key for body in project["services"].values() for key in _networks(body)}
    return sorted(key for key in used if not _declared(project, key).get("external"))


def _networks(body: ServiceBody) -> dict[str, Mapping[str, Any]]:
    return {key: settings or {} for key, settings in (body.get("networks") or {}).items()}


def _declared(project: Project, key: str) -> Mapping[str, Any]:
    return (project.get("networks") or {}).get(key) or {}


def _key(key: str) -> str:
    """A name in our file that no network of ours has."""
    return f"external-{key}"
