"""The parts list of an image, by syft where it is installed, in SPDX and in CycloneDX."""

import json
import os
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from fairlead.errors import PreconditionError
from fairlead.images.layout import Blob, Layout
from fairlead.images.revision import Revision
from fairlead.model import Command
from fairlead.transport.local import run_local

SPDX = "https://spdx.dev/Document"
CYCLONEDX = "https://cyclonedx.org/bom"
TIMEOUT = 600.0


def sbom_available() -> bool:
    return which("syft") is not None


def list_parts(
    layout: Layout, folder: Path, name: str, revision: Revision
) -> dict[str, dict[str, dict[str, Any]]]:
    """By image digest and predicate type, the documents; each is also a file in `folder`.

    What would differ in a second run (time, serial number) is taken from the commit and the
    image's digest, as SOURCE_DATE_EPOCH asks. Raises PreconditionError when syft fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for image in layout.images():
        platform = image.platform or "linux"
        stem = f"{name}-{platform.replace('/', '-')}"
        files = {SPDX: folder / f"{stem}.spdx.json", CYCLONEDX: folder / f"{stem}.cdx.json"}
        _run_syft(layout, image, files, name)
        documents = {kind: _document(file, name) for kind, file in files.items()}
        _settle(documents, image.digest, revision)
        for kind, file in files.items():
            file.write_text(json.dumps(documents[kind], indent=1, sort_keys=True) + "\n", "utf-8")
        found[image.digest] = documents
    return found


def _document(file: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except ValueError as fault:
        found = fault
    if isinstance(found, dict):
        return found
    raise PreconditionError(
        f"what syft wrote of {name} is no JSON object: {file.name}",
        why=[str(found)[:200]],
        state="the image is built, but neither recorded nor pushed",
        next_step="is the disk full? Else another syft: syft version; then inv build again",
    )


def _run_syft(layout: Layout, image: Blob, files: dict[str, Path], name: str) -> None:
    """syft reads a layout of one image only, so it is shown this one alone."""
    with TemporaryDirectory(prefix="fairlead-") as folder:
        alone = Layout(Path(folder))
        (alone.folder / "blobs").symlink_to((layout.folder / "blobs").absolute())
        (alone.folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        alone.point(image)
        argv = (
            *("syft", "scan", f"oci-dir:{folder}", "--quiet", "--source-name", name),
            *("--output", f"spdx-json={files[SPDX]}"),
            *("--output", f"cyclonedx-json={files[CYCLONEDX]}"),
        )
        environ = {**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"}
        said = run_local(Command(argv, timeout=TIMEOUT), environ=environ)
    if not said.ok:
        raise PreconditionError(
            f"syft could not list the parts of {name} ({image.platform})",
            why=said.err.strip().splitlines()[-5:],
            state="the image is built, but neither recorded nor pushed",
            next_step="fix what syft names, then inv build again",
        )


def _settle(documents: dict[str, dict[str, Any]], digest: str, revision: Revision) -> None:
    number = uuid5(NAMESPACE_URL, digest)
    spdx = documents[SPDX]
    spdx["documentNamespace"] = f"https://spdx.org/spdxdocs/{digest.replace(':', '-')}-{number}"
    spdx["creationInfo"]["created"] = revision.created
    cyclonedx = documents[CYCLONEDX]
    cyclonedx["serialNumber"] = f"urn:uuid:{number}"
    cyclonedx.setdefault("metadata", {})["timestamp"] = revision.created
