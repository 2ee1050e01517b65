"""The release that is to be live, and what of it each host gets. A deploy compiles one; a
rollback reads one from the manifests that the hosts kept. Strategies cannot tell them apart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fairlead.engines.compose.project_files import ProjectFile
from fairlead.model import Image


@dataclass(frozen=True)
class HostTarget:
    """One host's part of a release.

    replicas: slotted services here, and how many of each. routed: those the router serves.
    stateful: services that live outside the slots. files: name → content, to be uploaded; empty
    when the host has them. digests: name → sha256 (hex) of each file.
    """

    host: str
    replicas: Mapping[str, int]
    routed: tuple[str, ...]
    stateful: tuple[str, ...]
    images: tuple[str, ...]
    digests: Mapping[str, str]
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def workers(self) -> tuple[str, ...]:
        return tuple(name for name in self.replicas if name not in self.routed)

    def record(self) -> dict[str, Any]:
        """What the manifest keeps of it."""
        return {
            "replicas": dict(self.replicas),
            "routed": list(self.routed),
            "stateful": list(self.stateful),
            "images": list(self.images),
            "files": dict(self.digests),
        }

    @staticmethod
    def of_manifest(host: str, manifest: Mapping[str, Any]) -> "HostTarget":
        """The same, read back from a manifest on that host."""
        record = manifest["host"]
        return HostTarget(
            host,
            dict(record["replicas"]),
            tuple(record["routed"]),
            tuple(record["stateful"]),
            tuple(record["images"]),
            dict(record["files"]),
        )


@dataclass(frozen=True)
class Migration:
    """A command run once, on one host, with the new image and env, before the switch."""

    host: str
    service: str
    argv: tuple[str, ...]
    timeout: float
    irreversible: bool = False


@dataclass(frozen=True)
class Target:
    """What a plan leads to. `stamp` names the backup that is taken of what is live now.

    dump: the data are in that backup, too.
    """

    release: str
    sequence: int
    tag: str
    images: Mapping[str, Image]
    hosts: Mapping[str, HostTarget]
    stamp: str = ""
    dump: bool = False
    migration: Migration | None = None
    restore: Mapping[str, str] = field(default_factory=dict)  # host → backup to take files from
    mounted: tuple[ProjectFile, ...] = ()  # files of the project that travel with it
    bypass: str = ""  # the gates it went past, and why
    services: tuple[str, ...] = ()  # those asked for, when not all were
