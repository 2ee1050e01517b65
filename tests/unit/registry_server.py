"""A registry in this process: just enough of the OCI distribution protocol to be asked."""

import base64
import hashlib
import http.server
import json
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest_of(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


@dataclass
class Seen:
    """A request: which server was asked, for what, and how the client called itself."""

    server: str
    path: str
    authorization: str
    accept: str


@dataclass
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Content:
    """What a registry holds, and how it wants to be asked.

    guard: what it asks of a stranger: "" nothing, "Basic", "Bearer". stale: so many requests find
    their token expired. busy: so many tokens are refused with 503. identity: a token that is
    exchanged for one. special: answers by path.
    """

    user: str = "ada"
    password: str = "hunter2-correct-horse"
    guard: str = ""
    name: str = "registry"
    realm: str = ""
    stale: int = 0
    busy: int = 0
    identity: str = ""
    tells_digest: bool = True
    manifests: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    special: dict[str, Answer] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    def image(self, tag: str, system: str = "linux", machine: str = "amd64", **more: Any) -> str:
        """Add a single-platform image; its digest."""
        config = json.dumps({"os": system, "architecture": machine, **more}).encode()
        self.blobs[digest_of(config)] = config
        layers = [{"size": 1000}, {"size": 234}]
        body = {"config": {"digest": digest_of(config)}, "layers": layers}
        return self.add(tag, MANIFEST, body)

    def index(self, tag: str, *platforms: dict[str, str]) -> str:
        """Add an index of images, with the attestation that buildx puts beside them."""
        entries = [
            {"digest": self.image(f"{tag}-{n}", one["os"], one["architecture"]), "platform": one}
            for n, one in enumerate(platforms)
        ]
        unknown = {"os": "unknown", "architecture": "unknown"}
        return self.add(tag, INDEX, {"manifests": [{"digest": "x", "platform": unknown}, *entries]})

    def add(self, tag: str, kind: str, body: dict[str, Any]) -> str:
        raw = json.dumps({"mediaType": kind, **body}).encode()
        digest = digest_of(raw)
        for name in (tag, digest):
            self.manifests[name], self.types[name] = raw, kind
        return digest

    def answer(self, path: str, authorization: str) -> Answer:
        if path.startswith("/token"):
            return self.token(authorization)
        if self.guard and (not self.admits(authorization) or self.expired()):
            return Answer(401, b"{}", {"WWW-Authenticate": self.challenge()})
        if path in self.special:
            return self.special[path]
        return self.content(path)

    def expired(self) -> bool:
        self.stale -= 1
        return self.stale >= 0

    def content(self, path: str) -> Answer:
        kind, name = path.rsplit("/", 2)[1:]
        if kind == "manifests" and name in self.manifests:
            raw = self.manifests[name]
            told = {"Docker-Content-Digest": digest_of(raw)} if self.tells_digest else {}
            return Answer(200, raw, {"Content-Type": self.types[name], **told})
        if kind == "blobs" and name in self.blobs:
            return Answer(200, self.blobs[name])
        if kind == "tags" and self.tags:
            return Answer(200, json.dumps({"tags": self.tags}).encode())
        return Answer(404, b'{"errors": []}')

    def challenge(self) -> str:
        if self.guard == "Basic":
            return 'Basic realm="registry"'
        scope = "repository:team/app:pull"
        return f'Bearer realm="{self.realm}/token",service="registry.test",scope="{scope}"'

    def admits(self, authorization: str) -> bool:
        wanted = self.basic() if self.guard == "Basic" else "Bearer pass-for-pull"
        return authorization == wanted

    def basic(self) -> str:
        pair = f"{self.user}:{self.password}".encode()
        return "Basic " + base64.b64encode(pair).decode()

    def token(self, authorization: str) -> Answer:
        self.busy -= 1
        if self.busy >= 0:
            return Answer(503)
        if authorization != self.basic():
            return Answer(401, b'{"details": "wrong password"}')
        return Answer(200, b'{"token": "pass-for-pull"}')

    def exchanged(self, form: dict[str, list[str]]) -> Answer:
        """The token server's answer to an identity token (OAuth 2)."""
        if form["grant_type"] == ["refresh_token"] and form["refresh_token"] == [self.identity]:
            return Answer(200, b'{"access_token": "pass-for-pull"}')
        return Answer(401)


class RegistryServer(http.server.ThreadingHTTPServer):
    """Serves a Content on loopback until it is closed."""

    def __init__(self, content: Content) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RegistryServer

    def do_GET(self) -> None:
        content = self.server.content
        authorization = self.headers["Authorization"] or ""
        accept = self.headers["Accept"] or ""
        content.seen.append(Seen(content.name, self.path, authorization, accept))
        self.reply(content.answer(self.path, authorization))

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.reply(self.server.content.exchanged(form))

    def reply(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""
