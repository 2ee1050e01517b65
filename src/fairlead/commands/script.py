"""Several commands made into one script for one host: one round trip, one process group."""

import secrets
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace

from fairlead.commands.functions import functions
from fairlead.model import Command

STDIN = " <&7"  # where a step keeps its input (commands/steps.sh)


def script(commands: Sequence[Command], variables: Mapping[str, str]) -> Command:
    """One `sh -c` that runs `commands` in order and stops at the first that fails.

    Before each it prints `@run <index>`, so a failure can be named. At most one of the commands
    may read stdin. SIGPIPE is ignored and so are marks that nobody reads any more: a cut connection
    must not stop a step half-way.
    """
    return _script(commands, variables, [_call(command, "") for command in commands])


def step_script(
    commands: Sequence[Command], variables: Mapping[str, str], run: str, step: str
) -> Command:
    """The same for a step of a run: it goes on to its end whoever hangs up, and is done only once.

    The first command is the fence, which begins the step. Sent again, the script tells what came
    of the first time. run, step: directories of the journal.
    """
    mark = secrets.token_hex(4)
    reader = next((command for command in commands if command.stdin is not None), None)
    about = {
        "FL_RUN": run,
        "FL_STEP": step,
        "FL_MARK": mark,
        "FL_INPUT": str(len(reader.stdin or b"") if reader else 0),
    }
    fence, *rest = commands
    calls = [shlex.join(fence.argv), *(_call(command, STDIN) for command in rest)]
    whole = _script(commands, {**variables, **about}, calls)
    took = sum(command.timeout for command in rest)
    return replace(whole, repeatable=True, mark=mark, patience=fence.timeout, timeout=took)


def _script(
    commands: Sequence[Command], variables: Mapping[str, str], calls: Sequence[str]
) -> Command:
    readers = [command for command in commands if command.stdin is not None]
    if len(readers) > 1:
        raise ValueError("one script has one stdin")
    lines = ["trap '' PIPE", "echo @pid $$", "set -eu"]
    lines += [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
    lines.append(functions("\n".join(calls)))
    for index, call in enumerate(calls):
        lines += [f"echo @run {index} || :", call]
    return Command(
        ("sh", "-c", "\n".join(lines)),
        stdin=readers[0].stdin if readers else None,
        stdin_note=readers[0].stdin_note if readers else "",
        timeout=sum(command.timeout for command in commands),
    )


def _call(command: Command, stdin: str) -> str:
    return shlex.join(command.argv) + (stdin if command.stdin is not None else " </dev/null")
