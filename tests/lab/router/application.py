"""A container for the router's tests: answers with its name, in the standard library alone.

NAME: what it answers. HEALTH: status of /health. IDLE: seconds until it closes an idle connection.
/slow takes SLOW seconds. An Upgrade gets an echo for as long as both sides want.
"""

import asyncio
import base64
import hashlib
import os
import re
import signal

NAME = os.environ.get("NAME", "?")
HEALTH = os.environ.get("HEALTH", "200 OK")
IDLE = float(os.environ.get("IDLE", "60"))
SLOW = float(os.environ.get("SLOW", "5"))
busy: set[asyncio.Task[None]] = set()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), IDLE)
        except (TimeoutError, EOFError, ConnectionError):
            break
        task = asyncio.ensure_future(answer(head.decode("latin-1"), reader, writer))
        busy.add(task)
        await task
        busy.discard(task)
        if "connection: close" in head.decode("latin-1").lower():
            break
    writer.close()


async def answer(head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    path = head.split()[1]
    if "upgrade: websocket" in head.lower():
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n")
        writer.write(b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept(head) + b"\r\n\r\n")
        while data := await reader.read(4096):
            writer.write(data)
        return
    if path.endswith("/slow"):
        await asyncio.sleep(SLOW)
    status, body = (HEALTH, "") if path == "/health" else ("200 OK", NAME)
    if path == "/headers":
        body = head
    extra = "Location: https://elsewhere.test/health\r\n" if status.startswith("3") else ""
    writer.write(f"HTTP/1.1 {status}\r\n{extra}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    await writer.drain()


def accept(head: str) -> bytes:
    """The answer to a key, RFC 6455, 4.2.2."""
    key = re.findall(r"(?i)sec-websocket-key: *(\S+)", head)[0]
    digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
    return base64.b64encode(digest)


async def main() -> None:
    server = await asyncio.start_server(serve, "", 8000, backlog=1024)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    server.close()
    if busy:
        await asyncio.wait(busy, timeout=8)


asyncio.run(main())
