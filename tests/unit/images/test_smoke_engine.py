"""Where an image cannot be tried, that is told; it is not taken for passed."""

import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from layouts import make

from fairlead.images.recipe import Buildable
from fairlead.images.smoke import in_engine, try_image

pytestmark = pytest.mark.skipif(not shutil.which("docker"), reason="needs the docker program")


class Engine(BaseHTTPRequestHandler):
    """As much of an engine as `docker version` asks for; all else is refused and remembered."""

    asked: list[str]

    def do_HEAD(self):
        self._answer({})

    def do_GET(self):
        self.asked.append(self.path)
        self._answer({"Version": "28.0.0", "ApiVersion": "1.44", "Os": "linux", "Arch": "amd64"})

    def do_POST(self):
        self.asked.append(self.path)
        self.send_error(500)

    def _answer(self, what):
        body = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("Api-Version", "1.44")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def remote():
    """The address of an engine that is reached over the network, and what it is asked."""
    asked: list[str] = []
    handler = type("Remembering", (Engine,), {"asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"tcp://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def one(tmp_path):
    folder = tmp_path / "source"
    return Buildable(
        name="api", services=("api",), image="", context=folder, dockerfile=folder / "Dockerfile"
    )


def test_an_engine_on_another_machine_gets_no_image_and_the_smoke_test_is_not_run(
    one, remote, tmp_path, monkeypatch
):
    """Ports that it publishes are that machine's."""
    address, asked = remote
    monkeypatch.setenv("DOCKER_HOST", address)
    with in_engine(make(tmp_path / "layout"), one) as loaded:
        told = try_image(loaded, one, threading.Event())
    assert told == f"not run: the engine is on another machine ({address})"
    assert [path.rpartition("/")[2] for path in asked] == ["version"]


def test_without_an_engine_the_smoke_test_is_not_run(one, tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    with in_engine(make(tmp_path / "layout"), one) as loaded:
        told = try_image(loaded, one, threading.Event())
    assert told == "not run: this machine has no Docker engine"
