"""An OCI image layout: a folder of blobs named by their digests, and an index of what they are.

OCI image specification 1.1, image-layout.md.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
ATTESTATION = "vnd.docker.reference.type"
ATTESTED = "vnd.docker.reference.digest"


@dataclass(frozen=True)
class Blob:
    """A descriptor: what a blob is, by digest and size in bytes."""

    digest: str
    size: int
    media_type: str
    platform: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Blob":
        where = raw.get("platform") or {}
        variant = f"/{where['variant']}" if where.get("variant") else ""
        platform = f"{where['os']}/{where['architecture']}{variant}" if where else ""
        return cls(
            raw["digest"],
            int(raw["size"]),
            raw.get("mediaType", ""),
            platform,
            raw.get("annotations") or {},
        )

    @property
    def is_attestation(self) -> bool:
        return self.annotations.get(ATTESTATION) == "attestation-manifest"


@dataclass(frozen=True)
class Layout:
    """The folder of one image; `root` is what its index names: an image or an index of images."""

    folder: Path

    @property
    def root(self) -> Blob:
        entries = json.loads((self.folder / "index.json").read_bytes())["manifests"]
        return Blob.of(entries[0])

    def path(self, digest: str) -> Path:
        return self.folder / "blobs" / digest.replace(":", "/", 1)

    def read(self, digest: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.path(digest).read_bytes())
        return document

    def write(self, content: bytes) -> tuple[str, int]:
        """Keep a blob; its digest and size."""
        digest = digest_of(content)
        self.path(digest).write_bytes(content)
        return digest, len(content)

    def point(self, root: Blob) -> None:
        """Let the layout's own index name this one manifest or image index, and nothing else."""
        entry = {"mediaType": root.media_type, "digest": root.digest, "size": root.size}
        document = {"schemaVersion": 2, "manifests": [entry]}
        (self.folder / "index.json").write_bytes(canonical(document))

    def manifests(self) -> tuple[Blob, ...]:
        """The manifests, attestations too; just the root when it is no index."""
        if self.root.media_type != INDEX:
            return (self.root,)
        return tuple(Blob.of(one) for one in self.read(self.root.digest)["manifests"])

    def images(self) -> tuple[Blob, ...]:
        """The manifests that can run, one a platform."""
        return tuple(one for one in self.manifests() if not one.is_attestation)

    def parts(self, manifest: Blob) -> Iterator[Blob]:
        """What a manifest consists of: its configuration, then its layers from the lowest."""
        document = self.read(manifest.digest)
        for raw in (document["config"], *document["layers"]):
            yield Blob.of(raw)


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def canonical(document: Mapping[str, Any]) -> bytes:
    """JSON whose bytes depend on nothing but what it says."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
