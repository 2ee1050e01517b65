"""Many tools over one tree, side by side; no outcome hides another."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from fairlead.checks.cache import Cache
from fairlead.checks.programs import Program, Programs
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Outcome, Verdict, concluded
from fairlead.events import HostFinished, Listener, PhaseFinished, PhaseStarted
from fairlead.model import Command
from fairlead.transport.local import NOT_FOUND, Ran, run_local


def sweep(
    step: str,
    tools: Sequence[Tool],
    tree: Tree,
    *,
    timeout: float,
    listener: Listener,
    cancel: threading.Event | None = None,
    programs: Programs | None = None,
    cache: Cache | None = None,
    workers: int = 8,
) -> tuple[Verdict, ...]:
    """Run every tool over the tree and judge it; verdicts in the order of the tools.

    step: what is told of it (`lint`, `scan`). timeout: seconds for each tool; one that takes
    longer is ended with its children and is an error. cache: verdicts of the same content are
    taken from it, and say so. Raises nothing for what a tool does; on Ctrl-C every tool is ended.
    """
    began = time.monotonic()
    stop = cancel or threading.Event()
    examination = _Examination(tree, programs or Programs(tree.root), cache, timeout, stop)
    names = tuple(tool.name for tool in tools)
    listener(PhaseStarted(step, f"{len(tools)} tool{'s' * (len(tools) != 1)}", names))

    def examine(tool: Tool) -> Verdict:
        verdict = examination.of(tool)
        note = verdict.reason or _told(verdict)
        passed = verdict.outcome is Outcome.PASSED
        listener(HostFinished(step, tool.name, passed, verdict.seconds, note))
        return verdict

    with ThreadPoolExecutor(max_workers=max(1, min(workers, len(tools)))) as pool:
        try:
            verdicts = tuple(pool.map(examine, tools))
        except BaseException:
            stop.set()
            raise
    if cache is not None:
        cache.prune()
    good = all(verdict.outcome is Outcome.PASSED for verdict in verdicts)
    listener(PhaseFinished(step, good, time.monotonic() - began, tally(verdicts)))
    return verdicts


class _Examination:
    """One tool after another over one tree; several at once are fine."""

    def __init__(
        self,
        tree: Tree,
        programs: Programs,
        cache: Cache | None,
        timeout: float,
        cancel: threading.Event,
    ) -> None:
        self._tree = tree
        self._programs = programs
        self._cache = cache
        self._timeout = timeout
        self._cancel = cancel

    def of(self, tool: Tool) -> Verdict:
        """The verdict of the tool: from the cache, or from a run. Raises nothing."""
        try:
            return self._of(tool)
        except (OSError, ValueError) as error:  # a file that cannot be read; too many for argv
            return Verdict(tool.name, Outcome.ERROR, reason=f"it could not be started: {error}")

    def _of(self, tool: Tool) -> Verdict:
        files = tool.examines(self._tree)
        if tool.needs_files and not files:
            reason = "there is no file it looks at"
            return Verdict(tool.name, Outcome.NOT_RUN, reason=reason, idle=True)
        command = tool.command(self._tree)
        folder = tool.folder(self._tree)
        program = self._programs.identify(command.argv[0], tool.asks_version, folder)
        if program is None:
            return missing(tool)
        key = self._key(tool, files, command, program)
        known = self._cache.recall(key, tool.lasts) if self._cache else None
        if known is not None:
            return known
        verdict = replace(self._run(tool, command, program), version=program.version)
        if self._cache and self._cache.holds(self._tree, files):
            self._cache.remember(key, verdict)
        return verdict

    def _run(self, tool: Tool, command: Command, program: Program) -> Verdict:
        ran = self._call(tool, command, program)
        verdict = replace(judged(tool, self._tree, ran), seconds=ran.seconds)
        question = tool.asks_files(self._tree)
        if question is None or verdict.outcome not in (Outcome.PASSED, Outcome.FINDINGS):
            return verdict
        return recounted(tool, verdict, self._call(tool, question, program))

    def _call(self, tool: Tool, command: Command, program: Program) -> Ran:
        argv = (str(program.path), *command.argv[1:])
        folder = tool.folder(self._tree)
        return run_local(
            replace(command, argv=argv, timeout=self._timeout),
            cwd=self._tree.root / folder,
            environ=self._programs.environ(tool.environ, folder),
            cancel=self._cancel,
        )

    def _key(self, tool: Tool, files: tuple[str, ...], command: Command, program: Program) -> str:
        if self._cache is None:
            return ""
        settings = self._tree.all.matching(*tool.settings)
        added = (f"{name}={value}" for name, value in sorted(tool.environ.items()))
        said = (command.stdin or b"").decode("utf-8", "replace")
        judged_by = repr(sorted(vars(tool).items()))  # not all it judges by is in its argv
        about = (tool.name, judged_by, program.version, program.beside, said)
        facts = (*about, *command.argv, *added, *self._programs.steering())
        return self._cache.key(self._tree, (*files, *settings), *facts)


def _told(verdict: Verdict) -> str:
    number = len(verdict.findings)
    count = f"{number} finding{'' if number == 1 else 's'}" if number else str(verdict.outcome)
    return f"{count}, from cache" if verdict.cached else count


def missing(tool: Tool) -> Verdict:
    """The verdict on a tool whose program is not here, with what would bring it."""
    how = f": {tool.install}" if tool.install else ""
    program = tool.name.partition(":")[0]  # what it is pointed at is not what is missing
    return Verdict(tool.name, Outcome.NOT_RUN, reason=f"{program} is not installed{how}")


def judged(tool: Tool, tree: Tree, ran: Ran) -> Verdict:
    """The verdict on a run, whatever became of it: missing, ended, killed, garbage, or judged."""
    if ran.missing or ran.code == NOT_FOUND:  # a version manager's stub says so by its exit code
        return missing(tool)
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
        return failed(tool.name, ran, "and its output is not what it should be")


def recounted(tool: Tool, verdict: Verdict, ran: Ran) -> Verdict:
    """The verdict on as many files as the tool takes in by its own account: ran, its answer."""
    seconds = verdict.seconds + ran.seconds
    try:
        count = tool.files_told(ran) if ran.ok else None
    except (ValueError, TypeError):
        count = None
    if count is None:
        found = failed(tool.name, ran, "and does not tell which files it takes in")
    else:
        found = concluded(tool.name, verdict.findings, count)
    return replace(found, seconds=seconds)


def failed(name: str, ran: Ran, what: str = "it could not do its work") -> Verdict:
    """An error, with the last thing the tool said."""
    said = (ran.err.strip() or ran.out.strip()).splitlines()
    tail = f": {said[-1][:200]}" if said else ""
    return Verdict(name, Outcome.ERROR, reason=f"exit {ran.code}, {what}{tail}")


def tally(verdicts: Sequence[Verdict]) -> str:
    """`9 passed, 1 with findings, 1 not-run`; what did not happen is not mentioned."""
    counted = Counter(verdict.outcome for verdict in verdicts)
    words = {Outcome.FINDINGS: "with findings"}
    return ", ".join(f"{counted[one]} {words.get(one, one)}" for one in Outcome if counted[one])
