"""An SSH connection to a host: known key, TCP_NODELAY, and a pulse that finds a dead peer.

Fabric brings ~/.ssh/config (aliases, ports, keys, jump hosts) and the authentication. The socket
has TCP_NODELAY: without it Nagle's algorithm costs about 40 ms a command.
"""

import contextlib
import logging
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from fairlead.errors import HostError
from fairlead.model import Host

DEAD_PEER_SECONDS = 15
PULSE_SECONDS = 5


@dataclass(frozen=True)
class SshSettings:
    """How to log in: a key file and a known_hosts file (empty: OpenSSH's own), in seconds."""

    key: str = ""
    known_hosts: str = ""
    connect_timeout: float = 10.0


def connect(host: Host, settings: SshSettings) -> Any:
    """An open Fabric connection whose socket has TCP_NODELAY and whose host key is known.

    Raises HostError: unreachable, unknown or changed host key, user refused.
    """
    import paramiko
    from fabric import Connection

    logging.getLogger("paramiko").addHandler(logging.NullHandler())  # it tells us by exceptions
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
    Thread(target=_watch, args=(connection.transport,), daemon=True).start()
    return connection


def abandon(connection: Any) -> None:
    """Close a connection that is of no use any more; nothing that waits to be sent is sent."""
    abandon_transport(connection.transport)


def abandon_transport(transport: Any) -> None:
    """The same, for the transport inside a connection."""
    with contextlib.suppress(AttributeError, OSError):  # behind a jump host it is no socket
        transport.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(Exception):
        transport.close()


def _watch(transport: Any) -> None:
    """Ask for a sign of life every few seconds; a peer that gives none is dead.

    The kernel's own timeouts do not reach through a jump host, and a stopped sshd still has a
    kernel that answers.
    """
    while transport.is_active():
        time.sleep(PULSE_SECONDS)
        asking = Thread(target=_ask, args=(transport,), daemon=True)
        asking.start()
        asking.join(DEAD_PEER_SECONDS - PULSE_SECONDS)
        if asking.is_alive():
            abandon_transport(transport)


def _ask(transport: Any) -> None:
    with contextlib.suppress(Exception):  # a closed connection is what others find out
        transport.global_request("keepalive@openssh.com", wait=True)


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
