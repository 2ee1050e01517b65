"""An OCI layout as `docker load` takes it, whatever its image store: a docker-archive."""

import io
import json
import tarfile
from pathlib import Path

from fairlead.images.layout import Blob, Layout


def write_archive(layout: Layout, image: Blob, name: str, file: Path) -> str:
    """Write one platform's image to a tar file, tagged `name`; the digest of its configuration.

    The layers stay compressed as they are; the engine unpacks those it lacks.
    """
    config, *layers = layout.parts(image)
    manifest = [
        {
            "Config": _place(config),
            "RepoTags": [name],
            "Layers": [_place(layer) for layer in layers],
        }
    ]
    with tarfile.open(file, "w") as archive:
        _add(archive, "manifest.json", json.dumps(manifest).encode())
        for blob in {one.digest: one for one in (config, *layers)}.values():
            archive.add(layout.path(blob.digest), _place(blob))
    return config.digest


def _place(blob: Blob) -> str:
    return f"blobs/{blob.digest.replace(':', '/', 1)}"


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
