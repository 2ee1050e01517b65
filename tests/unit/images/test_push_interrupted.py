"""Ctrl-C in the middle of a push: no tag is set, nothing more is begun, the next push goes on."""

import signal
import threading

import pytest
from layouts import make
from pushable import PushServer, Store

from fairlead.events import HostProgress
from fairlead.images import push, transfer
from fairlead.images.exchange import Exchange
from fairlead.images.push import Sending, push_all
from fairlead.images.record import Built

NAMES = ("api", "mail", "web", "worker", "zoo")


@pytest.fixture
def server():
    running = PushServer(Store())
    yield running
    running.close()


@pytest.fixture
def wanted(server, tmp_path, monkeypatch):
    """Five images, one sent at a time in pieces of 1000 bytes."""
    monkeypatch.setattr(transfer, "PIECE", 1000)
    monkeypatch.setattr(push, "PARALLEL", 1)
    return [image(server, tmp_path, name) for name in NAMES]


def image(server, root, name):
    layout = make(root / name, platforms=("amd64",), layers=(name.encode() * 5000,))
    return Built(
        name=name,
        services=(name,),
        image=f"{server.address}/team/{name}",
        digest=layout.root.digest,
        platforms={},
        tags=("v1",),
        layout=name,
        size=0,
        smoke="passed",
        sbom="passed",
        scan="passed",
    )


def test_no_tag_is_set_and_the_next_push_goes_on(server, wanted, tmp_path):
    heard = []

    def connect(address):
        return Exchange(address, None, timeout=5)

    def stop(event):
        first = not any(isinstance(one, HostProgress) for one in heard)
        heard.append(event)
        if first and isinstance(event, HostProgress):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            sending.cancel.wait(10)

    sending = Sending(tmp_path, connect, stop)
    with pytest.raises(KeyboardInterrupt) as stopped:
        push_all(sending, wanted)
    assert "none names half an image" in stopped.value.__notes__[0]
    assert "v1" not in server.store.manifests
    assert not [one for one in server.store.requests if "/team/zoo/blobs" in one]

    found = push_all(Sending(tmp_path, connect, heard.append), wanted)
    assert all(one.sent for one in found)
    assert "v1" in server.store.manifests
