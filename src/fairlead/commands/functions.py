"""The shell functions of this folder, and which of them a script needs.

A script carries no more than it calls: a host parses less, and a slow uplink carries 2 KiB a round
trip instead of 50.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

FUNCTION_FILES = (
    "common.sh",
    "lock.sh",
    "steps.sh",
    "journal.sh",
    "records.sh",
    "router.sh",
    "router_container.sh",
    "router_configuration.sh",
    "router_traffic.sh",
    "router_servers.sh",
    "slots.sh",
    "pull.sh",
    "http.sh",
    "observe.sh",
    "check.sh",
    "setup.sh",
    "backup.sh",
    "backup_redis.sh",
    "backup_postgres.sh",
    "backup_qdrant.sh",
    "backup_volume.sh",
    "backup_command.sh",
)
ALWAYS = ""  # the library's name for what stands outside all functions
_NOTE = re.compile(r"^[ \t]*#.*\n|^[ \t]*\n|(?<=\(\) [{(]) # .*$", re.MULTILINE)
# It begins and ends at the left margin, or is one line: `fl_name() {` … `}`, or `(` … `)`.
_FUNCTION = re.compile(
    r"^(fl_\w+)\(\) (?:\{ .*\}|\{\n(?:.*\n)*?\}|\(\n(?:.*\n)*?\))\n", re.MULTILINE
)
_MENTION = re.compile(r"\bfl_\w+")


def functions(text: str) -> str:
    """The definitions that a text needs: of what it calls, and of what that calls in turn.

    A function is taken to call every other whose name occurs in it, be it as a word handed on
    (`fl_router_locked fl_switch_now`) or as a variable's name: rather one too many.
    """
    library = _library()
    needed = {ALWAYS}
    wanted = _mentioned(text)
    while wanted:
        name = wanted.pop()
        if name in library and name not in needed:
            needed.add(name)
            wanted |= _mentioned(library[name])
    return "\n".join(body for name, body in library.items() if name in needed)


def _mentioned(text: str) -> set[str]:
    return set(_MENTION.findall(text))


@cache
def _library() -> Mapping[str, str]:
    """Each function's definition by its name, in the order of the files; without comments."""
    folder = files("fairlead.commands")
    source = "".join(folder.joinpath(name).read_text("utf-8") for name in FUNCTION_FILES)
    text = _NOTE.sub("", source)
    found = {match[1]: match[0].rstrip() for match in _FUNCTION.finditer(text)}
    return {ALWAYS: _FUNCTION.sub("", text).strip(), **found}
