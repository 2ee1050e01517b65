"""The console script `fairlead`: the tasks of fairlead.tasks, without a tasks.py.

Over plain `inv` it adds what only a program can: a mistyped word is answered with the nearest one,
a wrong command line with a sentence and exit code 2 (a JSON result line with `--json`).
"""

import inspect
import os
import sys
from collections.abc import Iterator
from functools import cache

from invoke.collection import Collection
from invoke.exceptions import Exit, ParseError
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext, to_flag
from invoke.parser.parser import Parser
from invoke.program import Program
from invoke.util import helpline

from fairlead.cli.command_line import check
from fairlead.cli.verb import COMMON, Options
from fairlead.errors import UsageError

ABOUT = "Takes a release from a laptop to the servers, and back"

GROUPS = {
    "Start": ("init", "doctor", "host"),
    "Check": ("lint", "test", "scan"),
    "Release": ("build", "push", "deploy", "promote", "abort", "rollback", "release"),
    "Watch": ("status", "smoke", "logs", "exec", "monitor", "perf", "report"),
    "Keep": ("backups", "lock", "services", "workflows"),
}
"""How the short help orders tasks and collections; what is not named here comes last."""

CORE_FLAGS = {"complete", "debug", "help", "list", "list-format", "list-depth", "version"}
HIDDEN_CORE_FLAGS = {"print-completion-script", "write-pyc"}


def main() -> None:
    """Run the command line of this process and exit with its code."""
    from fairlead.tasks import ns

    try:
        try:
            Fairlead(namespace=ns, name="fairlead", binary="fairlead").run(sys.argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError as gone:  # whoever read the help has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(gone.__context__.code if isinstance(gone.__context__, SystemExit) else 0)


class Fairlead(Program):
    """Invoke's program with manners: sentences for mistakes, exit code 2, an ordered help."""

    def run(self, argv: list[str] | None = None, exit: bool = True) -> None:
        """Carry out a command line; a mistake in it is told before anything is run."""
        code = 0
        try:
            self.create_config()
            self.parse_core(argv)
            self.parse_collection()
            self.parse_tasks()
            self.parse_cleanup()
            self.execute()
        except Exit as leaving:
            code = self._refuse(_misread(leaving.message)) if leaving.message else leaving.code
        except ParseError as mistake:
            code = self._refuse(_misread(str(mistake)))
        except UsageError as mistake:
            code = self._refuse(mistake)
        except KeyboardInterrupt:
            code = 1
        if exit:
            sys.exit(code)

    def core_args(self) -> list[Argument]:
        """Invoke's own flags, without those that steer shell commands: tasks here run none."""
        return [
            argument
            for argument in super().core_args()
            if argument.name in CORE_FLAGS | HIDDEN_CORE_FLAGS
        ]

    def update_config(self, merge: bool = True) -> None:
        """Nothing: what Invoke would take over from its flags, this program has no flags for."""

    @cache  # noqa: B019  one program per process; what a parser is given stays as it is
    def _make_parser(self) -> Parser:
        return super()._make_parser()

    def parse_tasks(self) -> None:
        self.parser = self._make_parser()
        asked = check(self.argv[1:], self.parser.contexts, self.initial_context)
        if asked:
            self.print_task_help(asked)
            raise Exit
        super().parse_tasks()

    def print_version(self) -> None:
        from fairlead import __version__

        print(f"fairlead {__version__}")

    def print_help(self) -> None:
        """What this is, and its tasks in the order in which one meets them."""
        from fairlead.report.called import spoken_as

        spoken = spoken_as("fairlead")
        print(f"fairlead: {ABOUT}\n\nUsage: fairlead <task> [--flags]\n")
        grouped = list(_grouped(self.collection))
        width = max((len(name) for _, pairs in grouped for name, _ in pairs), default=0)
        for title, pairs in grouped:
            print(title)
            for name, text in pairs:
                print(spoken(f"  {name:<{width}}  {text}".rstrip()))
            print()
        common = " ".join(f"--{name}" for name in COMMON)
        print(f"Every task has {common}.\nMore of one: fairlead <task> --help")

    def print_task_help(self, name: str) -> None:
        """What a task does, its own flags, and those that every task has."""
        from fairlead.report.called import spoken_as

        spoken = spoken_as("fairlead")
        context = self.parser.contexts[name]
        headline, _, more = (inspect.getdoc(self.collection[name]) or "").partition("\n")
        print(spoken(f"fairlead {name}: {headline}\n"))
        if more.strip():
            print(spoken(more.strip() + "\n"))
        for title, common in (("Flags", False), ("Flags of every task", True)):
            pairs = [
                _explained(context, argument)
                for argument in context.args.values()
                if (argument.name in COMMON) is common
            ]
            if pairs:
                print(f"{title}:\n")
                self.print_columns(pairs)

    def task_list_opener(self, extra: str = "") -> str:
        return f"Tasks{extra and f' ({extra})'}"

    def _refuse(self, error: UsageError) -> int:
        """Tell a mistake as the command would have told its result; the exit code."""
        from fairlead.report import open_reporter

        words = self.argv[: self.argv.index("--")] if "--" in self.argv else self.argv
        reporter = open_reporter(
            Options(json="--json" in words),
            stdout=sys.stdout,
            stderr=sys.stderr,
            environ=os.environ,
            redact=str,
            program="fairlead",
        )
        reporter.error(error)
        reporter.close(error.exit_code)
        return error.exit_code


def _misread(message: str) -> UsageError:
    return UsageError(message, state="nothing was run", next_step="inv --help")


def _grouped(tasks: Collection) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each group's title and its tasks with their first lines, in the order of GROUPS."""
    heads = {name: name.partition(".")[0] for name in tasks.task_names}
    placed = {head for group in GROUPS.values() for head in group}
    others = tuple(dict.fromkeys(head for head in heads.values() if head not in placed))
    for title, group in {**GROUPS, "Other": others}.items():
        pairs = [
            (name, helpline(tasks[name]) or "")
            for wanted in group
            for name, head in heads.items()
            if head == wanted
        ]
        if pairs:
            yield title, pairs


def _explained(context: ParserContext, argument: Argument) -> tuple[str, str]:
    """A flag as it is typed, and its help."""
    spec, text = context.help_for(to_flag(argument.names[0]))
    spec = spec.replace("STRING", "TEXT").replace("INT", "NUMBER")
    return (f"{spec}=A,B" if argument.kind is list else spec), text
