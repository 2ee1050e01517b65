"""Live containers from afar: their logs, and commands in them."""

import queue
import threading
from collections.abc import Callable, Iterator, Mapping

from fairlead.errors import FairleadError, UsageError
from fairlead.model import Command, Result
from fairlead.rollout.observed import Container, HostState
from fairlead.rollout.session import Session

LONG = 7 * 24 * 3600.0
ENDING = 10.0  # s for hosts to end what was interrupted
ENDED = "@ended"  # said by fl_exec_end
Commands = Mapping[str, tuple[Command, ...]]


def log_commands(
    session: Session, services: tuple[str, ...], slot: str, tail: int, follow: bool
) -> Commands:
    """`docker logs` of the live slot's and the stateful containers, side by side on each host."""
    commands = {}
    for name, state in session.fleet.observe().items():
        chosen = _chosen(state, services, slot)
        if chosen:
            names = [container.name for container in chosen]
            words = ("fl_logs", str(tail), "--follow" if follow else "", *names)
            commands[name] = (Command(words, timeout=LONG if follow else 120.0),)
    if not commands:
        raise FairleadError("no such container runs", next_step="inv status")
    return commands


class Streams:
    """What commands print on their hosts, side by side, line by line as it comes.

    outcomes: by host, once it has ended: its result, or what went wrong.
    """

    def __init__(self, session: Session, commands: Commands) -> None:
        self.outcomes: dict[str, Result | Exception] = {}
        self._fleet = session.fleet
        self._cancel = threading.Event()
        self._lines: queue.Queue[tuple[str, str | None]] = queue.Queue()
        self._threads = [
            threading.Thread(target=self._read, args=(name, words), daemon=True)
            for name, words in commands.items()
        ]
        for thread in self._threads:
            thread.start()

    def __iter__(self) -> Iterator[tuple[str, str | None]]:
        """Host and line; without a line where the host has ended."""
        for _ in self._threads:
            while True:
                name, line = self._lines.get()
                yield name, line
                if line is None:
                    break

    def end(self) -> None:
        """Tell what runs there to end, and wait for it."""
        self._cancel.set()
        for thread in self._threads:
            thread.join(ENDING)

    def _read(self, name: str, words: tuple[Command, ...]) -> None:
        def tell(line: str) -> None:
            self._lines.put((name, line))

        try:
            self.outcomes[name] = self._fleet.stream(name, words, tell, self._cancel)
        except Exception as error:  # for whoever listens
            self.outcomes[name] = error
        finally:
            self._lines.put((name, None))


def follow_logs(session: Session, commands: Commands) -> Iterator[str]:
    """Lines of all hosts as they come, `host container | line`, secrets masked."""
    streams = Streams(session, commands)
    for name, line in streams:
        outcome = streams.outcomes.get(name)
        if line is not None:
            yield session.redact(f"{name} {line}")
        elif isinstance(outcome, FairleadError):
            yield session.redact(f"{name} {outcome.what}")
        elif isinstance(outcome, Exception):
            raise outcome


def exec_commands(
    session: Session, service: str, argv: tuple[str, ...], *, every: bool
) -> Commands:
    """`docker exec` in the first live container of a service, or in every one."""
    commands: dict[str, tuple[Command, ...]] = {}
    for name, state in session.fleet.observe().items():
        chosen = [c for c in _chosen(state, (service,), "") if c.running]
        if chosen and (every or not commands):
            here = chosen if every else chosen[:1]
            commands[name] = tuple(
                Command(("fl_exec", container.name, *argv), timeout=3600.0) for container in here
            )
    if not commands:
        raise UsageError(f"no container of {service} runs", next_step="inv status")
    return commands


def run_exec(session: Session, commands: Commands, tell: Callable[[str], None]) -> int:
    """Run them, each line told as it comes, secrets masked; the first exit code that is not 0.

    Ctrl-C ends what runs in the containers, and is raised again with a note that says so.
    """
    streams = Streams(session, commands)
    several = len(commands) > 1
    try:
        for name, line in streams:
            if line is not None:
                tell(session.redact(f"{name} | {line}" if several else line))
    except KeyboardInterrupt as stop:
        streams.end()
        stop.add_note(_how_it_ended(streams, commands))
        raise
    code = 0
    for outcome in streams.outcomes.values():
        if isinstance(outcome, Exception):
            raise outcome
        for line in outcome.err.splitlines():
            tell(session.redact(line))
        code = code or outcome.code
    return code


def _how_it_ended(streams: Streams, commands: Commands) -> str:
    """By what the hosts say (fl_exec_end)."""
    left = [name for name in commands if not _was_ended(streams.outcomes.get(name))]
    if left:
        return f"what ran in the container may run on, on {' and '.join(left)}"
    return "what ran in the container was told to end (SIGTERM, after 10 s SIGKILL)"


def _was_ended(outcome: Result | Exception | None) -> bool:
    return isinstance(outcome, Result) and ENDED in outcome.out.splitlines()


def _chosen(state: HostState, services: tuple[str, ...], slot: str) -> list[Container]:
    wanted = slot or state.live_slot
    return [
        container
        for container in sorted(state.containers, key=lambda c: c.name)
        if container.slot in (wanted, "")
        and not container.one_off
        and (not services or container.service in services)
    ]
