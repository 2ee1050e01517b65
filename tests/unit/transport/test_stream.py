"""Bytes out of a host and into one: real SSH, between the two ends of a socket pair."""

import socket
import threading
from types import SimpleNamespace

import paramiko
import pytest

from fairlead.errors import HostError
from fairlead.model import Command, Host
from fairlead.transport import stream

HOST = Host("web1", "web1.test", "deploy", 22, ())
TAR = Command(("tar",), timeout=0.3)


class Server(paramiko.ServerInterface):
    """Says three bytes and that there are no more; then ends with a code, or never."""

    def __init__(self, code):
        self.code = code

    def check_auth_none(self, username):
        return paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel, command):
        threading.Thread(target=self._say, args=(channel,), daemon=True).start()
        return True

    def _say(self, channel):
        channel.sendall(b"abc")
        channel.shutdown_write()
        if self.code is not None:
            channel.send_exit_status(self.code)


@pytest.fixture
def host(monkeypatch):
    """`host(0)`: a host that the stream connects to, whose command ends so; None: never."""
    ends = []

    def begin(code):
        here, there = socket.socketpair()
        server, client = paramiko.Transport(there), paramiko.Transport(here)
        ends.extend((client, server))
        server.add_server_key(paramiko.ECDSAKey.generate())
        server.start_server(threading.Event(), Server(code))
        client.connect(username="deploy")
        client.auth_none("deploy")
        connection = SimpleNamespace(transport=client, close=client.close)
        monkeypatch.setattr(stream, "connect", lambda host, settings: connection)
        return HOST

    yield begin
    for one in ends:
        one.close()


def test_a_download_is_whole_when_its_command_says_so(host):
    assert b"".join(stream.download(host(0), None, TAR)) == b"abc"


def test_a_command_that_fails_is_told_after_its_bytes(host):
    chunks = stream.download(host(2), None, TAR)
    assert next(chunks) == b"abc"
    with pytest.raises(HostError, match=r"the transfer failed \(exit code 2\)"):
        next(chunks)


@pytest.mark.timeout(30)
def test_a_command_that_never_ends_is_given_up_in_its_time(host):
    """All bytes came, and then nobody said that they were all."""
    with pytest.raises(HostError, match="no end of it in 0 s"):
        list(stream.download(host(None), None, TAR))
    with pytest.raises(HostError, match="no end of it in 0 s"):
        stream.upload(host(None), None, TAR, [b"abc"])
