"""Commands over one SSH connection per host, which is made again when it is lost.

Commands run on plain channels of Fabric's connection, because Invoke's runner polls every 10 ms.
"""

import random
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from threading import Event, Lock, Thread
from typing import Any

from fairlead.errors import HostError
from fairlead.model import Command, Host, Result
from fairlead.transport.connection import SshSettings, abandon, connect
from fairlead.transport.hearing import Hearing
from fairlead.transport.protocol import LineListener

RECONNECT_SECONDS = 60.0
LONGEST_PAUSE = 5.0
POLL_SECONDS = 0.2
ANSWER_SECONDS = 10.0  # for what sshd itself answers: a channel, an exit code
CHUNK = 1 << 16


class Lost(Exception):
    """The connection broke while a command ran."""


@dataclass(frozen=True)
class _Talk:
    """One command, what is heard of it, who may end it, and when it must have ended."""

    command: Command
    hearing: Hearing
    cancel: Event | None
    started: float

    @property
    def deadline(self) -> float:
        begun = self.hearing.began or self.started + self.command.patience
        return begun + self.command.timeout

    @property
    def cancelled(self) -> bool:
        return bool(self.cancel and self.cancel.is_set())


class SshTransport:
    """One host over one connection, opened at the first command.

    The first connection is made at once or not at all; one that was there and is gone is waited
    for, RECONNECT_SECONDS from when it was missed. After that each command tries but once, until
    the host is there again.
    """

    def __init__(self, host: Host, settings: SshSettings) -> None:
        self.host = host
        self._settings = settings
        self._connection: Any = None
        self._missed = 0.0  # when a connection could first not be made again (monotonic)
        self._opening = Lock()

    def run(
        self,
        command: Command,
        on_line: LineListener | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """As every transport does it. A lost connection is made again, within RECONNECT_SECONDS,
        and a repeatable command sent again; another one is told as lost."""
        talk = _Talk(command, Hearing(command, on_line), cancel, time.monotonic())
        self._ready(talk)
        give_up = 0.0
        while True:
            began = time.monotonic()
            try:
                return self._say(talk)
            except Lost as lost:
                if time.monotonic() - began > ANSWER_SECONDS:  # it spoke in between
                    give_up = 0.0
                give_up = give_up or time.monotonic() + RECONNECT_SECONDS
                if not command.repeatable or time.monotonic() > min(give_up, talk.deadline):
                    raise self._lost(command, str(lost)) from lost
                time.sleep(POLL_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311 (jitter)
                self._open_again(talk, partial(self._lost, command, str(lost)))
                talk.hearing.begin()

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

        transport = self._open().transport
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

    def _open(self) -> Any:
        with self._opening:
            if self._connection is None or not self._connection.is_connected:
                self._connection = connect(self.host, self._settings)
                self._missed = 0.0
            return self._connection

    def _ready(self, talk: _Talk) -> None:
        """Have a connection before anything is said: one may have died while nobody spoke."""
        if self._connection is None:
            self._open()
        else:
            self._open_again(talk, partial(self._gone, talk.command))

    def _open_again(self, talk: _Talk, told: Callable[[str], HostError]) -> None:
        """Connect anew, at growing intervals; whoever else waits finds the connection there.

        told: the error of having waited in vain, with what the last attempt said.
        """
        pause = POLL_SECONDS
        while True:
            try:
                self._open()
                return
            except HostError as error:
                self._missed = self._missed or time.monotonic()
                if time.monotonic() >= min(self._missed + RECONNECT_SECONDS, talk.deadline):
                    raise told(error.what) from error
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 (jitter is no secret)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _say(self, talk: _Talk) -> Result:
        connection = self._connection
        try:
            channel = self._channel(connection)
        except (OSError, EOFError) as error:
            raise Lost(str(error) or "closed") from error
        try:
            return self._converse(channel, talk)
        except (OSError, EOFError) as error:
            raise Lost(str(error) or "closed") from error
        finally:
            channel.close()

    def _channel(self, connection: Any) -> Any:
        import paramiko

        try:
            return connection.transport.open_session(timeout=self._settings.connect_timeout)
        except paramiko.ChannelException as error:  # too many at once: the connection is fine
            raise Lost(str(error)) from error
        except (paramiko.SSHException, AttributeError) as error:
            abandon(connection)
            raise Lost(str(error) or "closed") from error

    def _converse(self, channel: Any, talk: _Talk) -> Result:
        import paramiko

        command, hearing = talk.command, talk.hearing
        try:
            channel.exec_command("exec " + shlex.join(command.argv))
        except paramiko.SSHException as error:
            raise Lost(str(error) or "closed") from error
        channel.settimeout(POLL_SECONDS)
        stderr = Thread(target=_drain_stderr, args=(channel, hearing), daemon=True)
        stderr.start()
        if command.stdin is not None:
            Thread(target=_send, args=(channel, command.stdin), daemon=True).start()
        else:
            channel.shutdown_write()
        self._read(channel, talk)
        code = self._code(channel, talk, stderr)
        out, err = hearing.finish()
        return Result(self.host.name, code, out, err, time.monotonic() - talk.started)

    def _code(self, channel: Any, talk: _Talk, stderr: Thread) -> int:
        """The exit code, which sshd tells last of all; a step tells its own."""
        if talk.hearing.code is None:
            channel.status_event.wait(ANSWER_SECONDS)
            stderr.join(ANSWER_SECONDS)
        status = int(channel.exit_status)
        code = talk.hearing.exit_code(status)
        if code is None and not talk.cancelled:
            raise Lost("no exit status")
        return status if code is None else code

    def _read(self, channel: Any, talk: _Talk) -> None:
        """Hear the command out; end it when it takes too long, or is not wanted any more."""
        ending, killer = False, None
        while talk.hearing.code is None:
            try:
                data = channel.recv(CHUNK)
            except TimeoutError:
                data = None
            if data == b"":
                return
            if data:
                talk.hearing.feed(data)
            expired = time.monotonic() > talk.deadline
            if (expired or talk.cancelled) and not ending:
                ending, killer = True, self._end(talk.hearing.group, channel)
            if expired:
                raise self._endless(talk.command, killed=_ended(killer))

    def _end(self, group: int | None, channel: Any) -> Any:
        """Kill the remote process group: closing a channel alone leaves it running.

        The channel that does it; None when there is none.
        """
        if group is None:
            channel.close()
            return None
        with suppress(Exception):  # lost: it is found out where one listens
            killer = self._connection.transport.open_session(timeout=ANSWER_SECONDS)
            killer.exec_command(f"kill -TERM -{group}; sleep 2; kill -KILL -{group} 2>/dev/null")
            return killer
        return None

    def _endless(self, command: Command, *, killed: bool) -> HostError:
        how = "it was killed" if killed else "the host did not say that it was killed"
        return HostError(
            self.host.name,
            f"no end of `{_short(command)}` after {command.timeout:.0f} s; {how}",
            state="" if killed else "it may run on there",
            next_step="inv status",
        )

    def _gone(self, command: Command, since: str) -> HostError:
        return HostError(
            self.host.name,
            f"the connection was lost before `{_short(command)}`; it could not be made again: "
            f"{since}",
            state="nothing of it was sent",
            next_step="inv status",
        )

    def _lost(self, command: Command, reason: str, since: str = "") -> HostError:
        again = f"; it could not be made again: {since}" if since else ""
        on = "goes on there to its end" if command.mark else "may have run on"
        return HostError(
            self.host.name,
            f"the connection was lost during `{_short(command)}` ({reason}){again}",
            state=f"what ran there {on}; nothing more was sent",
            next_step="inv status",
        )


def _ended(killer: Any) -> bool:
    """Whether the host says that a command was killed: by TERM (1: no longer there), or by KILL."""
    if killer is None or not killer.status_event.wait(ANSWER_SECONDS):
        return False
    return killer.exit_status in (0, 1)


def _served(serve: Callable[[Any], None], channel: Any) -> None:
    """Serve one connection to its end; one that breaks is for the other side to tell of."""
    try:
        with suppress(OSError, EOFError):
            serve(channel)
    finally:
        channel.close()


def _drain_stderr(channel: Any, hearing: Hearing) -> None:
    while True:
        try:
            data = channel.recv_stderr(CHUNK)
        except TimeoutError:
            continue
        if data == b"":
            return
        hearing.feed_err(data)


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
