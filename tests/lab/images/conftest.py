"""What the tests of images share: a builder, a registry that may be killed, projects."""

import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.builder import (
    Sources,
    docker,
    own_docker_config,
    running_builder,
    without_scanners,
)
from tests.lab.hosts import Lab

PASSWORD = "right-horse-battery"


@pytest.fixture(scope="session")
def docker_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return own_docker_config(tmp_path_factory.mktemp("docker"))


@pytest.fixture(scope="session")
def builder(
    lab: Lab, docker_config: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The name of a Docker context with a builder that can do all."""
    with running_builder(lab, tmp_path_factory.mktemp("builder"), docker_config) as name:
        yield name


@dataclass
class Killable:
    """A registry of our own on this machine, at one port through its lives."""

    port: int
    name: str

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def kill(self) -> None:
        docker("kill", self.name)

    def start(self) -> None:
        docker("start", self.name)


@pytest.fixture
def killable() -> Iterator[Killable]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    image = docker("inspect", "--format", "{{.Config.Image}}", "fairlead-registry")
    name = f"fairlead-test-registry-{port}"
    docker("run", "-d", "--name", name, "--publish", f"127.0.0.1:{port}:5000", image)
    try:
        yield Killable(port, name)
    finally:
        docker("rm", "-fv", name)


@pytest.fixture
def guarded(lab: Lab, tmp_path: Path) -> Iterator[str]:
    """The address of a registry that lets in `ada` with PASSWORD alone, for us and the builder."""
    import bcrypt

    secret = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4, b"2b")).decode()
    (tmp_path / "htpasswd").write_text(f"ada:{secret}\n")
    image = docker("inspect", "--format", "{{.Config.Image}}", "fairlead-registry")
    name = f"fairlead-test-guarded-{os.getpid()}"
    asks = {"": "htpasswd", "_HTPASSWD_REALM": "lab", "_HTPASSWD_PATH": "/htpasswd"}
    words = [f"--env=REGISTRY_AUTH{key}={value}" for key, value in asks.items()]
    volume = ("--volume", f"{tmp_path}/htpasswd:/htpasswd:ro")
    docker("run", "-d", "--name", name, "--network", lab.network, *volume, *words, image)
    where = f'{{{{(index .NetworkSettings.Networks "{lab.network}").IPAddress}}}}'
    try:
        yield f"{docker('inspect', '--format', where, name)}:5000"
    finally:
        docker("rm", "-fv", name)


@pytest.fixture(scope="module")
def sources(
    lab: Lab, builder: str, docker_config: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Sources]:
    def make(app: str, **more: object) -> Sources:
        folder = tmp_path_factory.mktemp(app)
        return Sources(folder, lab, builder, docker_config, app, **more).write()  # type: ignore[arg-type]

    return make


@pytest.fixture
def unscanned() -> Iterator[None]:
    """Commands find no scanner, for a test of something else: they take 20 s for a Python image."""
    with without_scanners():
        yield


@pytest.fixture(scope="module")
def all_unscanned() -> Iterator[None]:
    """The same for all tests of a module."""
    with without_scanners():
        yield
