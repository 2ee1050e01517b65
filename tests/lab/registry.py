"""Images that no honest build makes, put into the lab's registry by its own HTTP API."""

import gzip
import hashlib
import http.client
import io
import json
import tarfile
from typing import Any

from tests.lab.hosts import Lab

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def push_image(
    lab: Lab,
    name: str,
    tag: str,
    *,
    architecture: str = "amd64",
    layer: bytes | None = None,
    layer_size: int | None = None,
) -> str:
    """An image of one layer; its digest. layer_size: what the manifest says the layer's size is."""
    content = _layer() if layer is None else layer
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {"Cmd": ["/bin/true"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(content).hexdigest()]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _blob(lab, name, json.dumps(config).encode(), CONFIG),
        "layers": [_blob(lab, name, content, LAYER)],
    }
    if layer_size is not None:
        manifest["layers"][0]["size"] = layer_size
    body = json.dumps(manifest).encode()
    _request(lab, "PUT", f"/v2/{name}/manifests/{tag}", body, MANIFEST)
    return "sha256:" + hashlib.sha256(body).hexdigest()


def _blob(lab: Lab, name: str, content: bytes, kind: str) -> dict[str, Any]:
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    place = _request(lab, "POST", f"/v2/{name}/blobs/uploads/")["location"]
    path = place.split("://")[-1].partition("/")[2]
    _request(lab, "PUT", f"/{path}&digest={digest}", content, "application/octet-stream")
    return {"mediaType": kind, "digest": digest, "size": len(content)}


def _request(lab: Lab, method: str, path: str, body: bytes = b"", kind: str = "") -> dict[str, str]:
    connection = http.client.HTTPConnection(lab.push, timeout=10)
    try:
        connection.request(method, path, body, {"Content-Type": kind} if kind else {})
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status in (201, 202), f"{method} {path}: {answer.status} {text}"
        return {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()


def _layer() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("hello"))
    return gzip.compress(buffer.getvalue(), mtime=0)
