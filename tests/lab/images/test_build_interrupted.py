"""Ctrl-C in the middle of a build, and a second build beside the first."""

import os
import signal
import subprocess

import pytest

from tests.lab.builder import docker
from tests.lab.hosts import wait_for
from tests.lab.project import _program


@pytest.fixture
def slow(sources, lab, unscanned):
    """An image that starts and never answers: its smoke test waits for ten minutes."""
    recipe = f'FROM {lab.registry}/lab/python:3.13-slim\nCMD ["sleep", "900"]\n'
    shop = sources("imgstop", files={"api/Dockerfile": recipe})
    file = shop.folder / "deploy/fairlead.toml"
    file.write_text(file.read_text().replace('path = "/etc', 'timeout = "10m"\npath = "/etc'))
    shop.commit("slow")
    return shop


def left(kind):
    """What smoke tests of this image left: containers, or images."""
    if kind == "image":
        return docker("image", "ls", "-q", "fairlead-smoke/api")
    return docker("ps", "-aq", "--filter", "label=fairlead.smoke=1")


def test_nothing_is_recorded_or_left_and_no_other_build_comes_between(slow):
    before = left("container")
    environ = {**os.environ, "DOCKER_CONFIG": str(slow.docker_config)}
    words = [_program("inv"), "build", "--service=api"]
    with subprocess.Popen(
        words, cwd=slow.folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        wait_for(lambda: left("container") != before, 90, "the image is being tried")
        refused = slow.inv("build", "--service=web")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"state: no image was recorded" in err
    assert refused.code == 1
    assert "another `inv build` or `inv push` is at work" in refused.err
    assert left("container") == before
    assert left("image") == ""
    assert not list(slow.folder.glob(".fairlead/builds/*.json"))
    slow.inv("build", "--service=web").ok()
