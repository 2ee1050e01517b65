"""An application of our own on one host of the lab: the example, in three releases."""

import random
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import Host, Lab, Ssh
from processes import ROOT, run

from tests.lab.project import Project

APP = "bench"
TAGS = ("bench-1", "bench-2", "bench-3")
LAYER = 5_000_000  # bytes that are new in each release


@contextmanager
def application(lab: Lab, host: Host, keep_warm: str = "10m") -> Iterator[Project]:
    """Its project, with the first release live; nothing of it is left on the host afterwards."""
    with tempfile.TemporaryDirectory() as name:
        _push_releases(Path(name))
        project = Project(Path(name) / "project", lab, APP, (host,), keep_warm=keep_warm).write()
        project.clear()
        try:
            project.deploy(TAGS[0]).ok()
            yield project
        finally:
            project.clear()


def pinned(ssh: Ssh, tag: str) -> str:
    """A release's image by digest, as the registry knows it."""
    told = run(
        ["docker", "manifest", "inspect", "--insecure", "-v", f"{ssh.lab.push}/agentic:{tag}"]
    )
    found = re.search(r'"digest": "(sha256:[0-9a-f]{64})"', told)
    assert found, told
    return f"{ssh.lab.registry}/agentic@{found[1]}"


def forget(ssh: Ssh, host: Host, reference: str) -> None:
    """The host has this image no more, so that it must be pulled; no container may use it."""
    ssh.run(
        host,
        f"id=$(docker image inspect --format '{{{{.Id}}}}' {reference} 2>/dev/null) || exit 0; "
        "docker ps -aq --filter ancestor=$id | xargs -r docker rm -f >/dev/null; "
        "docker image rm -f $id >/dev/null",
    )


def settle(ssh: Ssh, host: Host, project: Project) -> None:
    """Wait until the idle slot is stopped, as it is when `keep_warm` is over."""
    idle = {"blue": "green", "green": "blue"}[str(project.live())]
    running = f"docker ps -q --filter label=com.docker.compose.project={project.key}-{idle}"
    ssh.run(host, f'while [ -n "$({running})" ]; do sleep 0.1; done')


def _push_releases(folder: Path) -> None:
    """The example as scripts/lab builds it, and in each release a layer that is its own."""
    run([str(ROOT / "scripts/lab"), "image", "bench"])
    for tag in TAGS:
        # The same bytes in every run, so that a registry holds them once.
        (folder / "layer").write_bytes(random.Random(tag).randbytes(LAYER))
        (folder / "Dockerfile").write_text(
            f"FROM agentic:bench\nENV VERSION={tag}\nCOPY layer /srv/layer\n"
        )
        run(["docker", "build", "-q", "-t", f"agentic:{tag}", str(folder)])
        run([str(ROOT / "scripts/lab"), "push", f"agentic:{tag}", f"agentic:{tag}"])
