"""A plan, shown to a person or as data: what is printed is what would run."""

import shlex
from collections.abc import Iterator, Mapping, Sequence

from fairlead.model import Command, Step
from fairlead.report.terminal import Line, Piece, line

Commands = Mapping[str, tuple[Command, ...]]


def lines(
    steps: Sequence[Step], header: Mapping[str, str], notes: Sequence[str], verbose: bool
) -> Iterator[Line]:
    """The header, one line a step (with `verbose` each command as typed), notes, a count."""
    width = max((len(name) for name in header), default=0)
    for name, value in header.items():
        yield line(Piece(f"{name:<{width}}  ", "quiet"), value)
    if header and steps:
        yield line()
    digits, titles = len(str(len(steps))), max((len(step.title) for step in steps), default=0)
    for number, step in enumerate(steps, 1):
        where = f"[{', '.join(step.hosts)}]" if step.hosts else "[here]"
        head = Piece(f"  {number:>{digits}}  ", "quiet")
        yield line(head, f"{step.title:<{titles}}  ", Piece(where, "name"))
        if verbose:
            yield from _commands(step.commands, step.hosts, "")
            yield from _commands(step.undo, step.hosts, "undo ")
    if notes:
        yield line()
    for note in notes:
        yield line(Piece("note: ", "warn"), note)
    if steps or header or notes:
        yield line()
    yield line(Piece(count(steps), "strong"))


def typed(command: Command) -> str:
    """The command as a shell would be given it, and what its stdin is."""
    note = command.stdin_note or ("data" if command.stdin else "")
    return shlex.join(command.argv) + (f" < {note}" if note else "")


def count(steps: Sequence[Step]) -> str:
    """`7 steps, 12 commands on 2 hosts; undo prepared for 4`; `1 step, here`."""
    hosts = {host for step in steps for host in step.hosts}
    commands = sum(len(one) for step in steps for one in step.commands.values())
    undone = sum(1 for step in steps if step.undo)
    if not steps:
        return "nothing to do"
    undo = f"; undo prepared for {undone}" if undone else ""
    if not hosts:
        return f"{_many(len(steps), 'step')}, here"
    work = f"{_many(len(steps), 'step')}, {_many(commands, 'command')}"
    return f"{work} on {_many(len(hosts), 'host')}{undo}"


def data(
    steps: Sequence[Step], header: Mapping[str, str], notes: Sequence[str]
) -> dict[str, object]:
    """The plan as JSON-ready values, with every argv of every host."""
    return {
        "header": dict(header),
        "steps": [
            {
                "name": step.name,
                "title": step.title,
                "hosts": list(step.hosts),
                "after_switch": step.after_switch,
                "commands": _data(step.commands),
                "undo": _data(step.undo),
            }
            for step in steps
        ],
        "notes": list(notes),
        "count": count(steps),
    }


def _commands(commands: Commands, hosts: Sequence[str], label: str) -> Iterator[Line]:
    """Commands as typed; those that are the same on all the step's hosts once, without a name."""
    shown = {host: tuple(map(typed, one)) for host, one in commands.items()}
    if len(set(shown.values())) == 1 and set(shown) == set(hosts):
        shown = {"": next(iter(shown.values()))}
    for host, texts in shown.items():
        for text in texts:
            yield line(Piece(f"       {label}{host + ' ' if host else ''}$ ", "quiet"), text)


def _data(commands: Commands) -> dict[str, list[dict[str, object]]]:
    return {
        host: [{"argv": list(one.argv), "stdin": one.stdin_note} for one in many]
        for host, many in commands.items()
    }


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
