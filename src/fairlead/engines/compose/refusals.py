"""What a compose file may not hold, because two slots of it could not live side by side."""

from collections.abc import Iterator, Mapping
from typing import Any

from fairlead.engines.compose.networks import network_notes, network_refusals
from fairlead.errors import Problem

Project = Mapping[str, Any]
ServiceBody = Mapping[str, Any]

ONE_SHOT = (
    "`{0}` is to end, and what runs in a slot is started again when it does; take it out of the "
    "compose file and give its command in [migrate] of deploy/fairlead.toml, which runs it before "
    "all others"
)


def refusals(project: Project, slotted: set[str], file: str) -> list[Problem]:
    """Every key that cannot be doubled, or not be kept, each with the way out."""
    problems: list[Problem] = []
    for name in sorted(slotted):
        body = project["services"][name]
        for key, message in (*_network(body), *_volumes(project, body), *_links(body)):
            problems.append(Problem(file, f"services.{name}.{key}", message))
    problems += [Problem(file, key, ONE_SHOT.format(name)) for key, name in _awaited(project)]
    return [*problems, *network_refusals(project, slotted, file)]


def resets(project: Project, slotted: set[str], routed: set[str]) -> list[str]:
    """Sentences for the plan: what is taken out of slotted services, and what that means."""
    notes = []
    for name in sorted(slotted):
        body = project["services"][name]
        if body.get("ports"):
            ports = ", ".join(str(port.get("published", port["target"])) for port in body["ports"])
            reached = (
                "the router takes its traffic"
                if name in routed
                else "nothing outside reaches it: give it `routes` if something should"
            )
            notes.append(f"{name}: `ports` ({ports}) is reset; {reached}")
        if body.get("container_name"):
            notes.append(f"{name}: `container_name` is reset; two slots need two names")
        if body.get("restart") not in (None, "always"):
            note = f"{name}: `restart: {body['restart']}` becomes always, which outlives a reboot"
            if name not in routed:
                note += "; if it ends by itself it never gets healthy: run such a job as [migrate]"
            notes.append(note)
    return [*notes, *network_notes(project, slotted)]


def _network(body: ServiceBody) -> Iterator[tuple[str, str]]:
    mode = body.get("network_mode", "")
    if mode == "host":
        yield (
            "network_mode",
            "`host` gives both slots the same ports; remove it, or set stateful = true "
            "in deploy/fairlead.toml",
        )
    elif mode:
        yield (
            "network_mode",
            f"`{mode}` ties it to another container's network, which the router cannot reach; "
            "remove it, or set stateful = true in deploy/fairlead.toml",
        )


def _awaited(project: Project) -> Iterator[tuple[str, str]]:
    """Services that another waits for to end: the key that says so, and their name."""
    for name, body in sorted(project["services"].items()):
        for other, how in sorted((body.get("depends_on") or {}).items()):
            ends = (how or {}).get("condition") == "service_completed_successfully"
            if ends and other in project["services"]:
                yield f"services.{name}.depends_on.{other}.condition", other


def _volumes(project: Project, body: ServiceBody) -> Iterator[tuple[str, str]]:
    for index, volume in enumerate(body.get("volumes") or ()):
        key, target = f"volumes[{index}]", volume.get("target", "?")
        if volume.get("type") == "volume":
            yield from _named_volume(project, volume.get("source"), key, target)


def _named_volume(
    project: Project, source: str | None, key: str, target: str
) -> Iterator[tuple[str, str]]:
    if not source:
        yield key, f"the volume at {target} has no name: each slot would have its own; name it"
        return
    declared = (project.get("volumes") or {}).get(source) or {}
    if declared.get("external"):
        return
    if not declared.get("name"):
        yield (
            key,
            f"volume `{source}` at {target} has no `name:` of its own: each slot would have its "
            f"own data; give it `name: ${{FAIRLEAD_APP}}-${{FAIRLEAD_ENVIRONMENT}}-{source}`, or "
            "set stateful = true in deploy/fairlead.toml",
        )


def _links(body: ServiceBody) -> Iterator[tuple[str, str]]:
    for key in ("links", "external_links", "volumes_from"):
        if body.get(key):
            yield key, "ties it to containers by name, which two slots share; remove it"
