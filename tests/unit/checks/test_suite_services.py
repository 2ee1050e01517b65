"""Servers of this machine beside a suite: ready before it, gone after it. Where none is, skipped.

Containers are tests/lab's.
"""

import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fairlead.checks.suites.services import Unavailable, claim, started
from fairlead.checks.suites.services import server as servers
from fairlead.checks.suites.services.ready import answers
from fairlead.checks.suites.services.recipe import recipe
from fairlead.checks.suites.services.server import server
from fairlead.config.suites import SuiteService


def missing(what: str) -> bool:
    try:
        servers.SERVERS[what](Path("/nowhere"), 1)
    except Unavailable:
        return True
    return bool(os.getuid() == 0 and not shutil.which("setpriv"))


@pytest.fixture
def nothing_cancels() -> threading.Event:
    return threading.Event()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("name", ["redis", "postgres"])
def test_a_server_of_this_machine_is_there_for_a_suite_and_not_longer(name, nothing_cancels):
    if missing(name):
        pytest.skip(f"no {name} server on this machine")
    with server(recipe(name, None), nothing_cancels) as address:
        assert (address.host, address.kind) == ("127.0.0.1", "server")
        assert listens(address.port)
    assert not listens(address.port)


def test_a_server_ends_also_when_the_suite_fails(nothing_cancels):
    if missing("postgres"):
        pytest.skip("no PostgreSQL on this machine")
    wanted = recipe("postgres", None)

    def broken() -> None:
        with server(wanted, nothing_cancels) as address:
            ports.append(address.port)
            raise ZeroDivisionError

    ports: list[int] = []
    with pytest.raises(ZeroDivisionError):
        broken()
    assert not listens(ports[0])


def test_what_runs_in_containers_only_is_said_where_there_is_no_engine(
    nothing_cancels, monkeypatch, tmp_path
):
    monkeypatch.setenv("PATH", str(tmp_path))
    heard = []
    with (
        pytest.raises(Unavailable, match="docker is not installed; qdrant runs in a container"),
        started(["qdrant"], {}, cancel=nothing_cancels, tell=heard.append),
    ):
        pass
    assert heard == ["starting qdrant"]


@pytest.mark.parametrize(
    ("declared", "special"),
    [
        (None, ""),
        (SuiteService("postgres", image="postgres:15", variable="DB"), ""),
        (SuiteService("postgres", image="registry.test:5000/postgres@sha256:00"), ""),
        (SuiteService("postgres", image="docker.io/library/postgres:17-alpine"), ""),
        (SuiteService("postgres", image="pgvector/pgvector:pg17"), "pgvector/pgvector:pg17"),
        (SuiteService("postgres", image="team/postgres:17"), "team/postgres:17"),
        (SuiteService("postgres", env={"POSTGRES_DB": "shop"}), "the env that is declared"),
        (SuiteService("postgres", command=("postgres", "-cfsync=off")), "the command that"),
    ],
)
def test_a_server_of_this_machine_stands_in_for_nothing_else(
    declared, special, nothing_cancels, monkeypatch, tmp_path
):
    wanted = recipe("postgres", declared)
    assert wanted.special.startswith(special)
    assert bool(wanted.special) is bool(special)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(servers, "DEBIAN_POSTGRES", tmp_path)
    why = "does not do for .* has to succeed here" if special else "no PostgreSQL server on this"
    with pytest.raises(Unavailable, match=why), server(wanted, nothing_cancels):
        pass


def test_it_is_noted_that_a_server_of_this_machine_is_used_and_why(nothing_cancels, monkeypatch):
    if missing("postgres"):
        pytest.skip("no PostgreSQL on this machine")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    noted: list[str] = []
    with started(
        ["postgres"], {}, cancel=nothing_cancels, tell=lambda _: None, note=noted.append
    ) as found:
        assert found["POSTGRES_HOST"] == "127.0.0.1"
    assert len(noted) == 1
    assert noted[0].startswith(
        "service postgres: a server of this machine instead of postgres:17: no engine answers: "
    )


def test_addresses_are_handed_over_under_the_names_that_are_declared():
    from fairlead.checks.suites.services.recipe import Address

    here = Address("127.0.0.1", 6400, "container")
    assert here.variables(recipe("redis", None)) == {
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": "6400",
        "REDIS_URL": "redis://127.0.0.1:6400/0",
    }
    told = SuiteService("redis", variable="CACHE", url="redis://{host}:{port}/7")
    assert here.variables(recipe("redis", told))["CACHE"] == "redis://127.0.0.1:6400/7"
    own = SuiteService("object-store", image="minio/minio", port=9000)
    assert here.variables(recipe("object-store", own))["OBJECT_STORE_URL"] == "127.0.0.1:6400"


def test_a_port_behind_which_nothing_is_does_not_count_as_an_answer():
    """An engine's proxy accepts, and hangs up when nobody listens in the container."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        port = proxy.getsockname()[1]

        def hang_up() -> None:
            connection, _ = proxy.accept()
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        assert not answers(port)
        thread.join()
    assert not answers(port)


def test_a_client_that_was_killed_has_abandoned_what_it_claimed(tmp_path):
    code = (
        "import sys; from fairlead.checks.suites.services.claim import claim\n"
        "with claim() as path: print(path, flush=True); sys.stdin.read()"
    )
    words = (sys.executable, "-c", code)
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, env=environ) as client:
        assert client.stdout is not None
        path = client.stdout.readline().strip()
        assert not claim.abandoned(path)
        client.kill()
    assert claim.abandoned(path)
    claim.forget(path)
    assert not claim.abandoned(path), "what is not here may be another machine's"
    assert list(tmp_path.iterdir()) == []
