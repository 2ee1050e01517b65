"""deploy/rollback.sh and deploy/smoke_tests.sh: rendered from the very commands a deploy runs.

The commands are made with placeholders for slot and release, which become shell variables.
"""

import json
import shlex
from collections.abc import Iterable, Mapping
from importlib.resources import files

from fairlead.commands import backup, compose, host, router
from fairlead.commands.functions import functions
from fairlead.config import BackupData, Environment, SmokeCheck
from fairlead.engines.compose.layout import PATIENCE, ROUTER_DIRECTORY, SETTLE_SECONDS, Layout
from fairlead.model import SLOTS, Command

SLOT, RELEASE, STAMP, OLD = "@slot@", "@release@", "@stamp@", "@old@"
HELD, BEFORE, DATA, SEQUENCE = "@held@", "@before@", "@data@", "@sequence@"
MARKERS = (SLOT, RELEASE, STAMP, OLD, HELD, BEFORE, DATA, SEQUENCE)
VARIABLES = {marker: f"${{{marker.strip('@')}}}" for marker in MARKERS}
DATA_MARKERS = (
    *("dump", "close", "stop", "restore_data", "return_data", "reopen"),
    *("check_data", "restored"),
)


def rollback_script(
    environment: Environment,
    layout: Layout,
    services: Iterable[str],
    *,
    routed: bool = True,
    host_name: str = "",
) -> bytes:
    """The break-glass rollback of this environment, for a host without this program.

    services: those of a slot there, which are waited for. host_name: the one whose data it restores
    with --with-data. routed: the host has services with routes; one without may have no router to
    speak to.
    """
    project, old = layout.project(SLOT), layout.project(OLD)
    config = layout.release_file(RELEASE, f"router-{SLOT}.cfg")
    timeout = environment.health_timeout(services)
    whole, proven = _revived(old, timeout, routed)
    lines = {
        # A rolling deploy has drained its servers one by one, and nothing made them ready since.
        "activate": [*_ready(project, routed), host.activate(project)],
        "restore": [host.restore(STAMP, RELEASE)],
        "start": [
            host.network(*(layout.project(slot) for slot in SLOTS)),
            *((router.connect(project),) if routed else ()),
            host.make_room(project, config if routed else ""),
            compose.up(project, layout.slot_file(RELEASE, SLOT)),
        ],
        "healthy": [host.await_healthy(project, SETTLE_SECONDS, timeout)],
        "switch": [
            *(
                [router.routes(layout.key, layout.release_file(RELEASE, "routes"))]
                if routed
                else ()
            ),
            router.switch(SLOT),
        ],
        "clear": [host.clear(project)],
        "settle": [*whole, proven, router.switch(OLD)],
        "retire": [host.stop_workers(old), host.retire(old, environment.keep_warm)],
    }
    data = environment.data_on(host_name)
    lines |= _data_lines(data, layout, [*whole, router.switch(OLD), proven])
    text = _template("rollback.sh")
    for name, commands in lines.items():
        text = _put(text, name, [_line(command) for command in commands])
    text = text.replace("@drain_timeout@", f"{environment.drain_timeout:.0f}")
    text = text.replace("@has_data@", "yes" if data else "no")
    return _whole(text, layout)


def _revived(project: str, timeout: float, routed: bool) -> tuple[list[Command], Command]:
    """What makes a slot whole again, and what waits for it (strategies/revival.py)."""
    patience = max(timeout, PATIENCE)
    waiting = host.await_healthy(project, SETTLE_SECONDS, patience, "patient")
    return [host.revive(project), *_ready(project, routed)], waiting


def _ready(project: str, routed: bool) -> list[Command]:
    """The router may send requests to all servers of the slot."""
    file = f"{ROUTER_DIRECTORY}/conf.d/{project}.cfg"
    return [router.ready_slot(project, file)] if routed else []


def _data_lines(
    data: tuple[BackupData, ...],
    layout: Layout,
    reopen: list[Command],
) -> dict[str, list[Command]]:
    """The same commands as the plan of `rollback --with-data` has."""
    if not data:
        nothing = [Command((":",))]
        return dict.fromkeys(DATA_MARKERS, nothing)
    blue, green = (layout.project(slot) for slot in SLOTS)
    return {
        "check_data": [backup.check(DATA, *(one.name for one in data))],
        "dump": [
            Command(("fl_backup_begin", BEFORE, HELD, SEQUENCE)),
            *(backup.data(BEFORE, one, required=True) for one in data),
            backup.end(BEFORE),
        ],
        "close": [router.switch("-")],
        "stop": [host.retire(blue, 0), host.retire(green, 0)],
        "restore_data": [backup.restore(DATA, one) for one in data],
        "return_data": [backup.give_back(BEFORE, one) for one in reversed(data)],
        "reopen": reopen,
        "restored": [Command(("fl_backup_restored_of", DATA, *(one.name for one in data)))],
    }


def smoke_script(environment: Environment, layout: Layout) -> bytes:
    """The smoke checks that hosts ask, for a host without this program."""
    from fairlead.engines.compose.addresses import host_name

    calls = [
        shlex.join(_smoke_words(environment, check, host_name(environment)))
        for check in environment.smoke
        if "host" in check.from_
    ]
    text = _put(_template("smoke_tests.sh"), "checks", calls or ['echo "no checks are declared"'])
    return _whole(text, layout)


def _smoke_words(environment: Environment, check: SmokeCheck, name: str) -> tuple[str, ...]:
    from fairlead.engines.compose.addresses import entrance

    pairs = (
        f'"{path.split(".")[-1]}":{json.dumps(value, separators=(",", ":"))}'
        for path, value in check.json.items()
    )
    seconds, status = f"{check.max_time:.3g}", str(check.status)
    request = (entrance(environment), check.name, check.method, check.path, name, seconds)
    return ("fl_smoke", *request, status, check.contains, *pairs)


def _template(name: str) -> str:
    return files("fairlead.commands").joinpath("onhost", name).read_text("utf-8")


def _put(text: str, name: str, lines: Iterable[str]) -> str:
    """Put lines in the place of a marker that stands at the end of a line, indented like it."""
    placed = []
    for line in text.splitlines():
        if line.endswith(f"@{name}@"):
            before = line.removesuffix(f"@{name}@")
            indent = before if not before.strip() else "  "
            ordered = list(lines)
            first = f"{{ {'; '.join(ordered)}; }}" if before.strip() else None
            placed += [before + first] if first else [indent + one for one in ordered]
        else:
            placed.append(line)
    return "\n".join(placed) + "\n"


def _line(command: Command) -> str:
    """A command as a line of shell, its placeholders as quoted variables."""
    return " ".join(_word(word) for word in command.argv)


def _word(word: str) -> str:
    if not any(marker in word for marker in VARIABLES):
        return shlex.quote(word)
    for marker, variable in VARIABLES.items():
        word = word.replace(marker, variable)
    return f'"{word}"'


def _whole(text: str, layout: Layout) -> bytes:
    head, _, body = text.partition("\n\n")
    assignments = _assignments(layout.variables)
    whole = [
        "#!/bin/sh",
        head.replace("@key@", layout.key),
        "set -eu",
        assignments,
        functions(body),
    ]
    return ("\n".join(whole) + "\n\n" + body).encode()


def _assignments(variables: Mapping[str, str]) -> str:
    return "\n".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
