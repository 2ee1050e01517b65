"""A service as a server of this machine, in a temporary folder: where no container can be had."""

import os
import pwd
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fairlead.checks.suites.services.ready import answers, wait_until
from fairlead.checks.suites.services.recipe import LOOPBACK, Address, Recipe, Unavailable
from fairlead.model import Command
from fairlead.transport.local import Ran, run_local

FOREVER = 7 * 86400.0  # s: it is ended when its suite is
PREPARE = 60.0  # s for making a database
DEBIAN_POSTGRES = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Server:
    """What is run, in this order. ready: ends with 0 once it is; empty: its port answers.

    user: whose it is: PostgreSQL refuses to be root's.
    """

    serve: tuple[str, ...]
    before: tuple[str, ...] = ()
    ready: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    user: pwd.struct_passwd | None = None


def redis(folder: Path, port: int) -> Server:
    """Redis, in memory alone."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if not program:
        raise Unavailable("no redis-server on this machine")
    where = ("--bind", LOOPBACK, "--port", str(port), "--dir", str(folder))
    return Server((program, *where, "--save", "", "--appendonly", "no"))


def postgres(folder: Path, port: int) -> Server:
    """PostgreSQL with a database `test`; its user postgres needs no password from here."""
    programs = _postgres_programs()
    data, here = str(folder / "data"), ("-h", LOOPBACK, "-p", str(port), "-U", "postgres")
    fast = ("-c", "fsync=off", "-c", "unix_socket_directories=")
    return Server(
        before=(f"{programs}/initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8"),
        serve=(f"{programs}/postgres", "-D", data, "-h", LOOPBACK, "-p", str(port), *fast),
        ready=(f"{programs}/pg_isready", *here),
        after=(f"{programs}/createdb", *here, "test"),
        user=_unprivileged(),
    )


SERVERS: dict[str, Callable[[Path, int], Server]] = {"redis": redis, "postgres": postgres}


@contextmanager
def server(recipe: Recipe, cancel: threading.Event) -> Iterator[Address]:
    """The service, ready; ended with all its processes, its folder removed.

    Raises Unavailable where this machine does not have it, where it would be another service than
    the one that is declared, or it does not get ready.
    """
    make = SERVERS.get(recipe.name)
    if make is None:
        raise Unavailable(f"{recipe.name} runs in a container only")
    if recipe.special:
        raise Unavailable(
            f"a {recipe.name} server of this machine does not do for {recipe.special};"
            f" `docker pull {recipe.image}` has to succeed here"
        )
    with tempfile.TemporaryDirectory(prefix="fairlead-test-", ignore_cleanup_errors=True) as name:
        folder, port = Path(name), _free_port()
        found = make(folder, port)
        if found.user:
            os.chown(folder, found.user.pw_uid, found.user.pw_gid)
        _run(found, found.before, folder, cancel)
        with _serving(found, folder) as process:
            wait_until(
                lambda: _ready(found, port, folder),
                seconds=recipe.timeout,
                alive=lambda: _ended(process),
                cancel=cancel,
            )
            _run(found, found.after, folder, cancel)
            yield Address(LOOPBACK, port, "server")


@contextmanager
def _serving(found: Server, folder: Path) -> "Iterator[Future[Ran]]":
    """The server's process while the block runs."""
    stop = threading.Event()
    command = Command(_as_user(found, found.serve), timeout=FOREVER)
    with ThreadPoolExecutor(1) as pool:
        try:
            yield pool.submit(run_local, command, cwd=folder, cancel=stop)
        finally:
            stop.set()


def _ended(process: "Future[Ran]") -> str:
    if not process.done():
        return ""
    ran = process.result()
    said = (ran.err.strip() or ran.out.strip()).splitlines()
    return f"ended with {ran.code}: {said[-1] if said else 'it said nothing'}"


def _ready(found: Server, port: int, folder: Path) -> bool:
    if not found.ready:
        return answers(port)
    return run_local(Command(found.ready, timeout=10.0), cwd=folder).ok


def _run(found: Server, argv: tuple[str, ...], folder: Path, cancel: threading.Event) -> None:
    if not argv:
        return
    ran = run_local(Command(_as_user(found, argv), timeout=PREPARE), cwd=folder, cancel=cancel)
    if not ran.ok:
        said = ran.err.strip().splitlines()
        raise Unavailable(f"{Path(argv[0]).name}: {said[-1] if said else f'exit {ran.code}'}")


def _as_user(found: Server, argv: tuple[str, ...]) -> tuple[str, ...]:
    if not found.user:
        return argv
    ids = (f"--reuid={found.user.pw_uid}", f"--regid={found.user.pw_gid}", "--clear-groups")
    return ("setpriv", *ids, "--", *argv)


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom root runs PostgreSQL as; nobody else has to change."""
    if os.getuid():
        return None
    names = {one.pw_name: one for one in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _postgres_programs() -> Path:
    """The folder with initdb and postgres: of PATH, else Debian's newest."""
    debian = DEBIAN_POSTGRES.glob("*/bin") if DEBIAN_POSTGRES.is_dir() else ()
    newest = sorted(debian, key=lambda folder: float(folder.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    for folder in (*folders, *newest):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise Unavailable("no PostgreSQL server on this machine")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
