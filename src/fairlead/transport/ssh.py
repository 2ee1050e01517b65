"""Commands over one SSH connection per host. The only room that imports Fabric.

Fabric brings ~/.ssh/config (aliases, ports, keys, jump hosts) and the authentication; commands run
on plain channels of its connection, because Invoke's runner polls every 10 ms. The socket has
TCP_NODELAY: without it Nagle's algorithm costs about 40 ms a command.
"""

import shlex
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from fairlead.errors import HostError
from fairlead.model import Command, Host, Result
from fairlead.transport.lines import LineSplitter
from fairlead.transport.protocol import LineListener

DEAD_PEER_SECONDS = 15
POLL_SECONDS = 0.2
CHUNK = 1 << 16


@dataclass(frozen=True)
class SshSettings:
    """How to log in: a key file and a known_hosts file (empty: OpenSSH's own), in seconds."""

    key: str = ""
    known_hosts: str = ""
    connect_timeout: float = 10.0


class SshTransport:
    """One host over one connection, opened at the first command."""

    def __init__(self, host: Host, settings: SshSettings) -> None:
        self.host = host
        self._settings = settings
        self._connection: Any = None
        self._opening = Lock()

    def run(
        self,
        command: Command,
        on_line: LineListener | None = None,
        cancel: Event | None = None,
    ) -> Result:
        started = time.monotonic()
        channel = self._open_channel()
        try:
            return self._converse(channel, command, on_line, cancel, started)
        except (OSError, EOFError) as error:
            raise self._lost(command, error) from error
        finally:
            channel.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def reversed(self, port: int, serve: Callable[[Any], None]) -> Iterator[None]:
        """Let the host's own 127.0.0.1:port lead here while the block runs.

        serve: called in a thread with each connection made to it, a channel with the ways of a
        socket. Raises HostError when sshd does not allow it or the port is taken.
        """
        import paramiko

        def accept(channel: Any, origin: object, server: object) -> None:
            Thread(target=_served, args=(serve, channel), daemon=True).start()

        transport = self._connected().transport
        try:
            transport.request_port_forward("127.0.0.1", port, accept)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise HostError(
                self.host.name,
                f"its sshd does not forward port {port} of its loopback interface here",
                why=[str(error)],
                state="nothing was sent to it",
                next_step="AllowTcpForwarding yes (or remote) in its sshd_config; and the port "
                "must be free there",
            ) from error
        try:
            yield
        finally:
            with suppress(paramiko.SSHException, OSError, EOFError):
                transport.cancel_port_forward("127.0.0.1", port)

    def _connected(self) -> Any:
        with self._opening:
            if self._connection is None or not self._connection.is_connected:
                self._connection = connect(self.host, self._settings)
        return self._connection

    def _open_channel(self) -> Any:
        import paramiko

        connection = self._connected()
        try:
            return connection.transport.open_session(timeout=self._settings.connect_timeout)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise HostError(
                self.host.name,
                f"the connection to {self.host.address} was lost ({error or 'closed'})",
                state="what ran there may have run on",
                next_step="inv status",
            ) from error

    def _converse(
        self,
        channel: Any,
        command: Command,
        on_line: LineListener | None,
        cancel: Event | None,
        started: float,
    ) -> Result:
        import paramiko

        out, err = LineSplitter(on_line), LineSplitter()
        try:
            channel.exec_command("exec " + shlex.join(command.argv))
        except paramiko.SSHException as error:
            raise self._lost(command, error) from error
        channel.settimeout(POLL_SECONDS)
        helpers = [Thread(target=_drain_stderr, args=(channel, err), daemon=True)]
        if command.stdin is not None:
            helpers.append(Thread(target=_send, args=(channel, command.stdin), daemon=True))
        else:
            channel.shutdown_write()
        for helper in helpers:
            helper.start()
        self._read(channel, out, command, cancel, started + command.timeout)
        code = channel.recv_exit_status()
        helpers[0].join()
        if code == -1 and not (cancel and cancel.is_set()):
            raise self._lost(command, EOFError("no exit status"))
        return Result(self.host.name, code, out.finish(), err.finish(), time.monotonic() - started)

    def _read(
        self,
        channel: Any,
        out: LineSplitter,
        command: Command,
        cancel: Event | None,
        deadline: float,
    ) -> None:
        killed = False
        group = _ProcessGroup(out)
        while True:
            try:
                data = channel.recv(CHUNK)
            except TimeoutError:
                data = None
            if data == b"":
                return
            if data:
                group.look(data)
                out.feed(data)
            expired = time.monotonic() > deadline
            if (expired or (cancel and cancel.is_set())) and not killed:
                killed = True
                self._end(group.id, channel)
            if expired:
                raise HostError(
                    self.host.name,
                    f"no end of `{_short(command)}` after {command.timeout:.0f} s; it was killed",
                    next_step="inv status",
                )

    def _end(self, group: int | None, channel: Any) -> None:
        """Kill the remote process group: closing a channel alone leaves it running."""
        if group is None:
            channel.close()
            return
        killer = self._connection.transport.open_session()
        killer.exec_command(f"kill -TERM -{group}; sleep 2; kill -KILL -{group} 2>/dev/null")

    def _lost(self, command: Command, error: Exception) -> HostError:
        return HostError(
            self.host.name,
            f"the connection was lost during `{_short(command)}` ({error or 'closed'})",
            state="the command may have run on; nothing more was sent",
            next_step="inv status",
        )


