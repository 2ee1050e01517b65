"""Several commands made into one script for one host: one round trip, one process group."""

import re
import shlex
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from fairlead.model import Command

FUNCTION_FILES = (
    "common.sh",
    "lock.sh",
    "records.sh",
    "router.sh",
    "slots.sh",
    "http.sh",
    "observe.sh",
)
_BARE_COMMENT = re.compile(r"^\s*#.*$")


@cache
def functions(extra: tuple[str, ...] = ()) -> str:
    """The shell functions that a script begins with; comment lines left out. extra: more files."""
    lines: list[str] = []
    for name in (*FUNCTION_FILES, *extra):
        text = files("fairlead.commands").joinpath(name).read_text("utf-8")
        lines += [line for line in text.splitlines() if line and not _BARE_COMMENT.match(line)]
    return "\n".join(lines)


def script(
    commands: Sequence[Command], variables: Mapping[str, str], extra: tuple[str, ...] = ()
) -> Command:
    """One `sh -c` that runs `commands` in order and stops at the first that fails.

    Before each it prints `@run <index>`, so a failure can be named. At most one of the commands
    may read stdin. SIGPIPE is ignored and so are marks that nobody reads any more: a cut connection
    must not stop a step half-way. `extra` names function files that not every script carries.
    """
    readers = [command for command in commands if command.stdin is not None]
    if len(readers) > 1:
        raise ValueError("one script has one stdin")
    lines = ["trap '' PIPE", "echo @pid $$", "set -eu"]
    lines += [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
    lines.append(functions(extra))
    for index, command in enumerate(commands):
        source = "" if command.stdin is not None else " </dev/null"
        lines += [f"echo @run {index} || :", shlex.join(command.argv) + source]
    return Command(
        ("sh", "-c", "\n".join(lines)),
        stdin=readers[0].stdin if readers else None,
        stdin_note=readers[0].stdin_note if readers else "",
        timeout=sum(command.timeout for command in commands),
    )
