"""A host that takes every connection and answers on none: the end comes, though not at once."""

import pytest

from fairlead.errors import HostError
from fairlead.model import Command, Host
from fairlead.transport import ssh
from fairlead.transport.connection import SshSettings

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