class _ProcessGroup:
    """The remote script's process group, which it tells in its first line `@pid N`."""

    def __init__(self, out: LineSplitter) -> None:
        self.id: int | None = None
        self._seen = b""

    def look(self, data: bytes) -> None:
        if self.id is None and len(self._seen) < 64:
            self._seen += data[:64]
            first = self._seen.split(b"\n", 1)[0].split()
            if b"\n" in self._seen and len(first) == 2 and first[0] == b"@pid":
                self.id = int(first[1])


def _served(serve: Callable[[Any], None], channel: Any) -> None:
    """Serve one connection to its end; one that breaks is for the other side to tell of."""
    try:
        with suppress(OSError, EOFError):
            serve(channel)
    finally:
        channel.close()


def _drain_stderr(channel: Any, err: LineSplitter) -> None:
    while True:
        try:
            data = channel.recv_stderr(CHUNK)
        except TimeoutError:
            continue
        if data == b"":
            return
        err.feed(data)


def _send(channel: Any, data: bytes) -> None:
    view = memoryview(data)
    try:
        while view:
            try:
                view = view[channel.send(view[:CHUNK]) :]
            except TimeoutError:
                continue
        channel.shutdown_write()
    except OSError:
        return  # the reader sees the closed channel and reports it


def _short(command: Command) -> str:
    text = command.argv[-1] if command.argv[:2] == ("sh", "-c") else shlex.join(command.argv)
    last = text.strip().splitlines()[-1] if text.strip() else text
    return last if len(last) <= 100 else last[:97] + "…"


def connect(host: Host, settings: SshSettings) -> Any:
    """An open Fabric connection whose socket has TCP_NODELAY and whose host key is known.

    Raises HostError: unreachable, unknown or changed host key, user refused.
    """
    import paramiko
    from fabric import Connection

    kwargs: dict[str, Any] = {"look_for_keys": not settings.key}
    if settings.key:
        kwargs["key_filename"] = str(Path(settings.key).expanduser())
    connection = Connection(
        host.address,
        user=host.user,
        port=host.port,
        connect_timeout=int(settings.connect_timeout) or 1,
        connect_kwargs=kwargs,
    )
    trust = _known_hosts(settings)
    client = connection.client
    client.load_host_keys(str(trust)) if trust.exists() else None
    if not settings.known_hosts:
        client.load_system_host_keys()
    client.set_missing_host_key_policy(_refusal(host, trust))
    try:
        if not connection.gateway:
            connection.connect_kwargs["sock"] = _socket(connection, settings)
        connection.open()
    except HostError:
        raise
    except paramiko.BadHostKeyException as error:
        raise _changed_key(host, error, trust) from error
    except paramiko.AuthenticationException as error:
        raise _refused_user(host, settings) from error
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise HostError(
            host.name,
            f"cannot be reached at {host.address}:{host.port} ({_reason(error)})",
            state="nothing was sent to it",
            next_step=f"check that it is up: ssh -p {host.port} {host.user}@{host.address} true",
        ) from error
    return connection


def _socket(connection: Any, settings: SshSettings) -> socket.socket:
    sock = socket.create_connection(
        (connection.host, int(connection.port)), timeout=settings.connect_timeout
    )
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", DEAD_PEER_SECONDS // 3),
        ("TCP_KEEPINTVL", DEAD_PEER_SECONDS // 3),
        ("TCP_KEEPCNT", 2),
        ("TCP_USER_TIMEOUT", DEAD_PEER_SECONDS * 1000),
    ):
        if hasattr(socket, name):  # Linux has all four, macOS some
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return sock


def _known_hosts(settings: SshSettings) -> Path:
    return Path(settings.known_hosts or "~/.ssh/known_hosts").expanduser()


def _refusal(host: Host, trust: Path) -> Any:
    import paramiko

    class Refuse(paramiko.MissingHostKeyPolicy):
        def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
            raise HostError(
                host.name,
                f"its host key is not known ({key.get_name()} {key.fingerprint})",
                state="nothing was sent to it",
                next_step="compare that fingerprint with the host's own "
                "(`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` there), then: "
                f"{_keyscan(host)} >> {trust}",
            )

    return Refuse()


def _changed_key(host: Host, error: Any, trust: Path) -> HostError:
    return HostError(
        host.name,
        f"its host key is not the one in {trust}: it now shows "
        f"{error.key.get_name()} {error.key.fingerprint}",
        why=["either the host was installed anew, or somebody is in between"],
        state="nothing was sent to it",
        next_step=f"if the host is new: ssh-keygen -R {_bracketed(host)} -f {trust}, "
        f"then {_keyscan(host)} >> {trust}",
    )


def _refused_user(host: Host, settings: SshSettings) -> HostError:
    tried = settings.key or "the keys of ~/.ssh and the agent"
    option = f"-i {settings.key} " if settings.key else ""
    return HostError(
        host.name,
        f"user `{host.user}` was refused by sshd at {host.address}:{host.port} (tried {tried})",
        state="nothing was changed",
        next_step=f"try: ssh {option}-p {host.port} {host.user}@{host.address} true; "
        "set [ssh] user and key in deploy/fairlead.toml, or run inv host.setup",
    )


def _keyscan(host: Host) -> str:
    port = f"-p {host.port} " if host.port != 22 else ""
    return f"ssh-keyscan {port}{host.address}"


def _bracketed(host: Host) -> str:
    return host.address if host.port == 22 else f"'[{host.address}]:{host.port}'"


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "name not known"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
