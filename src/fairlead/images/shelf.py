"""A registry that can only be read, made of OCI layouts, served over whatever carries bytes.

It answers what `docker pull` asks by digest (OCI distribution specification 1.1, "Pulling
manifests" and "Pulling blobs"), and counts the bytes of content that go out.
"""

import re
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from fairlead.images.layout import Layout

PIECE = 1 << 18
_PATH = re.compile(r"/v2/(.+)/(manifests|blobs)/(sha256:[0-9a-f]{64})")


class Shelf:
    """layouts: repository → the image there. serve() speaks HTTP on an open connection."""

    def __init__(self, layouts: Mapping[str, Layout]) -> None:
        self._types: dict[tuple[str, str], str] = {}
        self._layouts = dict(layouts)
        self._lock = threading.Lock()
        self.sent = 0
        for repository, layout in layouts.items():
            for one in (layout.root, *layout.manifests()):
                self._types[repository, one.digest] = one.media_type
                if one != layout.root or not self._is_index(layout):
                    for part in layout.parts(one):
                        self._types.setdefault((repository, part.digest), "")

    def serve(self, connection: Any) -> None:
        """Answer requests until the other side closes. connection: a socket, or an SSH channel."""
        shelf = self

        class Requests(_Requests):
            def find(self, repository: str, digest: str) -> tuple[Path, str] | None:
                return shelf.find(repository, digest)

            def count(self, number: int) -> None:
                shelf.count(number)

        Requests(connection, ("host", 0), None)  # type: ignore[arg-type]  # no server behind it

    def find(self, repository: str, digest: str) -> tuple[Path, str] | None:
        """The file of a blob and its media type, if it is for that repository."""
        kind = self._types.get((repository, digest))
        return None if kind is None else (self._layouts[repository].path(digest), kind)

    def count(self, number: int) -> None:
        with self._lock:
            self.sent += number

    @staticmethod
    def _is_index(layout: Layout) -> bool:
        return layout.root not in layout.manifests()


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def find(self, repository: str, digest: str) -> tuple[Path, str] | None:
        raise NotImplementedError

    def count(self, number: int) -> None:
        raise NotImplementedError

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def log_message(self, *_: object) -> None:
        """What is fetched shows in the progress of the pull."""

    def _answer(self, body: bool) -> None:
        found = _PATH.fullmatch(self.path.partition("?")[0])
        there = self.find(found[1], found[3]) if found else None
        if there is None:
            self._status(200 if self.path.rstrip("/") == "/v2" else 404)
            return
        file, kind = there
        self.send_response(200)
        self.send_header("Content-Type", kind or "application/octet-stream")
        self.send_header("Content-Length", str(file.stat().st_size))
        self.send_header("Docker-Content-Digest", f"sha256:{file.name}")
        self.end_headers()
        if body:
            self._send(file)

    def _send(self, file: Path) -> None:
        with file.open("rb") as content:
            while piece := content.read(PIECE):
                self.count(len(piece))  # before: whoever has it all also sees it counted
                self.wfile.write(piece)

    def _status(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        self.send_header("Content-Length", "0")
        self.end_headers()
