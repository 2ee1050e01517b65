"""A service of the game: it says who it is, and what those that it calls say."""

import json
import os
import signal
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT = 8000
ABOUT = json.loads((Path(__file__).parent / "about.json").read_text())


def describe() -> dict[str, object]:
    """Name and version, and those of the services it calls."""
    return {
        "name": ABOUT["name"],
        "version": os.environ.get("VERSION", "dev"),
        "calls": {name: ask(name) for name in ABOUT["calls"]},
    }


def ask(name: str) -> object:
    """What another service says of itself; None when it does not answer."""
    try:
        with urllib.request.urlopen(f"http://{name}:{PORT}/", timeout=2) as answer:
            return json.load(answer)
    except OSError:
        return None


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = {"status": "ok"} if self.path == "/health" else describe()
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *words: object) -> None:
        if self.path != "/health":
            print(format % words, file=sys.stderr, flush=True)


def serve() -> None:
    """Until SIGTERM; requests under way are answered first."""
    server = ThreadingHTTPServer(("", PORT), Handler)
    server.daemon_threads = False
    signal.signal(
        signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown, daemon=True).start()
    )
    server.serve_forever(poll_interval=0.1)
    server.server_close()


if __name__ == "__main__":
    serve()
