"""Many tools over one tree, side by side; no outcome hides another."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Outcome, Verdict
from fairlead.events import HostFinished, Listener, PhaseFinished, PhaseStarted
from fairlead.model import Command
from fairlead.transport.local import Ran, run_local

Runner = Callable[[Command], Ran]


def sweep(
    step: str,
    tools: Sequence[Tool],
    tree: Tree,
    *,
    timeout: float,
    listener: Listener,
    cancel: threading.Event | None = None,
    workers: int = 8,
) -> tuple[Verdict, ...]:
    """Run every tool over the tree and judge it; verdicts in the order of the tools.

    step: what is told of it (`lint`, `scan`). timeout: seconds for each tool; one that takes
    longer is ended with its children and is an error. Raises nothing for what a tool does.
    """
    began = time.monotonic()
    listener(PhaseStarted(step, f"{len(tools)} tools", tuple(tool.name for tool in tools)))

    def examine(tool: Tool) -> Verdict:
        command = replace(tool.command(tree), timeout=timeout)
        ran = run_local(command, cwd=tree.root, cancel=cancel)
        verdict = replace(judged(tool, tree, ran), seconds=ran.seconds)
        fine = verdict.outcome in (Outcome.PASSED, Outcome.NOT_RUN)
        note = verdict.reason or verdict.outcome
        listener(HostFinished(step, tool.name, fine, ran.seconds, note))
        return verdict

    with ThreadPoolExecutor(max_workers=max(1, min(workers, len(tools)))) as pool:
        verdicts = tuple(pool.map(examine, tools))
    good = all(verdict.outcome is Outcome.PASSED for verdict in verdicts)
    listener(PhaseFinished(step, good, time.monotonic() - began))
    return verdicts


def judged(tool: Tool, tree: Tree, ran: Ran) -> Verdict:
    """The verdict on a run, whatever became of it: missing, ended, killed, garbage, or judged."""
    if ran.missing:
        return Verdict(tool.name, Outcome.NOT_RUN, reason=f"{tool.name} is not installed")
    if ran.stopped == "timeout":
        reason = f"took longer than {ran.seconds:.0f} s and was stopped"
        return Verdict(tool.name, Outcome.ERROR, reason=reason)
    if ran.stopped:
        return Verdict(tool.name, Outcome.ERROR, reason="interrupted")
    if ran.code < 0:
        return Verdict(tool.name, Outcome.ERROR, reason=f"was killed by signal {-ran.code}")
    try:
        return tool.judge(tree, ran)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        said = (ran.err or ran.out).strip().splitlines()
        tail = f": {said[-1][:200]}" if said else ""
        reason = f"exit {ran.code}, and its output is not what it should be{tail}"
        return Verdict(tool.name, Outcome.ERROR, reason=reason)
