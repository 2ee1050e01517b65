"""An image arrives whole or not at all, whatever happens on the way."""

import socket
import ssl

import pytest
from layouts import make
from pushable import PushServer, Store

from fairlead.errors import PreconditionError
from fairlead.images import transfer
from fairlead.images.credentials import Credentials
from fairlead.images.exchange import Exchange, _is_lasting
from fairlead.images.reference import Reference
from fairlead.images.upload import PushRefused, Upload
from fairlead.model import Secret


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def server(store):
    running = PushServer(store)
    yield running
    running.close()


@pytest.fixture
def layout(tmp_path):
    return make(tmp_path / "image", layers=(b"a" * 5000, b"b" * 300))


@pytest.fixture
def sending(server, layout, monkeypatch):
    """`sending()`: an upload of the layout to the server, in pieces of 1000 bytes."""
    monkeypatch.setattr(transfer, "PIECE", 1000)

    def make_one(credentials=None, patience=20.0, **more):
        target = Reference(server.address, "team/app", "")
        exchange = Exchange(server.address, credentials, timeout=5)
        return Upload(exchange, target, layout, lambda *_: None, patience=patience, **more)

    return make_one


def complete(store, layout):
    """Every blob and manifest is there, byte for byte."""
    for one in layout.manifests():
        assert store.manifests[one.digest] == layout.path(one.digest).read_bytes()
        for part in layout.parts(one):
            assert store.blobs[part.digest] == layout.path(part.digest).read_bytes()
    return True


def test_everything_is_sent_and_the_tag_names_the_index(sending, store, layout):
    sent = sending().run(["v1"])
    assert complete(store, layout)
    assert store.manifests["v1"] == layout.path(layout.root.digest).read_bytes()
    assert sent.bytes == sum(map(len, store.blobs.values()))


def test_what_is_there_is_not_sent_again(sending, store, layout):
    sending().run(["v1"])
    before = len(store.sent)
    again = sending().run(["v2"])
    assert (again.bytes, len(store.sent)) == (0, before)
    assert store.manifests["v2"] == store.manifests["v1"]


def test_a_cut_goes_on_where_it_was(sending, store, layout):
    """Half of the first part had arrived, then half of the rest; neither is sent again."""
    store.cut = 2
    assert sending().run(["v1"]).retries == 2
    assert complete(store, layout)
    first = next(layout.parts(layout.manifests()[0])).size
    begin, length = store.sent[0]
    assert begin == first // 2 + (first - first // 2) // 2
    assert begin + length == first


def test_a_layer_goes_whole_where_ranges_may_only_be_small(sending, store, layout):
    store.limit = 10
    assert sending().run(["v1"]).retries == 0
    assert complete(store, layout)
    store.blobs.clear()
    store.cut = 1
    assert sending().run(["v1"]).retries == 2  # cut, then its rest refused
    assert complete(store, layout)


def test_a_registry_that_does_not_know_its_place_gets_it_whole(sending, store, layout):
    store.cut, store.stuck = 1, 10
    assert sending().run(["v1"]).retries == 2
    assert complete(store, layout)


def test_a_layer_that_is_too_large_is_told_in_the_registrys_words(sending, store):
    store.whole = 1000
    with pytest.raises(PushRefused, match="HTTP 416") as caught:
        sending().run(["v1"])
    assert caught.value.why == ("blob is too large",)


def test_a_lost_answer_costs_no_second_sending(sending, store, layout):
    store.mute = 1
    assert sending().run(["v1"]).retries == 1
    assert complete(store, layout)
    assert len(store.sent) == len(store.blobs)


def test_an_upload_the_registry_has_forgotten_begins_anew(sending, store, layout):
    store.cut, store.forget = 1, 1
    assert sending().run(["v1"]).retries >= 1
    assert complete(store, layout)


def test_a_busy_registry_is_asked_again(sending, store, layout):
    store.busy = 3
    assert sending().run(["v1"]).retries >= 3
    assert complete(store, layout)


