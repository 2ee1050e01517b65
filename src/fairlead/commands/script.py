"""Several commands made into one script for one host: one round trip, one process group."""

import shlex
from collections.abc import Mapping, Sequence

from fairlead.commands.functions import functions
from fairlead.model import Command


def script(commands: Sequence[Command], variables: Mapping[str, str]) -> Command:
    """One `sh -c` that runs `commands` in order and stops at the first that fails.

    Before each it prints `@run <index>`, so a failure can be named. At most one of the commands
    may read stdin. SIGPIPE is ignored and so are marks that nobody reads any more: a cut connection
    must not stop a step half-way.
    """
    readers = [command for command in commands if command.stdin is not None]
    if len(readers) > 1:
        raise ValueError("one script has one stdin")
    lines = ["trap '' PIPE", "echo @pid $$", "set -eu"]
    lines += [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
    calls = [_call(command) for command in commands]
    lines.append(functions("\n".join(calls)))
    for index, call in enumerate(calls):
        lines += [f"echo @run {index} || :", call]
    return Command(
        ("sh", "-c", "\n".join(lines)),
        stdin=readers[0].stdin if readers else None,
        stdin_note=readers[0].stdin_note if readers else "",
        timeout=sum(command.timeout for command in commands),
    )


def _call(command: Command) -> str:
    return shlex.join(command.argv) + ("" if command.stdin is not None else " </dev/null")
