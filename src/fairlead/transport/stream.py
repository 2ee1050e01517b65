"""Bytes out of a host, and bytes into one, as they come: over a connection of their own."""

import shlex
from collections.abc import Iterable, Iterator
from threading import Thread
from typing import Any

from fairlead.errors import HostError
from fairlead.model import Command, Host
from fairlead.transport.connection import SshSettings, connect

CHUNK = 1 << 16
SILENCE = 300.0  # s without a byte: nothing comes any more


def download(host: Host, settings: SshSettings, command: Command) -> Iterator[bytes]:
    """What a command writes to stdout, chunk by chunk.

    Raises HostError when the host cannot be reached, falls silent, or the command fails or does
    not end in its time: after the last chunk, so whoever believes the bytes must have read them to
    their end.
    """
    connection = connect(host, settings)
    try:
        channel = _begun(connection, command)
        channel.shutdown_write()
        said = _Complaints(channel)
        while chunk := _received(host, channel):
            yield chunk
        _ended(host, channel, said, command.timeout)
    finally:
        connection.close()


def upload(host: Host, settings: SshSettings, command: Command, chunks: Iterable[bytes]) -> int:
    """Give chunks to a command's stdin and wait for its end; how many bytes there were.

    Raises HostError as `download` does.
    """
    connection = connect(host, settings)
    sent = 0
    try:
        channel = _begun(connection, command)
        said = _Complaints(channel)
        try:
            for chunk in chunks:
                channel.sendall(chunk)
                sent += len(chunk)
            channel.shutdown_write()
        except OSError:
            _ended(host, channel, said, command.timeout)  # it ended first, and has said why
            raise
        _ended(host, channel, said, command.timeout)
    finally:
        connection.close()
    return sent


def _begun(connection: Any, command: Command) -> Any:
    channel = connection.transport.open_session()
    channel.settimeout(SILENCE)
    channel.exec_command("exec " + shlex.join(command.argv))
    return channel


def _received(host: Host, channel: Any) -> bytes:
    try:
        chunk: bytes = channel.recv(CHUNK)
    except OSError as error:
        raise HostError(
            host.name,
            f"the stream broke off ({error or 'no byte came'})",
            next_step="repeat the command; inv doctor shows whether the host can be reached",
        ) from error
    return chunk


class _Complaints:
    """What a command writes to stderr, read beside so that it never has to wait."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._text = b""
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            while data := self._channel.recv_stderr(CHUNK):
                self._text = (self._text + data)[-CHUNK:]
        except OSError:
            return

    def lines(self) -> list[str]:
        self._thread.join(5)
        return [line for line in self._text.decode("utf-8", "replace").splitlines() if line]


def _ended(host: Host, channel: Any, said: _Complaints, timeout: float) -> None:
    told = channel.status_event.wait(timeout)
    code = channel.recv_exit_status() if told else None
    if code != 0:
        how = f"exit code {code}" if told else f"no end of it in {timeout:.0f} s"
        raise HostError(
            host.name,
            f"the transfer failed ({how})",
            why=said.lines()[-3:],
            state="there is no copy; the backup itself was not touched",
            next_step="repeat the command",
        )
