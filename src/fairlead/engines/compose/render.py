"""A compose project turned into the files that run on one host: a slot's, and the shared one.

Everything is resolved here: images by digest, no variable left, so that nothing in anybody's
shell can change what runs. JSON is what is written, because every JSON text is YAML.
"""

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from fairlead.engines.compose.layout import Layout
from fairlead.engines.compose.networks import attached, external_sections
from fairlead.engines.compose.source import MARK
from fairlead.model import SLOTS, Image

DROPPED = ("build", "container_name", "ports", "networks", "profiles", "env_file", "links")
SHARED_DROPPED = ("build", "networks", "profiles", "env_file", "links")


@dataclass(frozen=True)
class Placement:
    """One service on one host: how many, and whether the router or an env file concerns it.

    health: port and path that the router asks, `8000 /health`; empty without a route.
    """

    name: str
    replicas: int
    routed: bool
    takes_env: bool
    health: str = ""


@dataclass(frozen=True)
class Identity:
    """What the labels of a release's containers say."""

    app: str
    environment: str
    release: str


def slot_file(
    project: Mapping[str, Any],
    placements: tuple[Placement, ...],
    images: Mapping[str, Image],
    layout: Layout,
    identity: Identity,
    slot: str,
) -> bytes:
    """The compose file of a slot on one host. Secrets may be in it: mode 0600."""
    here = {placement.name for placement in placements}
    services = {
        placement.name: _slotted(project, placement, images, layout, identity, slot, here)
        for placement in placements
    }
    networks = {"default": {"name": layout.project(slot), "external": True}}
    networks |= external_sections(project, here)
    return _write(layout.project(slot), project, services, networks)


def shared_file(
    project: Mapping[str, Any],
    placements: tuple[Placement, ...],
    images: Mapping[str, Image],
    layout: Layout,
    identity: Identity,
    variables: Mapping[str, str],
) -> bytes:
    """The compose file of a host's stateful services: the same text until they change.

    Nothing of the release is in it: a label or a path with its id would re-create a database at
    every deploy.
    """
    here = {placement.name for placement in placements}
    services = {}
    for placement in placements:
        source = project["services"][placement.name]
        body = _without(source, SHARED_DROPPED)
        body["image"] = images[placement.name].pinned
        body["labels"] = {**_labels(body), **_shared_labels(layout, identity, placement.name)}
        body["restart"] = "always"
        if not body.get("network_mode"):  # one excludes the other
            body["networks"] = attached(project, source, {slot: [] for slot in SLOTS})
        body["depends_on"] = _dependencies(body, here)
        if placement.takes_env:
            given = {key: _escape(value) for key, value in variables.items()}
            body["environment"] = {**given, **(body.get("environment") or {})}
        services[placement.name] = _tidy(body)
    networks = {slot: {"name": layout.project(slot), "external": True} for slot in SLOTS}
    networks |= external_sections(project, here)
    return _write(layout.key, project, services, networks)


def _slotted(
    project: Mapping[str, Any],
    placement: Placement,
    images: Mapping[str, Image],
    layout: Layout,
    identity: Identity,
    slot: str,
    here: set[str],
) -> dict[str, Any]:
    source = project["services"][placement.name]
    body = _without(source, DROPPED)
    body["image"] = images[placement.name].pinned
    body["labels"] = {
        **_labels(body),
        **_shared_labels(layout, identity, placement.name),
        "fairlead.release": identity.release,
        "fairlead.slot": slot,
    }
    if placement.routed:
        body["labels"]["fairlead.backend"] = layout.backend(slot, placement.name)
        body["labels"]["fairlead.health"] = placement.health
    body["restart"] = "always"  # the only policy that survives a killed dockerd
    body["scale"] = placement.replicas
    alias = layout.alias(slot, placement.name)
    body["networks"] = attached(project, source, {"default": [alias]})
    body["depends_on"] = _dependencies(body, here)
    body["environment"] = {
        **(body.get("environment") or {}),
        "FAIRLEAD_RELEASE": identity.release,
        "FAIRLEAD_SLOT": slot,
    }
    if placement.takes_env:
        body["env_file"] = [{"path": layout.release_file(identity.release, "env")}]
    return _tidy(body)


def _without(source: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    body = {key: deepcopy(value) for key, value in source.items() if key not in keys}
    body.pop(MARK, None)
    deploy = body.get("deploy")
    if isinstance(deploy, dict):
        deploy.pop("replicas", None)
    return body


def _tidy(body: dict[str, Any]) -> dict[str, Any]:
    """Without what says nothing; an empty list does: `entrypoint: []` takes the image's away."""
    return {key: value for key, value in body.items() if value not in (None, {})}


def _labels(body: Mapping[str, Any]) -> dict[str, str]:
    return dict(body.get("labels") or {})


def _shared_labels(layout: Layout, identity: Identity, service: str) -> dict[str, str]:
    return {
        "fairlead.key": layout.key,
        "fairlead.app": identity.app,
        "fairlead.environment": identity.environment,
        "fairlead.service": service,
    }


def _dependencies(body: Mapping[str, Any], here: set[str]) -> dict[str, Any]:
    return {name: how for name, how in (body.get("depends_on") or {}).items() if name in here}


def _write(
    name: str,
    project: Mapping[str, Any],
    services: Mapping[str, Any],
    networks: Mapping[str, Any],
) -> bytes:
    document: dict[str, Any] = {"name": name, "services": services, "networks": networks}
    used = {
        volume["source"]
        for body in services.values()
        for volume in body.get("volumes") or ()
        if volume.get("type") == "volume" and volume.get("source")
    }
    volumes = {key: project["volumes"][key] or {} for key in sorted(used)}
    if volumes:
        document["volumes"] = volumes
    for section in ("configs", "secrets"):
        if project.get(section):
            document[section] = project[section]
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()


def _escape(value: str) -> str:
    return value.replace("$", "$$")
