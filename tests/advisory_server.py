"""A server on loopback that answers as OSV and as npm's registry do, with invented advisories.

Each id begins with FAKE, and each text says that it is invented: nothing here is about the package
it names. Protocols: google.github.io/osv.dev/post-v1-query and npm's bulk advisory endpoint.
"""

import contextlib
import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

INVENTED = "INVENTED for the tests of Fairlead; there is no such vulnerability"
PYTHON = {
    "jinja2": {
        "id": "FAKE-2026-0001",
        "aliases": ["CVE-0000-0001"],
        "summary": INVENTED,
        "details": INVENTED,
        "published": "2026-01-01T00:00:00Z",
        "modified": "2026-01-01T00:00:00Z",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "jinja2"},
                "ranges": [
                    {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.1.5"}]}
                ],
            }
        ],
    }
}
NPM = {
    "left-pad": {
        "id": 1,
        "url": "https://github.com/advisories/GHSA-fake-fake-fake",
        "title": INVENTED,
        "severity": "high",
        "vulnerable_versions": "<1.1.0",
        "cwe": ["CWE-1333"],
        "cvss": {"score": 7.5, "vectorString": None},
    }
}


PACKAGES = {
    "left-pad": {
        "name": "left-pad",
        "dist-tags": {"latest": "1.1.0"},
        "versions": {
            version: {"name": "left-pad", "version": version, "dist": {}}
            for version in ("1.0.0", "1.1.0")
        },
    }
}
"""What npm asks beside, to tell whether a newer version would do."""


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = PACKAGES.get(self.path.strip("/"))
        self._answer(known or {}, 200 if known else 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        asked = json.loads(body)
        if self.path.endswith("/advisories/bulk"):
            self._answer({name: [NPM[name]] for name in asked if name in NPM})
        else:
            known = PYTHON.get(asked["package"]["name"])
            self._answer({"vulns": [known]} if known else {})

    def _answer(self, document: Any, status: int = 200) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tests look at what the scanners say."""


@contextlib.contextmanager
def advisories() -> Iterator[str]:
    """The address of a server with the invented advisories: `http://127.0.0.1:<port>`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
