"""A real Redis and the real programs, each on a free loopback port."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

APP = Path(__file__).resolve().parents[1] / "app"
SECRET = "planted-in-a-test"
REDIS_IMAGE = os.environ.get("REDIS_IMAGE", "redis:8")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port} after {seconds} s")


def redis_command(port: int) -> list[str]:
    """The Redis on this machine, else the one compose.yaml would run."""
    options = ["--port", str(port), "--save", "", "--appendonly", "no"]
    if shutil.which("redis-server"):
        return ["redis-server", "--bind", "127.0.0.1", *options]
    run = ["docker", "run", "--rm", "--init", "-p", f"127.0.0.1:{port}:{port}"]
    return [*run, REDIS_IMAGE, "redis-server", *options]


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The Redis that `inv test` started for this suite, else one of our own."""
    if given := os.environ.get("REDIS_URL"):
        yield given
        return
    port = free_port()
    server = subprocess.Popen(redis_command(port), stdout=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(10)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Any
    body: str


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass(frozen=True)
class Api:
    process: "subprocess.Popen[str]"
    port: int

    def request(self, path: str, method: str = "GET") -> Answer:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        opener = urllib.request.build_opener(NoRedirects)
        try:
            with opener.open(request, timeout=20) as answer:
                return Answer(answer.status, answer.headers, answer.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read().decode())


class Programs:
    """Starts the service's programs as the image would, and ends those left over."""

    def __init__(self, redis_url: str) -> None:
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONUNBUFFERED": "1",
            "REDIS_URL": redis_url,
            "SECRET_KEY": SECRET,
            "GREETING": "Hello from a test",
            "VERSION": "v0.0.1",
            # coverage.py measures programs that a test starts, too
            **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")},
        }
        self.started: list[subprocess.Popen[str]] = []

    def start(self, module: str, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", f"agentic.{module}", *arguments],
            cwd=APP,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def api(self, **environment: str) -> Api:
        port = free_port()
        process = self.start("api", **environment, PORT=str(port))
        wait_for_port(port)
        return Api(process, port)

    def run(self, module: str, **environment: str) -> "tuple[int, str, str]":
        process = self.start(module, **environment)
        out, err = process.communicate(timeout=20)
        return process.returncode, out, err

    def end(self) -> None:
        for process in self.started:
            process.terminate()
        for process in self.started:
            try:
                process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


@pytest.fixture(scope="session")
def api_here(redis_url: str) -> Iterator[Any]:
    """The API in this process, one for all tests: its connections belong to one event loop."""
    from fastapi.testclient import TestClient

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REDIS_URL", redis_url)
        patch.setenv("SECRET_KEY", SECRET)
        from agentic import api

        with TestClient(api.app, raise_server_exceptions=False, follow_redirects=False) as asking:
            yield asking


@pytest.fixture
def client(api_here: Any, redis_url: str) -> Any:
    """The API over an empty Redis, asked as an HTTP client would."""
    import redis

    redis.Redis.from_url(redis_url).flushall()
    return api_here


@pytest.fixture
def programs(redis_url: str) -> Iterator[Programs]:
    import redis

    redis.Redis.from_url(redis_url).flushall()
    running = Programs(redis_url)
    yield running
    running.end()
