"""A layer to a host without a registry, beside `docker save | ssh` of the same bytes."""

import gzip
import hashlib
import io
import itertools
import os
import shlex
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from figures import Figure, Measure, Target, alternate
from lab import Host, Ssh, lab, last_host
from processes import python, run

from fairlead.images.layout import MANIFEST, Blob, Layout, canonical
from tests.lab.builder import docker

SIZE = 60_000_000
PORT = 5996
OURS, PIPED = "ours: push --via-ssh", "docker save | ssh cat"
SAVED = "docker save | ssh docker load"
DELIVER = """
from pathlib import Path
from fairlead.images.deliver import deliver
from fairlead.images.record import Built
from fairlead.model import Host
from fairlead.transport.ssh import SshSettings, SshTransport
transport = SshTransport(Host("host", address, "deploy"), SshSettings(key, known_hosts))
repository = f"localhost:{port}/bench/layer"
built = Built(name="layer", services=("layer",), image=repository, digest=digest, platforms={},
    tags=("bench",), layout="layout", size=0, smoke="", sbom="", scan="")
found = deliver(Path(folder), [built], {"host": transport}, lambda event: None)["host"]
transport.close()
assert not isinstance(found, Exception), found
assert found.bytes > 60_000_000, found
"""


def measure(runs: int | None, host: str) -> Measure:
    found = lab()
    ssh, target = Ssh(found), last_host(found, host)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            seconds = alternate(
                runs or 5,
                {
                    OURS: _ours(ssh, target, folder),
                    SAVED: _saved(ssh, target, folder, "docker load -q"),
                    PIPED: _saved(ssh, target, folder, "cat >/dev/null"),
                },
            )
        finally:
            ours = f"docker images -q localhost:{PORT}/bench/layer"
            ssh.run(
                target, f"{ours} | sort -u | xargs -r docker rmi -f; docker rmi -f bench-layer; :"
            )
            docker("rmi", "-f", "bench-layer")
    roles = ("ours", "peer", "limit")
    return Measure(
        "via_ssh",
        f"one layer of {SIZE / 1e6:.0f} MB that a host lacks, whole process",
        tuple(Figure(n, s, r) for (n, s), r in zip(seconds.items(), roles, strict=True)),
        (Target(OURS, 1.3, SAVED),),
        ("random bytes, so packing saves nothing; new ones for every run",),
    )


def _ours(ssh: Ssh, host: Host, folder: Path) -> Callable[[], float]:
    numbers = itertools.count()

    def once() -> float:
        place = folder / f"ours{next(numbers)}"
        facts = {"folder": str(place), "digest": _layout(place / "layout"), "port": str(PORT)}
        argv = python(DELIVER, ssh.facts(host) | facts)
        started = time.perf_counter()
        run(argv)
        return time.perf_counter() - started

    return once


def _layout(folder: Path) -> str:
    """An OCI layout of one layer with new random bytes; its digest."""
    (folder / "blobs/sha256").mkdir(parents=True)
    layout = Layout(folder)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        entry = tarfile.TarInfo("data")
        entry.size = SIZE
        archive.addfile(entry, io.BytesIO(os.urandom(SIZE)))
    diff = "sha256:" + hashlib.sha256(tar.getvalue()).hexdigest()
    digest, size = layout.write(gzip.compress(tar.getvalue(), 1))
    about = {"os": "linux", "architecture": "amd64"}
    rootfs = {"type": "layers", "diff_ids": [diff]}
    config, length = layout.write(canonical({**about, "rootfs": rootfs, "config": {}}))
    kind = "application/vnd.oci.image"
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": f"{kind}.config.v1+json", "digest": config, "size": length},
        "layers": [{"mediaType": f"{kind}.layer.v1.tar+gzip", "digest": digest, "size": size}],
    }
    root, length = layout.write(canonical(manifest))
    layout.point(Blob(root, length, MANIFEST))
    return root


def _saved(ssh: Ssh, host: Host, folder: Path, receiver: str) -> Callable[[], float]:
    def once() -> float:
        context = folder / "context"
        context.mkdir(exist_ok=True)
        (context / "Dockerfile").write_text("FROM scratch\nCOPY data /data\n")
        (context / "data").write_bytes(os.urandom(SIZE))
        docker("build", "-q", "-t", "bench-layer", str(context))
        call = shlex.join(ssh.argv(host, receiver))
        started = time.perf_counter()
        run(["sh", "-c", f"docker save bench-layer | {call}"])
        return time.perf_counter() - started

    return once
