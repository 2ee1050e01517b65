"""A registry that answers every request for a manifest with bytes that nobody asked for."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.lab.hosts import Host, Lab

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OTHER = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": []}).encode()


class Liar(BaseHTTPRequestHandler):
    """`/v2/` exists; each manifest is the same wrong one, under the digest that was asked for."""

    def do_GET(self) -> None:
        self._answer(OTHER if "/manifests/" in self.path else b"{}")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", MANIFEST if body is OTHER else "application/json")
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        self.send_header("Docker-Content-Digest", self.path.rpartition("/")[2])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@contextmanager
def lying_registry(host: Host, lab: Lab) -> Iterator[None]:
    """What this host sends to the lab's registry arrives at a liar, as long as the block lasts."""
    server = ThreadingHTTPServer((lab.subnet.rpartition(".")[0] + ".1", 0), Liar)
    Thread(target=server.serve_forever, daemon=True).start()
    address, port = lab.registry.split(":")
    place = f"{server.server_address[0]}:{server.server_port}"
    rule = f"OUTPUT -p tcp -d {address} --dport {port} -j DNAT --to-destination {place}"
    host.must(f"iptables -t nat -I {rule}", user="root")
    try:
        yield
    finally:
        host.must(f"iptables -t nat -D {rule}", user="root")
        server.shutdown()
        server.server_close()
