"""A load of three kinds of clients on one URL, counting every answer that is not as it should be.

    python tests/lab/load.py http://127.0.0.1:8080/ --host staging.example.com --seconds 10

keep-alive clients ask again and again on one connection; fresh ones open a connection for every
request; slow ones ask a path that takes long. All ask again as soon as they are answered, with two
exceptions: `think` makes keep-alive clients pause, so that their connection is idle when something
happens to it; fresh ones together make at most 300 connections a second, for a machine has 28,000
ports for them, and a port used twice in a minute may meet packets of its former connection.
Standard library only; `Load` runs it in a process of its own, so that the caller cannot slow it.
"""

import argparse
import asyncio
import dataclasses
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import urlsplit

EXAMPLES = 10
NEW_CONNECTIONS = 15  # a second, each fresh client
STOP_TIMEOUT = 90.0


@dataclass
class Report:
    """What was counted. ok: 2xx answers; bad: other statuses; errors: no whole answer at all.

    first: examples of what failed, the earliest ones. answers: bodies of 2xx answers, when they
    are short (a release's name, say), with their counts. slowest: seconds.
    """

    ok: int = 0
    bad: int = 0
    errors: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    by_kind: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    first: list[str] = field(default_factory=list)

    @property
    def failed(self) -> int:
        return self.bad + self.errors

    def __str__(self) -> str:
        lines = [
            f"{self.ok} ok, {self.bad} not 2xx, {self.errors} connection errors "
            f"in {self.seconds:.1f} s (slowest {self.slowest:.2f} s)"
        ]
        return "\n".join(lines + [f"  {example}" for example in self.first])


class Load:
    """Load from another process: `start()`, do what is to be tested, `stop()` → Report."""

    def __init__(
        self,
        url: str,
        host_header: str = "",
        *,
        keepalive: int = 20,
        fresh: int = 20,
        slow: int = 10,
        slow_path: str = "/api/v1/slow",
        think: float = 0.0,
        method: str = "GET",
        timeout: float = 60.0,
    ) -> None:
        self._words = [
            *(sys.executable, __file__, url, "--until-eof", "--json"),
            *(f"--host={host_header}", f"--slow-path={slow_path}", f"--think={think}"),
            *(f"--method={method}", f"--timeout={timeout}"),
            *(f"--keepalive={keepalive}", f"--fresh={fresh}", f"--slow={slow}"),
        ]
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> "Load":
        """Begin; returns when the first request was answered, well or not."""
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(self._words, stdin=pipe, stdout=pipe, text=True)
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "started\n":
            raise RuntimeError("the load did not start")
        return self

    def stop(self) -> Report:
        """End: requests under way are still answered and counted."""
        assert self._process is not None
        out, _ = self._process.communicate(timeout=STOP_TIMEOUT)
        return Report(**json.loads(out))

    def __enter__(self) -> "Load":
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


