"""Which image a reference means, here and now: its digest, and the commit it was built from."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.images.reference import parse
from fairlead.images.registry import Registry
from fairlead.model import REVISION, Command
from fairlead.transport.local import run_local


@dataclass(frozen=True)
class Identity:
    """reference: as a scanner is given it; by its digest when a registry has it alone.

    digest: the one a registry knows it by; empty for an image that was never in one. commit: what
    its label says; empty when it says nothing.
    """

    reference: str
    digest: str
    commit: str


def identify(text: str, registry: Callable[[str], Registry]) -> Identity:
    """The image in the local engine, else in its registry.

    registry: by server. Raises PreconditionError when it is in neither.
    """
    here = _in_engine(text)
    if here is not None:
        labels: Mapping[str, str] = here["Config"].get("Labels") or {}
        return Identity(text, _known_as(text, here), labels.get(REVISION, ""))
    reference = parse(text)
    asked = registry(reference.server)
    image = asked.resolve(reference)
    return Identity(image.pinned, image.digest, asked.labels(reference).get(REVISION, ""))


def _in_engine(text: str) -> dict[str, Any] | None:
    """What the engine of this machine knows of it; None without an engine, or without it."""
    said = run_local(Command(("docker", "image", "inspect", text), timeout=30.0))
    found: list[dict[str, Any]] = json.loads(said.out) if said.ok else []
    return found[0] if found else None


def _known_as(text: str, image: Mapping[str, Any]) -> str:
    """Its digest in the registry that the reference names."""
    name = parse(text).name
    digests = {parse(one).name: parse(one).digest for one in image.get("RepoDigests") or ()}
    return digests.get(name, "")
