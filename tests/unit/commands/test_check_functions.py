"""What doctor and host.check ask of a host, under the shells that hosts have.

The `docker` here only repeats what a test gives it; what docker really says is for the lab.
"""

import os
import socket
import time
from collections.abc import Iterator

import pytest

from fairlead.commands import check


@pytest.fixture
def host(shell):
    """A host whose script carries the closer look too."""
    shell.with_system("nproc")
    shell.ask = lambda command: shell.run(" ".join(command.argv))
    return shell


@pytest.fixture
def taken() -> Iterator[int]:
    """A TCP port of this machine that something listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_that_listens_is_taken_and_another_is_free(host, taken):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        free = unused.getsockname()[1]
        done = host.ask(check.ports(taken, free))
    assert done.code == 0, done.err
    assert done.marks == [f"@port {taken} taken", f"@port {free} free"]


def test_a_port_that_only_ipv6_listens_on_is_taken(host):
    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    with server:
        port = server.getsockname()[1]
        assert host.ask(check.ports(port)).marks == [f"@port {port} taken"]


def test_a_published_port_names_its_container(host):
    host.tool(
        "docker",
        'case "$1" in ps) echo 1 2 ;; inspect) echo "/web 80/tcp=8081 81/udp=443"; '
        'echo "/fairlead-router 8080/tcp=80 8443/tcp=443" ;; esac',
    )
    assert host.ask(check.ports(443, 8081)).marks == [
        "@port 443 container fairlead-router",
        "@port 8081 container web",
    ]


def test_the_basics_need_no_docker(host, tmp_path):
    shut = tmp_path / "shut"
    done = host.ask(check.basics(str(tmp_path / "not/yet"), str(shut / "deeper")))
    clock, flock, *directories = done.marks
    assert abs(int(clock.split()[1]) - time.time()) < 5
    assert flock.startswith("@flock /")
    assert directories == [f"@directory {tmp_path}/not/yet yes", f"@directory {shut}/deeper yes"]


def test_a_file_that_cannot_be_read_is_told(host, tmp_path):
    there = tmp_path / "there.pem"
    there.write_text("")
    assert host.ask(check.file(str(there))).marks == [f"@file {there} yes"]
    assert host.ask(check.file(f"{there}x")).marks == [f"@file {there}x no"]


def test_registries_are_asked_for_what_no_image_is(host):
    host.tool("docker", 'echo "first line"; echo "asked: $*"; exit 1')
    nothing = "0" * 64
    assert sorted(host.ask(check.registries("one.test/a", "two.test/b")).marks) == [
        f"@registry one.test/a asked: pull one.test/a@sha256:{nothing}",
        f"@registry two.test/b asked: pull two.test/b@sha256:{nothing}",
    ]


def test_the_figures_of_a_host_without_docker(host, tmp_path):
    done = host.ask(check.figures(str(tmp_path / "not/there")))
    assert done.code == 0, done.err
    words = [mark.split() for mark in done.marks]
    told = {word[0]: word[1:] for word in words}
    assert told["@engine"] == ["missing"]
    assert float(told["@uptime"][0]) > 0
    assert told["@load"][3] == str(len(os.sched_getaffinity(0)))
    assert {word[1] for word in words if word[0] == "@memory"} >= {"MemTotal", "MemAvailable"}
    mounts = [word[4] for word in words if word[0] == "@disk"]
    assert "/" in mounts
    assert len(mounts) == len(set(mounts))
