"""manifest.json: a release as it is recorded on a host. No secret is in it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.model import Image

SCHEMA = 1


@dataclass(frozen=True)
class Facts:
    """What is the same on every host: where a release comes from, and how it was rolled out.

    bypass: which gates it passed by, and why; empty when it passed them.
    """

    release: str
    sequence: int
    tag: str
    app: str
    environment: str
    commit: str
    created: str
    strategy: str
    config_hash: str
    bypass: str = ""


def write(facts: Facts, images: Mapping[str, Image], host: Mapping[str, Any]) -> bytes:
    """The manifest's text: one JSON object."""
    document = {
        "schema": SCHEMA,
        "id": facts.release,
        "sequence": facts.sequence,
        "tag": facts.tag,
        "app": facts.app,
        "environment": facts.environment,
        "commit": facts.commit,
        "created": facts.created,
        "strategy": facts.strategy,
        "config_hash": facts.config_hash,
        "bypass": facts.bypass,
        "images": {
            name: {
                "repository": image.repository,
                "tag": image.tag,
                "digest": image.digest,
                "commit": image.commit,
            }
            for name, image in sorted(images.items())
        },
        "host": dict(host),
    }
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()


def images(manifest: Mapping[str, Any]) -> dict[str, Image]:
    """The images by digest that a manifest records."""
    return {
        name: Image(
            entry["repository"], entry["tag"], entry["digest"], commit=entry.get("commit", "")
        )
        for name, entry in manifest["images"].items()
    }
