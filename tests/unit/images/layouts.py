"""OCI layouts for tests: real blobs, made here."""

from pathlib import Path

from fairlead.images.layout import ATTESTATION, ATTESTED, INDEX, MANIFEST, Blob, Layout, canonical

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
UNKNOWN = {"os": "unknown", "architecture": "unknown"}


def put(layout: Layout, content: bytes, kind: str, **more: object) -> dict[str, object]:
    digest, size = layout.write(content)
    return {"mediaType": kind, "digest": digest, "size": size, **more}


def make(
    folder: Path,
    platforms=("amd64", "arm64"),
    layers=(b"one", b"two"),
    run="1",
    slsa="v0.2",
    labels=None,
) -> Layout:
    """An index of images with provenance, as BuildKit writes it in the run named `run`."""
    layout = Layout(folder)
    (folder / "blobs/sha256").mkdir(parents=True)
    entries = []
    for machine in platforms:
        where = {"os": "linux", "architecture": machine}
        own = {"config": {"Labels": labels}} if labels else {}
        config = put(layout, canonical({**where, **own, "rootfs": {}}), CONFIG)
        parts = [put(layout, part + machine.encode(), LAYER) for part in layers]
        image = put(layout, canonical(manifest(config, parts)), MANIFEST, platform=where)
        entries += [image, provenance(layout, str(image["digest"]), run, slsa)]
    index = put(layout, canonical({"schemaVersion": 2, "manifests": entries}), INDEX)
    layout.point(Blob.of(index))
    return layout


def manifest(config: object, layers: list[dict[str, object]]) -> dict[str, object]:
    return {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}


def predicate(run: str, slsa: str) -> dict[str, object]:
    """What BuildKit attests of the run named `run`, as it says it in that version of SLSA."""
    if slsa == "v0.2":
        own = {"layers": {"step0:0": run}, "vcs": {"source": run, "revision": "abc"}}
        metadata = {"buildInvocationID": run, "buildStartedOn": run, "reproducible": False}
        metadata |= {"https://mobyproject.org/buildkit@v1#metadata": own}
        return {"buildType": "buildkit", "metadata": metadata, "digestMapping": {run: "step0"}}
    metadata = {"invocationId": run, "startedOn": run, "finishedOn": run, "reproducible": False}
    inner = {"buildConfig": {"digestMapping": {run: "step0"}}}
    definition = {"buildType": "buildkit", "internalParameters": inner}
    return {"buildDefinition": definition, "runDetails": {"builder": {}, "metadata": metadata}}


def provenance(layout: Layout, image: str, run: str, slsa: str) -> dict[str, object]:
    kind = f"https://slsa.dev/provenance/{slsa}"
    statement = {"predicateType": kind, "predicate": predicate(run, slsa)}
    about = {"in-toto.io/predicate-type": kind}
    layer = put(layout, canonical(statement), "application/vnd.in-toto+json", annotations=about)
    config = put(layout, canonical(UNKNOWN), CONFIG)
    marks = {ATTESTATION: "attestation-manifest", ATTESTED: image}
    content = canonical(manifest(config, [layer]))
    return put(layout, content, MANIFEST, platform=UNKNOWN, annotations=marks)