def test_it_gives_up_when_nothing_moves(sending, store):
    store.busy = 10**6
    with pytest.raises(PreconditionError, match="gave up"):
        sending(patience=0.6).run(["v1"])
    assert not store.manifests


def test_another_repository_of_the_server_lends_its_layers(sending, store, layout):
    mounts: dict[str, str] = {}
    sending(mounts=mounts).run(["v1"])
    held, store.requests = dict(store.blobs), []
    assert set(mounts) == set(held)
    first = next(iter(held))
    upload_ = sending(mounts=mounts)
    upload_.target = Reference(upload_.target.server, "team/other", "")
    assert upload_.run(["v1"]).bytes == 0
    assert first in store.blobs


def test_a_taken_tag_is_refused_before_anything_is_sent(sending, store, layout):
    store.manifests["v1.2.3"] = b"another image"
    with pytest.raises(PushRefused, match=r"v1\.2\.3 exists and is another image") as caught:
        sending().check_tags(["v1.2.3"])
    assert "--force-tag=v1.2.3" in caught.value.next_step
    assert not store.uploads


def test_a_tag_that_is_ours_already_is_no_conflict(sending):
    sending().run(["v1.2.3"])
    sending().check_tags(["v1.2.3"])


def test_a_digest_that_is_not_ours_is_refused(sending, store):
    store.lie = "sha256:" + "0" * 64
    with pytest.raises(PushRefused, match="for another digest than ours"):
        sending().run(["v1"])
    assert "v1" not in store.manifests


@pytest.mark.parametrize("swap", [b"", b"another manifest"])
def test_a_registry_that_tells_no_digest_is_asked_what_it_has(sending, store, layout, swap):
    """No word of it is no proof."""
    store.silent, store.swap = True, swap
    if swap:
        with pytest.raises(PushRefused, match="for another digest than ours"):
            sending().run(["v1"])
    else:
        sending().run(["v1"])
        sending().check_tags(["v1"])
        assert complete(store, layout)


def test_tags_that_are_set_already_are_told(sending, store):
    store.refuse = "v1.4"
    with pytest.raises(PushRefused) as caught:
        sending().run(["v1.4.2", "v1.4", "v1"])
    assert caught.value.state == "v1.4.2 is the new image; its other tags are as they were"


def test_a_wrong_password_is_a_sentence_without_it(sending, store):
    store.password = "right-horse-battery"
    wrong = Credentials("ada", Secret("wr0ng-horse-battery"))
    with pytest.raises(PushRefused, match="does not let us push") as caught:
        sending(wrong).run(["v1"])
    error = caught.value
    assert error.exit_code == 1
    told = " ".join((error.what, *error.why, error.state, error.next_step))
    assert "horse" not in told
    assert "docker login" in told


def test_the_right_password_pushes(sending, store, layout):
    store.password = "right-horse-battery"
    sending(Credentials("ada", Secret("right-horse-battery"))).run(["v1"])
    assert complete(store, layout)


def test_a_registry_that_speaks_no_tls_is_told_at_once(server, layout):
    """A minute later it would be the same."""
    address = server.address.replace("127.0.0.1", "127.0.0.2")  # not taken for plain HTTP
    one = Upload(
        Exchange(address, None, timeout=5),
        Reference(address, "team/app", ""),
        layout,
        lambda *_: None,
    )
    with pytest.raises(PreconditionError, match="insecure = true"):
        one.run(["v1"])
    assert one.sent.retries == 0


@pytest.mark.parametrize(
    ("error", "lasting"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), True),
        (socket.gaierror(socket.EAI_AGAIN, "again"), False),
        (ssl.SSLCertVerificationError(1, "self-signed"), True),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), True),
        (ssl.SSLEOFError(8, "EOF in violation of protocol"), False),
        (ConnectionResetError(), False),
        (TimeoutError(), False),
    ],
)
def test_what_lasts_is_not_tried_again(error, lasting):
    assert _is_lasting(error) is lasting
