"""What a builder can do is known before anything is built."""

from pathlib import Path

import pytest

from fairlead.commands.buildx import Builder
from fairlead.errors import PreconditionError
from fairlead.images.builder import Able, find_builder, platforms_of
from fairlead.images.recipe import Buildable

TWO_NODES = """\
Name:          fleet
Driver:        docker-container

Nodes:
Name:      fleet0
Endpoint:  unix:///var/run/docker.sock
Status:    running
Platforms: linux/amd64*, linux/amd64/v2, linux/386

Name:      fleet1
Endpoint:  ssh://arm.example.com
Status:    running
Platforms: linux/arm64/v8, linux/arm/v7, linux/386
"""
DOCKER = """\
#!/bin/sh
case "$*" in
*"buildx inspect"*) cat <<'END'
{inspect}
END
;;
*info*) echo '{status}' ;;
esac
"""


@pytest.fixture
def docker(tmp_path, monkeypatch):
    """`docker(inspect, status)`: a client that says this of its builder and its engine."""

    def say(inspect, status="[]"):
        file = tmp_path / "docker"
        file.write_text(DOCKER.format(inspect=inspect, status=status))
        file.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return say


def image(*platforms, cross=False):
    here = Path("/src")
    return Buildable(
        name="api",
        services=("api",),
        image="",
        context=here,
        dockerfile=here / "Dockerfile",
        platforms=platforms,
        cross=cross,
    )


def test_a_builder_runs_what_any_of_its_nodes_runs(docker):
    docker(TWO_NODES)
    able = find_builder("")
    assert (able.driver, able.native) == ("docker-container", "linux/amd64")
    able.require([image("linux/amd64", "linux/arm64"), image("linux/arm64/v8", "linux/arm/v7")])


def test_a_platform_that_no_node_runs_is_refused_with_the_ways_to_get_it(docker):
    docker(TWO_NODES)
    with pytest.raises(PreconditionError, match="cannot run linux/riscv64") as caught:
        find_builder("").require([image("linux/amd64", "linux/riscv64")])
    assert "cross = true" in caught.value.next_step


def test_what_runs_nothing_of_its_platform_needs_no_node():
    Able(Builder(), "docker", ("linux/amd64",)).require([image("linux/riscv64", cross=True)])


def test_platforms_are_told_once_each():
    assert platforms_of(TWO_NODES).count("linux/386") == 1
    assert platforms_of("Driver: docker") == ()


def test_the_engine_s_own_builder_needs_the_image_store(docker):
    own = "Name: default\nDriver: docker\nPlatforms: linux/amd64"
    docker(own)
    with pytest.raises(PreconditionError, match="without the containerd image store"):
        find_builder("")
    docker(own, '[["driver-type","io.containerd.snapshotter.v1"]]')
    assert find_builder("").platforms == ("linux/amd64",)


def test_without_buildx_the_way_to_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PreconditionError, match="no `docker buildx`"):
        find_builder("")