class _Connection:
    """One HTTP/1.1 connection; knows whether the server announced its end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.reusable = True

    @classmethod
    async def open(cls, host: str, port: int) -> "_Connection":
        return cls(*await asyncio.open_connection(host, port))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send, and read the whole answer: its status and body."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        version, status = status_line.split()[:2]
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        connection = headers.get("connection", "").lower()
        self.reusable = version == "HTTP/1.1" and connection != "close"
        return int(status), await self._body(headers)

    async def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return await self._chunks()
        if "content-length" in headers:
            return await self._reader.readexactly(int(headers["content-length"]))
        self.reusable = False
        return await self._reader.read()

    async def _chunks(self) -> bytes:
        body = b""
        while size := int((await self._reader.readline()).split(b";")[0], 16):
            body += await self._reader.readexactly(size)
            await self._reader.readexactly(2)
        await self._reader.readuntil(b"\r\n")
        return body

    def close(self) -> None:
        self._writer.close()

    def __str__(self) -> str:
        return f"port {self._writer.get_extra_info('sockname')[1]}"


class _Clients:
    """All clients of one run, and what they count."""

    def __init__(self, options: argparse.Namespace) -> None:
        parts = urlsplit(options.url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._name = options.host or parts.netloc
        self._path = parts.path or "/"
        self._options = options
        self._began = time.monotonic()
        self.report = Report()
        self.first_answer = asyncio.Event()
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """All clients, until `stopping` is set and each has its last answer."""
        options = self._options
        clients = [
            *(self._keepalive() for _ in range(options.keepalive)),
            *(self._fresh("fresh", self._path) for _ in range(options.fresh)),
            *(self._fresh("slow", options.slow_path) for _ in range(options.slow)),
        ]
        await asyncio.gather(*clients)
        self.report.seconds = time.monotonic() - self._began

    async def _keepalive(self) -> None:
        connection: _Connection | None = None
        while not self.stopping.is_set():
            connection = await self._counted("keep-alive", self._path, connection)
            if self._options.think:
                await asyncio.sleep(self._options.think)
        if connection:
            connection.close()

    async def _fresh(self, kind: str, path: str) -> None:
        while not self.stopping.is_set():
            connection = await self._counted(kind, path, None)
            if connection:
                connection.close()
            if kind == "fresh":
                await asyncio.sleep(1 / NEW_CONNECTIONS)

    async def _counted(
        self, kind: str, path: str, connection: _Connection | None
    ) -> _Connection | None:
        """One request, counted; the connection if it may be used again."""
        began = time.monotonic()
        phase = "on a kept connection" if connection else "while connecting"
        try:
            async with asyncio.timeout(self._options.timeout):
                if connection is None:
                    connection = await _Connection.open(self._host, self._port)
                    phase = "on a new connection"
                status, body = await connection.ask(self._request(kind, path))
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            self._failed(kind, path, f"{error!r} {phase} {connection or ''}")
            if connection:
                connection.close()
            await asyncio.sleep(0.05)
            return None
        self._answered(kind, path, status, body, time.monotonic() - began)
        if connection.reusable:
            return connection
        connection.close()
        return None

    def _request(self, kind: str, path: str) -> bytes:
        end = "" if kind == "keep-alive" else "Connection: close\r\n"
        length = "" if self._options.method == "GET" else "Content-Length: 0\r\n"
        line = f"{self._options.method} {path} HTTP/1.1\r\nHost: {self._name}\r\n"
        return f"{line}{length}{end}\r\n".encode()

    def _answered(self, kind: str, path: str, status: int, body: bytes, seconds: float) -> None:
        report = self.report
        report.statuses[str(status)] = report.statuses.get(str(status), 0) + 1
        report.slowest = max(report.slowest, seconds)
        self.first_answer.set()
        text = body[:64].decode("utf-8", "replace").strip()
        if 200 <= status < 300:
            report.ok += 1
            report.by_kind[kind] = report.by_kind.get(kind, 0) + 1
            if len(body) <= 64 and (text in report.answers or len(report.answers) < 20):
                report.answers[text] = report.answers.get(text, 0) + 1
        else:
            report.bad += 1
            self._example(kind, path, f"HTTP {status} {text}")

    def _failed(self, kind: str, path: str, why: str) -> None:
        self.report.errors += 1
        self.first_answer.set()
        self._example(kind, path, why)

    def _example(self, kind: str, path: str, why: str) -> None:
        if len(self.report.first) < EXAMPLES:
            at = time.monotonic() - self._began
            self.report.first.append(f"{kind} {path} after {at:.2f} s: {why}")


async def _main(options: argparse.Namespace) -> Report:
    clients = _Clients(options)
    running = asyncio.create_task(clients.run())
    await clients.first_answer.wait()
    if options.until_eof:
        print("started", flush=True)
        await asyncio.to_thread(sys.stdin.read)
    else:
        await asyncio.sleep(options.seconds)
    clients.stopping.set()
    await running
    return clients.report


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("url")
    parser.add_argument("--host", default="", help="Host header, if it is not the URL's")
    parser.add_argument("--keepalive", type=int, default=20)
    parser.add_argument("--fresh", type=int, default=20)
    parser.add_argument("--slow", type=int, default=10)
    parser.add_argument("--slow-path", default="/api/v1/slow")
    parser.add_argument("--think", type=float, default=0.0, help="pause of keep-alive clients, s")
    parser.add_argument("--method", default="GET", help="of all requests, without a body")
    parser.add_argument("--timeout", type=float, default=60.0, help="for one request, s")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--until-eof", action="store_true", help="run until stdin is closed")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    options = _options()
    report = asyncio.run(_main(options))
    print(json.dumps(dataclasses.asdict(report)) if options.json else report)
    sys.exit(0 if options.json or not report.failed else 1)
