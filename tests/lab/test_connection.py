"""The connection breaks in the middle of a step, or the client sleeps through its lease."""

import signal
import subprocess
import time

import pytest

from fairlead.errors import HostError
from fairlead.model import Command
from fairlead.model import Host as Machine
from fairlead.transport.connection import DEAD_PEER_SECONDS, SshSettings
from fairlead.transport.ssh import SshTransport
from tests.lab.hosts import wait_for
from tests.lab.project import COMPOSE

LATE = '    command: ["sh", "-c", "sleep 3; exec python -m agentic.api"]\n'
SERVED = "    env_file: .env\n    ports"


@pytest.fixture(scope="module")
def app(project, image):
    """v1 is live; the next release takes three seconds until it is healthy."""
    app = project("cuts", compose=COMPOSE.replace(SERVED, LATE + SERVED), drain_timeout="2s",
                  keep_warm="1s", lock_lease="6s")  # fmt: skip
    app.deploy(image("v1")).ok()
    return app


@pytest.fixture
def wall(app):
    """`wall(port, "DROP")`: nothing passes on the connection from that port of ours to the host."""
    raised = []

    def raise_(port, target):
        rule = f"INPUT -p tcp --dport 22 --sport {port} -j {target}"
        app.hosts[0].must(f"iptables -I {rule}", user="root")
        raised.append(rule)

    yield raise_
    for rule in raised:
        app.hosts[0].must(f"iptables -D {rule}", user="root")


def port(running, host):
    """Our side of the connection that a command has to a host."""
    shown = subprocess.run(["ss", "-tnp"], capture_output=True, text=True, check=True).stdout
    [line] = [
        line
        for line in shown.splitlines()
        if f"pid={running.process.pid}," in line and f"{host.address}:22 " in line
    ]
    return line.split()[3].rpartition(":")[2]


def sessions(host):
    """Process ids of sshd's sessions that carry a deploy's step."""
    return host.must("pgrep -f '^sshd-session: deploy@notty' || :", user="root").split()


def other(app):
    return "v2" if app.serving() == "v1" else "v1"


def journal(app):
    """The steps of the last run, with their exit codes."""
    listed = app.hosts[0].must(
        f"cd {app.base}/journal && cd $(ls | tail -n 1) && "
        "for d in 0*; do echo $d $(cat $d/code 2>/dev/null); done"
    )
    return dict(line.split(".", 1)[1].split() for line in listed.splitlines())


@pytest.mark.parametrize("phase", ["start", "health", "switch", "drain"])
def test_a_session_that_dies_on_the_host_does_not_end_the_deploy(app, image, phase):
    """sshd's process for this connection is killed; the step goes on, and the deploy with it."""
    tag = image(other(app))
    before = set(sessions(app.hosts[0]))
    running = app.start("deploy", f"--tag={tag}", "--json")
    running.wait_for(f'"step": "{phase}", "title"')
    for pid in set(sessions(app.hosts[0])) - before:
        app.hosts[0].run(f"kill -9 {pid}", user="root")
    running.end().ok()
    assert app.serving() == tag
    assert set(journal(app).values()) == {"0"}


@pytest.mark.parametrize("target", ["DROP", "REJECT --reject-with tcp-reset"])
def test_a_connection_that_is_cut_is_made_again(app, image, wall, target):
    """The deploy goes on where it was; in 40 s, as that is the loss, a way back and a slow start.

    How soon the loss itself is found: the next test.
    """
    tag = image(other(app))
    running = app.start("deploy", f"--tag={tag}", "--json")
    running.wait_for('"step": "health", "title"')
    wall(port(running, app.hosts[0]), target)
    began = time.monotonic()
    running.wait_for('"step": "switch", "title"')
    reached = time.monotonic() - began
    running.end().ok()
    assert app.serving() == tag
    assert set(journal(app).values()) == {"0"}
    assert reached < 40


def test_a_silent_peer_is_found_dead_within_15_s(app, lab, wall):
    """By the transport's own timers alone, from cut to error; 3 s for a busy machine."""
    host = app.hosts[0]
    settings = SshSettings(str(lab.key), str(lab.known_hosts))
    transport = SshTransport(Machine(host.name, host.address, "deploy"), settings)
    cut = []

    def cut_off(_line):
        wall(transport._connection.transport.sock.getsockname()[1], "DROP")
        cut.append(time.monotonic())

    with pytest.raises(HostError, match="the connection was lost during"):
        transport.run(Command(("sh", "-c", "echo begun; exec sleep 100")), cut_off)
    assert time.monotonic() - cut[0] < DEAD_PEER_SECONDS + 3
    transport.close()


def test_a_client_that_sleeps_through_its_lease_changes_nothing(app, image):
    """Stopped in a step, overtaken when that step has ended and the lease is over, then woken."""
    first, second = image("v3"), image(other(app))
    running = app.start("deploy", f"--tag={first}", "--json")
    running.wait_for('"step": "start", "title"')
    running.signal(signal.SIGSTOP)
    try:
        wait_for(lambda: app.inv("lock.status", "--json").code == 0, 40, "the lease ends")
        done = app.deploy(second).ok()
    finally:
        running.signal(signal.SIGCONT)
    ended = running.end()
    assert "took over the lock" in done.text
    assert ended.code == 3, ended
    assert "the lock is no longer ours" in ended.text
    assert "nothing after that" in ended.error["state"]
    assert app.serving() == second
    assert app.inv("status").ok()
    events = [line["event"] for line in app.hosts[0].audit(app.app)]
    assert events[-2:] == ["lock-takeover", "deploy"]
