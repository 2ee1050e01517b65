"""Qdrant's HTTP API as its documentation has it, spoken with bash: no Qdrant can be run here.

The server records what it is asked and keeps snapshots as bytes, so what is proven is the words
(method, path, headers, upload), and that bytes arrive as they left. Documentation:
api.qdrant.tech/api-reference/snapshots.
"""

import json
import re
import shlex
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

SNAPSHOT = bytes(range(256)) * 300 + b"\r\n--not-the-boundary\n\n"


class Qdrant(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, code, body):
        data = body if isinstance(body, bytes) else json.dumps({"result": body}).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle_any(self):
        server = self.server
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        server.asked.append(f"{self.command} {self.path}")
        if server.key and self.headers.get("api-key") != server.key:
            return self.answer(401, "Must provide an API key")
        if self.path == "/collections":
            return self.answer(200, {"collections": [{"name": name} for name in server.held]})
        if "/snapshots/upload" in self.path:
            boundary = re.search("boundary=(.*)", self.headers["Content-Type"])[1].encode()
            head, _, rest = body.partition(b"\r\n\r\n")
            assert b'name="snapshot"' in head
            server.uploads[self.path.split("/")[2]] = rest.removesuffix(
                b"\r\n--" + boundary + b"--\r\n"
            )
            return self.answer(200, True)
        if self.command == "POST":
            return self.answer(200, {"name": "a-1.snapshot", "size": len(SNAPSHOT)})
        if self.command == "GET":
            found = server.held[self.path.split("/")[2]]
            return self.answer(500 if server.broken else 200, found)
        return self.answer(200, True)

    do_GET = do_POST = do_DELETE = handle_any  # noqa: N815


@pytest.fixture
def qdrant():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Qdrant)
    server.held = {"docs": SNAPSHOT, "users": b"\0" + SNAPSHOT}
    server.asked, server.uploads, server.key, server.broken = [], {}, "", False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture
def host(shell):
    """A host with bash, whose container answers at this machine's own address."""
    shell.with_system("bash").tool(
        "docker",
        'case "$1" in ps) echo c0ffee ;; inspect) echo "127.0.0.1 " ;; exec) echo s3cret ;; esac',
    )
    (shell.base / "data").mkdir(parents=True)
    return shell


def dump(host, qdrant, *more, variable=""):
    words = shlex.join(("c0ffee", variable, str(qdrant.server_port), *more))
    file = shlex.quote(str(host.base / "dump.gz"))
    return host.run(f'fl_file="$FL_BASE/data/q.gz"\nfl_kind_qdrant dump {words} | gzip >{file}')


def restore(host, qdrant):
    words = ("fl_kind_qdrant", "restore", "c0ffee", str(host.base / "dump.gz"))
    return host.call(*words, "", str(qdrant.server_port))


def test_every_collection_goes_out_and_comes_back_byte_for_byte(host, qdrant):
    done = dump(host, qdrant)
    assert done.code == 0, done.err
    assert qdrant.asked == [
        "GET /collections",
        *(
            line
            for name in ("docs", "users")
            for line in (
                f"POST /collections/{name}/snapshots?wait=true",
                f"GET /collections/{name}/snapshots/a-1.snapshot",
                f"DELETE /collections/{name}/snapshots/a-1.snapshot",
            )
        ),
    ]
    done = restore(host, qdrant)
    assert done.code == 0, done.err
    assert qdrant.uploads == qdrant.held
    assert "POST /collections/docs/snapshots/upload?priority=snapshot&wait=true" in qdrant.asked


def test_only_the_collections_that_are_named(host, qdrant):
    dump(host, qdrant, "users")
    restore(host, qdrant)
    assert set(qdrant.uploads) == {"users"}


def test_the_key_comes_from_the_container(host, qdrant):
    qdrant.key = "s3cret"
    assert dump(host, qdrant, variable="QDRANT__SERVICE__API_KEY").err == ""
    refused = dump(host, qdrant)
    assert "qdrant: GET /collections: 401" in refused.err


def test_an_answer_that_is_none_fails_the_dump(host, qdrant):
    qdrant.broken = True
    line = f"fl_kind_qdrant dump c0ffee '' {qdrant.server_port} >/dev/null"
    done = host.run(f'fl_file="$FL_BASE/data/q.gz"\n{line}')
    assert done.code == 1
    assert "a-1.snapshot: 500" in done.err
    assert qdrant.asked[-1] == "DELETE /collections/docs/snapshots/a-1.snapshot", "it stays there"


def test_one_that_is_not_required_fails_without_a_trace(host, qdrant):
    """What was staged is no part of the backup, which is whole without it."""
    qdrant.broken = True
    (host.base / "releases/0001-v1").mkdir(parents=True)
    (host.base / "backups").mkdir()
    kind = ("fl_kind_qdrant", "vectors", "", str(qdrant.server_port))
    done = host.run(
        "fl_backup_begin 20251202-143022 0001-v1 2\n"
        + shlex.join(("fl_backup_data", "20251202-143022", "vectors", "optional", *kind))
        + "\nfl_backup_end 20251202-143022"
    )
    assert done.code == 0, done.err
    assert "a-1.snapshot: 500" in done.err
    assert "@warning no data of vectors" in done.out
    data = host.base / "backups/20251202-143022/data"
    assert [path.name for path in data.iterdir()] == ["manifest.json"]


def test_the_first_dump_is_measured_by_its_storage(host):
    """Twice, as snapshots are staged; an image that does not tell is no obstacle."""
    words = ("fl_kind_qdrant", "size", "c0ffee", "", "6333")
    host.tool("docker", "printf '12\\t.\\n30\\ttotal\\n' | tail -n 1")
    assert host.call(*words).out == "60\n"
    host.tool("docker", "echo 'cd: no such directory' >&2; exit 1")
    assert host.call(*words).out == "0\n"
