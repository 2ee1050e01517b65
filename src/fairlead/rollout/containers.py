"""Live containers from afar: their logs, and commands in them."""

import queue
import threading
from collections.abc import Iterator, Mapping

from fairlead.errors import FairleadError, UsageError
from fairlead.model import Command, Result
from fairlead.rollout.observed import Container, HostState
from fairlead.rollout.session import Session

LONG = 7 * 24 * 3600.0
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


def follow_logs(session: Session, commands: Commands) -> Iterator[str]:
    """Lines of all hosts as they come, `host container | line`, secrets masked."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read(name: str) -> None:
        try:
            session.fleet.stream(name, commands[name], lambda line: lines.put(f"{name} {line}"))
        except FairleadError as error:
            lines.put(f"{name} {error.what}")
        finally:
            lines.put(None)

    for name in commands:
        threading.Thread(target=read, args=(name,), daemon=True).start()
    open_hosts = len(commands)
    while open_hosts:
        line = lines.get()
        if line is None:
            open_hosts -= 1
        else:
            yield session.redact(line)


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
                Command(("docker", "exec", container.name, *argv), timeout=3600.0)
                for container in here
            )
    if not commands:
        raise UsageError(f"no container of {service} runs", next_step="inv status")
    return commands


def run_exec(session: Session, commands: Commands) -> tuple[list[str], int]:
    """What the commands printed, and the first exit code that is not 0."""
    lines: list[str] = []
    code = 0
    for outcome in session.fleet.ask_once(commands).values():
        if not isinstance(outcome, Result):
            raise outcome
        shown = [
            line for line in outcome.out.splitlines() if not line.startswith(("@pid ", "@run "))
        ]
        lines += [session.redact(line) for line in (*shown, *outcome.err.splitlines())]
        code = code or outcome.code
    return lines, code


def _chosen(state: HostState, services: tuple[str, ...], slot: str) -> list[Container]:
    wanted = slot or state.live_slot
    return [
        container
        for container in sorted(state.containers, key=lambda c: c.name)
        if container.slot in (wanted, "")
        and not container.one_off
        and (not services or container.service in services)
    ]
