"""What a task's body is given: its flags, its voice, its project."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairlead.config import Environment, Repository
    from fairlead.model import Secret
    from fairlead.report import Reporter
    from fairlead.services.declared import Declaration


@dataclass(frozen=True)
class Options:
    """The flags every task has, as they were given."""

    env: str = ""
    plan: bool = False
    json: bool = False
    yes: bool = False
    service: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    verbose: bool = False


class Run:
    """One run of one task.

    options: the common flags. reporter: the only way to tell anything. cwd: where the command was
    started. remainder: the words after `--`, each as it was given.
    """

    def __init__(self, options: Options) -> None:
        from fairlead.report import open_reporter

        self.options = options
        self.cwd = Path.cwd()
        self.remainder = _remainder(sys.argv)
        self._environment: Environment | None = None
        self._repository: Repository | None = None
        self._declaration: Declaration | None = None
        self._masks: Callable[[str], str] = str
        self._approved = False
        self.reporter: Reporter = open_reporter(
            options,
            stdout=sys.stdout,
            stderr=sys.stderr,
            environ=os.environ,
            redact=self.redact,
            program=Path(sys.argv[0]).name,
            environment=self._called,
        )

    def mask(self, variables: "Mapping[str, Secret]", *more: "Secret") -> None:
        """Mask these secrets too from now on; of variables those that look like one."""
        from fairlead.config import Redactor

        self._mask(Redactor(variables, extra=more).redact)

    def _mask(self, ours: Callable[[str], str]) -> None:
        before = self._masks
        self._masks = lambda text: ours(before(text))

    def redact(self, text: str) -> str:
        """The text without the secrets known by now: those of the environment, once it is read."""
        return self._masks(text)

    def environment(self, *, values: bool = False) -> "Environment":
        """The configuration of `--env`, read and checked once; its secrets are masked from now on.

        values: also what only a deploy needs, the values of the containers' variables; a task that
        demands them asks for the environment so before anything else does. Without `--env` it is
        the project's default, and the report says which. Raises UsageError outside a project or
        for an unknown environment; ConfigError with every fault of the files.
        """
        if self._environment is None:
            self._environment = self._load(values)
        return self._environment

    def repository(self) -> "Repository":
        """What is declared for work on this machine, read once; needs no environment and no host.

        Raises ConfigError with every fault of those tables.
        """
        if self._repository is None:
            from fairlead.config import load_repository

            self._repository = load_repository(self.cwd, os.environ)
        return self._repository

    def declaration(self) -> "Declaration":
        """The services that the repository declares, read once; there may be none."""
        if self._declaration is None:
            from fairlead.services.declared import read_declaration

            self._declaration = read_declaration(self.repository())
        return self._declaration

    def _called(self) -> str:
        """The environment's name, as far as it is known: read, or given by --env."""
        return self._environment.name if self._environment else self.options.env

    def confirm(self, question: str, flag: str = "--yes") -> None:
        """Go on only if a person says yes, or `--yes` was given.

        Raises UsageError naming `flag` where nobody can be asked, GateRefused on a no.
        """
        from fairlead.errors import GateRefused, UsageError

        if self.options.yes:
            return
        if not self._can_ask():
            raise UsageError(
                f"{question} Nobody can be asked here: there is no terminal",
                state="nothing was changed",
                next_step=f"repeat the command with {flag}",
            )
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise GateRefused(
                "not confirmed", state="nothing was changed", next_step="answer y, or give " + flag
            )

    def approve(self, question: str) -> None:
        """The same where the environment demands an approval; asked once.

        Raises GateRefused on a no, and where nobody can be asked.
        """
        from fairlead.errors import GateRefused

        environment = self.environment()
        if not environment.approval or self._approved or self.options.yes:
            return
        if not self._can_ask():
            raise GateRefused(
                f"{environment.name} asks for an approval (`approval = true`), and nobody can be "
                "asked here: there is no terminal",
                state="nothing was changed",
                next_step="repeat the command with --yes, which approves it",
            )
        self.confirm(question)
        self._approved = True

    def _can_ask(self) -> bool:
        return not self.options.json and sys.stdin.isatty() and sys.stderr.isatty()

    def trace(self, fault: BaseException) -> None:
        """Write the traceback of a fault to stderr, secrets masked."""
        import traceback

        print(self.redact("".join(traceback.format_exception(fault))), file=sys.stderr, end="")

    def _load(self, values: bool) -> "Environment":
        from fairlead.config import find_root, load
        from fairlead.events import Notice

        root, name = find_root(self.cwd), self.options.env or None
        environment = load(root, name, os.environ, values=values)
        self._mask(environment.redactor().redact)
        if not self.options.env:
            text = f"environment {environment.name}, the default; --env names another"
            self.reporter.event(Notice(text))
        return environment


def _remainder(argv: list[str]) -> tuple[str, ...]:
    """The words after `--`. Invoke keeps them as one string and hands it to no task."""
    return tuple(argv[argv.index("--") + 1 :]) if "--" in argv else ()
