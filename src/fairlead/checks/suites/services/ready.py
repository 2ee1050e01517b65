"""Waiting for a service: what it must answer, asked until it does."""

import http.client
import socket
import threading
import time
from collections.abc import Callable

from fairlead.checks.suites.services.recipe import LOOPBACK, Unavailable

PAUSE = 0.1  # s between two questions


def wait_until(
    ready: Callable[[], bool],
    *,
    seconds: float,
    alive: Callable[[], str],
    cancel: threading.Event,
) -> None:
    """Ask until the answer is yes. alive: empty while it runs, else what became of it.

    Raises Unavailable when it ends, when it takes too long, and when `cancel` is set.
    """
    end = time.monotonic() + seconds
    while not ready():
        if gone := alive():
            raise Unavailable(gone)
        if time.monotonic() > end:
            raise Unavailable(f"was not ready after {seconds:g} s")
        if cancel.wait(PAUSE):
            raise Unavailable("interrupted")


def answers(port: int) -> bool:
    """Whether something listens. The engine's proxy accepts and hangs up where nothing does."""
    try:
        with socket.create_connection((LOOPBACK, port), 1) as connection:
            connection.settimeout(0.2)
            return connection.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


def answers_200(port: int, path: str) -> bool:
    """Whether GET path is answered with 200."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
