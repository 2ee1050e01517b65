"""A registry in this process that can be pushed to, and that fails where it is told to."""

import base64
import hashlib
import http.server
import re
import threading
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit


@dataclass
class Store:
    """What it holds, and how it fails. sent: (offset, bytes) of each piece of a layer that came.

    cut: close that many PUTs of a layer after half of it. mute: close so many after all of it,
    without an answer. forget: that many uploads are not known when they are asked for. busy: that
    many requests meet 503. password: of user ada, if one is wanted. lie: the digest that it says
    it stored; silent: it says none. swap: what it keeps instead of a manifest. refuse: a tag
    it does not take. limit: bytes that one ranged piece may have (GHCR), whole: that any may have.
    stuck: the bytes it always says it has of an upload (ECR).
    """

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    sent: list[tuple[int, int]] = field(default_factory=list)
    cut: int = 0
    mute: int = 0
    forget: int = 0
    busy: int = 0
    password: str = ""
    lie: str = ""
    silent: bool = False
    swap: bytes = b""
    refuse: str = ""
    limit: int = 0
    whole: int = 0
    stuck: int = 0


class PushServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, store: Store) -> None:
        super().__init__(("", 0), _Handler)  # 127.0.0.2 is no localhost to a client
        self.store = store
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PushServer

    def handle_any(self) -> None:
        store = self.server.store
        store.requests.append(f"{self.command} {self.path}")
        length = int(self.headers["Content-Length"] or 0)
        if "/blobs/uploads/" in self.path and length and store.cut:
            store.cut -= 1
            half = self.rfile.read(length // 2)
            store.uploads[urlsplit(self.path).path.rsplit("/", 1)[1]] += half
            self.close_connection = True
            return None
        body = self.rfile.read(length)
        if store.password and not self.admitted(store.password):
            return self.answer(401, **{"WWW-Authenticate": 'Basic realm="r"'})
        if store.busy:
            store.busy -= 1
            return self.answer(503)
        parts = urlsplit(self.path)
        return self.route(store, parts.path, parse_qs(parts.query), body)

    def admitted(self, password: str) -> bool:
        expected = base64.b64encode(f"ada:{password}".encode()).decode()
        return self.headers["Authorization"] == f"Basic {expected}"

    def route(self, store: Store, path: str, query: dict[str, list[str]], body: bytes) -> None:
        kind = re.search(r"/(blobs/uploads|blobs|manifests)/([^/]*)$", path)
        assert kind, path
        if kind[1] == "blobs/uploads":
            return self.upload(store, path, kind[2], query, body)
        held = store.blobs if kind[1] == "blobs" else store.manifests
        if self.command == "PUT":
            if kind[2] == store.refuse:
                return self.answer(400)
            body = store.swap or body
            digest = "sha256:" + hashlib.sha256(body).hexdigest()
            store.manifests[kind[2]] = store.manifests[digest] = body
            return self.stored(store.lie or digest)
        if kind[2] not in held:
            return self.answer(404)
        digest = store.lie or "sha256:" + hashlib.sha256(held[kind[2]]).hexdigest()
        told = {} if store.silent else {"Docker-Content-Digest": digest}
        body = held[kind[2]] if self.command == "GET" else b""
        return self.answer(200, body, **told)

    def upload(
        self, store: Store, path: str, name: str, query: dict[str, list[str]], body: bytes
    ) -> None:
        if self.command == "POST":
            if query.get("mount", [""])[0] in store.blobs:
                return self.answer(201)
            name = f"u{len(store.requests)}"
            store.uploads[name] = b""
            return self.answer(202, Location=f"{path}{name}")
        if name not in store.uploads or store.forget:
            store.forget = max(0, store.forget - 1)
            return self.answer(404)
        if self.command == "GET":
            held = store.stuck or len(store.uploads[name])
            return self.answer(204, Location=path, Range=f"0-{max(0, held - 1)}")
        assert self.command == "PUT", self.command
        return self.take(store, name, query["digest"], body)

    def take(self, store: Store, name: str, digests: list[str], body: bytes) -> None:
        ranged = self.headers["Content-Range"]
        begin = int(ranged.split("-")[0]) if ranged else len(store.uploads[name])
        if begin != len(store.uploads[name]) or (ranged and 0 < store.limit < len(body)):
            return self.answer(416)
        if 0 < store.whole < len(body):
            return self.answer(416, b'{"errors": [{"message": "blob is too large"}]}')
        store.sent.append((begin, len(body)))
        content = store.uploads[name] + body
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        if digests != [digest]:
            return self.answer(400)
        store.blobs[digest] = content
        del store.uploads[name]
        if store.mute:
            store.mute -= 1
            self.close_connection = True
            return None
        return self.stored(digest)

    def stored(self, digest: str) -> None:
        told = {} if self.server.store.silent else {"Docker-Content-Digest": digest}
        self.answer(201, **told)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = handle_any  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""
