"""Fixers, one after another over the same files, and what they changed."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import replace

from fairlead.checks.lint.fixer import Fixer
from fairlead.checks.programs import Programs
from fairlead.checks.tree import Tree
from fairlead.events import HostFinished, Listener, PhaseFinished, PhaseStarted
from fairlead.transport.local import NOT_FOUND, Ran, run_local

STEP = "fix"


def repair(
    tools: Sequence[Fixer], tree: Tree, *, programs: Programs, timeout: float, listener: Listener
) -> tuple[str, ...]:
    """Run the fixers in their order; the files that are written otherwise now.

    One that is missing or fails is told and stops no other: the check after it says what is left.
    timeout: seconds, each.
    """
    began = time.monotonic()
    before = _contents(tree)
    listener(PhaseStarted(STEP, f"{len(tools)} fixers", tuple(tool.name for tool in tools)))
    fine = True
    for tool in tools:
        ran = _run(tool, tree, programs, timeout)
        good = not ran.missing and not ran.stopped and tool.repaired(ran)
        said = (ran.err.strip() or ran.out.strip()).splitlines()
        note = "" if good else (said[-1] if said else f"exit {ran.code}")
        listener(HostFinished(STEP, tool.name, good, ran.seconds, note))
        fine = fine and good
    after = _contents(tree)
    changed = tuple(name for name in tree.files if before[name] != after[name])
    count = f"{len(changed)} file{'' if len(changed) == 1 else 's'} changed"
    listener(PhaseFinished(STEP, fine, time.monotonic() - began, count))
    return changed


def _run(tool: Fixer, tree: Tree, programs: Programs, timeout: float) -> Ran:
    command = tool.repair(tree)
    folder = tool.folder(tree)
    program = programs.find(command.argv[0], folder)
    if program is None:
        return Ran(NOT_FOUND, "", f"{tool.name} is not installed", 0.0, missing=True)
    called = replace(command, argv=(str(program), *command.argv[1:]), timeout=timeout)
    environ = programs.environ(tool.environ, folder)
    return run_local(called, cwd=tree.root / folder, environ=environ)


def _contents(tree: Tree) -> dict[str, bytes]:
    return {name: _digest(tree, name) for name in tree.files}


def _digest(tree: Tree, name: str) -> bytes:
    try:
        return hashlib.sha256((tree.root / name).read_bytes()).digest()
    except OSError:
        return b""
