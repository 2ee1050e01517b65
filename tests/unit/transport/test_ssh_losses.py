"""A host that takes every connection and answers on none: the end comes, though not at once."""

import time
from threading import Event
from types import SimpleNamespace

import pytest

from fairlead.errors import HostError
from fairlead.model import Command, Host
from fairlead.transport import connection, ssh
from fairlead.transport.connection import SshSettings
from fairlead.transport.hearing import Hearing

STEP = Command(("sh", "-c", "true"), repeatable=True, timeout=600)


@pytest.fixture
def mute(monkeypatch):
    """Its connection opens each time, and is lost each time."""
    transport = ssh.SshTransport(Host("web1", "192.0.2.1", "deploy"), SshSettings())
    asked = []

    def lost(talk):
        asked.append(talk)
        raise ssh.Lost("no channel")

    monkeypatch.setattr(transport, "_open", lambda: None)
    monkeypatch.setattr(transport, "_say", lost)
    monkeypatch.setattr(ssh, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(ssh, "RECONNECT_SECONDS", 0.2)
    return transport, asked


def test_it_is_not_asked_for_ever(mute):
    transport, asked = mute
    with pytest.raises(HostError, match="the connection was lost"):
        transport.run(STEP)
    assert len(asked) > 2


def test_what_may_not_run_twice_is_asked_once(mute):
    transport, asked = mute
    with pytest.raises(HostError):
        transport.run(Command(("sh", "-c", "true")))
    assert len(asked) == 1


class Line:
    """The way to a host: `cut` is how many more attempts to connect fail."""

    def __init__(self, monkeypatch):
        self.attempts, self.cut = 0, 0
        monkeypatch.setattr(ssh, "connect", self.connect)
        monkeypatch.setattr(ssh, "POLL_SECONDS", 0.01)
        monkeypatch.setattr(ssh, "RECONNECT_SECONDS", 0.2)
        self.transport = ssh.SshTransport(Host("web1", "192.0.2.1", "deploy"), SshSettings())
        monkeypatch.setattr(self.transport, "_say", lambda talk: "said")

    def connect(self, host, settings):
        self.attempts += 1
        if self.cut:
            self.cut -= 1
            raise HostError(host.name, "no answer in time")
        self.connection = SimpleNamespace(is_connected=True)
        return self.connection

    def breaks(self, attempts):
        """Nobody speaks, the pulse finds the peer dead, and it stays away for so many attempts."""
        self.connection.is_connected, self.cut = False, attempts


@pytest.fixture
def line(monkeypatch):
    return Line(monkeypatch)


class TestAConnectionThatDiedWhileNobodySpoke:
    """Host A idles while B pulls; the next step begins within A's outage."""

    def test_it_is_waited_for_even_by_what_may_not_run_twice(self, line):
        """Nothing was sent yet, so nothing can have run."""
        line.transport.run(STEP)
        line.breaks(attempts=3)
        assert line.transport.run(Command(("sh", "-c", "true"))) == "said"
        assert line.attempts == 1 + 4

    def test_the_first_one_of_a_command_is_not_waited_for(self, line):
        line.cut = 1
        with pytest.raises(HostError, match="no answer in time"):
            line.transport.run(STEP)
        assert line.attempts == 1

    def test_a_host_that_was_waited_for_in_vain_is_not_waited_for_again(self, line):
        """An undo of ten steps takes no ten minutes; once it answers all is as before."""
        line.transport.run(STEP)
        line.breaks(attempts=1000)
        with pytest.raises(HostError, match="lost before `true`; it could not be made again") as e:
            line.transport.run(STEP)
        assert e.value.state == "nothing of it was sent"
        before = line.attempts
        with pytest.raises(HostError):
            line.transport.run(STEP)
        assert line.attempts == before + 1
        line.cut = 0
        line.transport.run(STEP)
        line.breaks(attempts=2)
        assert line.transport.run(STEP) == "said"


class TestACommandWithoutEnd:
    """Its time is over, and it is to be killed; whether it was is told by the host alone."""

    def ended(self, monkeypatch, open_session):
        monkeypatch.setattr(ssh, "ANSWER_SECONDS", 0.05)
        transport = ssh.SshTransport(Host("web1", "192.0.2.1", "deploy"), SshSettings())
        inner = SimpleNamespace(open_session=open_session)
        transport._connection = SimpleNamespace(transport=inner)
        endless = Command(("sh", "-c", "sleep 9"), timeout=0)
        hearing = Hearing(endless, None)
        hearing.feed(b"@pid 7\n")
        talk = ssh._Talk(endless, hearing, None, 0.0)
        with pytest.raises(HostError) as caught:
            transport._read(SimpleNamespace(recv=lambda _: None), talk)
        return caught.value

    def killer(self, asked, code=None):
        told = Event()
        if code is not None:
            told.set()
        return SimpleNamespace(exec_command=asked.append, status_event=told, exit_status=code)

    @pytest.mark.parametrize("code", [0, 1])
    def test_it_was_killed(self, monkeypatch, code):
        asked = []
        error = self.ended(monkeypatch, lambda timeout: self.killer(asked, code))
        assert error.what == "web1: no end of `sleep 9` after 0 s; it was killed"
        assert "kill -TERM -7" in asked[0]

    def test_it_is_not_said_to_be_killed_when_nobody_knows(self, monkeypatch):
        """The kill is not answered, or cannot even be sent."""

        def cut(timeout):
            raise OSError("connection reset")

        for opened in (lambda timeout: self.killer([]), cut):
            error = self.ended(monkeypatch, opened)
            assert "the host did not say that it was killed" in error.what
            assert error.state == "it may run on there"


def test_a_peer_that_gives_no_sign_of_life_is_dead_in_15_s(monkeypatch):
    """The longest from its last sign to the end: one pause, then one question without an answer."""
    assert connection.DEAD_PEER_SECONDS == 15
    monkeypatch.setattr(connection, "DEAD_PEER_SECONDS", 0.15)
    monkeypatch.setattr(connection, "PULSE_SECONDS", 0.05)
    alive, ended, last = [True], Event(), [0.0]

    def ask(word, wait):
        if time.monotonic() - began < 0.2:
            last[0] = time.monotonic()
        else:
            ended.wait(5)

    def close():
        alive.clear()
        ended.set()

    peer = SimpleNamespace(is_active=lambda: bool(alive), global_request=ask, close=close)
    began = time.monotonic()
    connection._watch(peer)
    assert last[0] > 0
    assert 0.1 < time.monotonic() - last[0] < 1
