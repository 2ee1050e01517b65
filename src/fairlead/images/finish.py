"""What is done to a built layout before it gets its digest: SBOMs in, what varies by run out.

BuildKit's provenance tells when it ran, gives the run a random number, maps the digests its own
operations had in that run, lists layers as they were before their times were settled, and names
the folder and the remote of this clone; so the index of two equal builds would differ though every
image in it is the same. These fields (optional in SLSA 0.2 and 1.0, or BuildKit's own) are left
out; everything else that BuildKit attests stays as it said it: the labels, with commit and source,
are among the parameters.
"""

from collections.abc import Mapping
from typing import Any

from fairlead.images.layout import ATTESTED, INDEX, MANIFEST, Blob, Layout, canonical

IN_TOTO = "application/vnd.in-toto+json"
PREDICATE = "in-toto.io/predicate-type"
VARYING = frozenset(
    {"buildInvocationID", "buildStartedOn", "buildFinishedOn", "digestMapping"}  # SLSA 0.2
    | {"invocationId", "invocationID", "startedOn", "finishedOn"}  # SLSA 1.0
    | {"layers", "vcs"}  # BuildKit's
)
_UNKNOWN = {"architecture": "unknown", "os": "unknown"}

Sboms = Mapping[str, Mapping[str, Any]]
"""Of one image: predicate type → document."""


def finish(layout: Layout, sboms: Mapping[str, Sboms], annotations: Mapping[str, str]) -> str:
    """Rewrite the layout's index; its digest.

    sboms: by digest of the image they describe. Each becomes a layer of that image's attestation
    manifest, where `docker buildx imagetools inspect` finds it. annotations: of the index.
    """
    entries = layout.manifests()
    attested = {one.annotations.get(ATTESTED, ""): one for one in entries if one.is_attestation}
    images = [one for one in entries if not one.is_attestation]
    listed = [_entry(layout, one) for one in images]
    for image in images:
        statements = _statements(layout, attested.get(image.digest), sboms.get(image.digest, {}))
        if statements:
            listed.append(_attestation(layout, image, statements))
    index = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": listed,
        "annotations": dict(annotations),
    }
    digest, size = layout.write(canonical(index))
    layout.point(Blob(digest, size, INDEX))
    _drop_unused(layout)
    return digest


def _entry(layout: Layout, image: Blob) -> dict[str, Any]:
    """An image's entry; its platform is the configuration's when the builder made no index."""
    config = layout.read(next(layout.parts(image)).digest)
    platform = {key: config[key] for key in ("architecture", "os", "variant") if config.get(key)}
    return {
        "mediaType": image.media_type,
        "digest": image.digest,
        "size": image.size,
        "platform": platform,
    }


def _statements(
    layout: Layout, attestation: Blob | None, sboms: Sboms
) -> list[tuple[str, dict[str, Any]]]:
    found = []
    if attestation:
        for layer in list(layout.parts(attestation))[1:]:
            found.append((layer.annotations.get(PREDICATE, ""), _steady(layout.read(layer.digest))))
    for kind, document in sorted(sboms.items()):
        statement = {"_type": "https://in-toto.io/Statement/v0.1", "predicateType": kind}
        found.append((kind, {**statement, "subject": [], "predicate": dict(document)}))
    return found


def _steady(value: Any) -> Any:
    """The statement without what differs from run to run, however deep it is."""
    if isinstance(value, dict):
        return {key: _steady(item) for key, item in value.items() if key not in VARYING}
    return [_steady(item) for item in value] if isinstance(value, list) else value


def _attestation(
    layout: Layout, image: Blob, statements: list[tuple[str, dict[str, Any]]]
) -> dict[str, Any]:
    """An attestation manifest, as BuildKit's docs/attestations/attestation-storage.md has it."""
    layers = []
    for kind, statement in statements:
        algorithm, _, value = image.digest.partition(":")
        subject = {"name": "_", "digest": {algorithm: value}}
        digest, size = layout.write(canonical({**statement, "subject": [subject]}))
        about = {PREDICATE: kind}
        layers.append({"mediaType": IN_TOTO, "digest": digest, "size": size, "annotations": about})
    config, length = layout.write(
        canonical({**_UNKNOWN, "rootfs": {"type": "layers", "diff_ids": _digests(layers)}})
    )
    kind = "application/vnd.oci.image.config.v1+json"
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": kind, "digest": config, "size": length},
        "layers": layers,
    }
    digest, size = layout.write(canonical(manifest))
    return {
        "mediaType": MANIFEST,
        "digest": digest,
        "size": size,
        "platform": _UNKNOWN,
        "annotations": {
            ATTESTED: image.digest,
            "vnd.docker.reference.type": "attestation-manifest",
        },
    }


def _digests(layers: list[dict[str, Any]]) -> list[str]:
    return [layer["digest"] for layer in layers]


def _drop_unused(layout: Layout) -> None:
    """Remove the blobs that nothing reaches any more: the index and manifests that were before."""
    used = {layout.root.digest}
    for manifest in layout.manifests():
        used.add(manifest.digest)
        used.update(part.digest for part in layout.parts(manifest))
    for file in (layout.folder / "blobs" / "sha256").iterdir():
        if f"sha256:{file.name}" not in used:
            file.unlink()
