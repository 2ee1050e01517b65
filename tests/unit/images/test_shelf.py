"""A host's engine can pull from a shelf: by digest, what belongs to the repository, no more."""

import http.client
import socket
import threading

import pytest
from layouts import make

from fairlead.images.layout import INDEX, digest_of
from fairlead.images.shelf import Shelf


@pytest.fixture
def layout(tmp_path):
    return make(tmp_path / "image")


@pytest.fixture
def shelf(layout):
    return Shelf({"team/app": layout})


@pytest.fixture
def ask(shelf):
    """`ask("GET", path)`: an answer over a connection that is no network connection."""
    ours, theirs = socket.socketpair()
    threading.Thread(target=shelf.serve, args=(theirs,), daemon=True).start()
    connection = http.client.HTTPConnection("shelf", timeout=5)
    connection.sock = ours

    def asked(method, path):
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()

    yield asked
    connection.close()


def test_it_says_that_it_is_a_registry(ask):
    assert ask("GET", "/v2/")[0] == 200


def test_the_index_and_all_it_names_are_served(ask, layout, shelf):
    status, headers, body = ask("GET", f"/v2/team/app/manifests/{layout.root.digest}")
    assert (status, headers["Content-Type"], digest_of(body)) == (200, INDEX, layout.root.digest)
    for one in layout.manifests():
        assert digest_of(ask("GET", f"/v2/team/app/manifests/{one.digest}")[2]) == one.digest
        for part in layout.parts(one):
            assert digest_of(ask("GET", f"/v2/team/app/blobs/{part.digest}")[2]) == part.digest


def test_the_bytes_that_go_out_are_counted(ask, layout, shelf):
    ask("HEAD", f"/v2/team/app/manifests/{layout.root.digest}")
    assert shelf.sent == 0
    body = ask("GET", f"/v2/team/app/manifests/{layout.root.digest}")[2]
    assert shelf.sent == len(body)


@pytest.mark.parametrize(
    "path",
    [
        "/v2/team/other/manifests/{digest}",
        "/v2/team/app/manifests/latest",
        "/v2/team/app/blobs/../../../etc/passwd",
        "/etc/passwd",
    ],
)
def test_anything_else_is_not_there(ask, layout, path):
    assert ask("GET", path.format(digest=layout.root.digest))[0] == 404
