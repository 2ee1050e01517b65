"""`@verb`: a function that becomes an Invoke task with the flags and manners all tasks share.

    @verb(help={"tag": "The release to deploy, as tagged in the registry"})
    def deploy(run: Run, tag: str = "") -> None:
        \"\"\"Deploy a release: prove the new, switch, drain, stop the old.\"\"\"

Parameters become flags by their default: str, int, bool, or a tuple for a list (`--suite=a,b`,
may be repeated); one without a default is positional. A failure raised as FairleadError is
reported and ends with its exit code; a body never prints.
"""

import inspect
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, overload

from invoke.exceptions import Exit, ParseError
from invoke.parser.argument import Argument
from invoke.tasks import Task

from fairlead.cli.interrupt import interruptible
from fairlead.cli.run import Options, Run
from fairlead.errors import FairleadError, UsageError

__all__ = ["Options", "Run", "verb"]

Body = Callable[..., int | None]

COMMON = {
    "env": ("", "The environment: deploy/<env>.toml (default: default_environment)"),
    "plan": (False, "Show what would run, and change nothing"),
    "json": (False, "Write JSON lines on stdout; the last one is the result"),
    "yes": (False, "Answer yes to every question"),
    "service": ((), "Only these services: api,worker; all; all-changed"),
    "hosts": ((), "Only these hosts, by name or role: --hosts=web1,web2"),
    "verbose": (False, "Show every command and its output"),
}
"""The flags of every task: default and help."""

HOSTS = "it works on this machine"
"""Why a task that works on the repository takes no --hosts."""


class Flag(Argument):
    """An Invoke argument that lists by commas, counts from its default and fails in a sentence."""

    @classmethod
    def of(cls, name: str, default: Any, help: str, positional: bool = False) -> "Flag":
        kind = {tuple: list, type(None): str}.get(type(default), type(default))
        dashed = name.strip("_").replace("_", "-")
        if kind in (str, int) and default and "default" not in help:
            help += f" (default: {default})"
        return cls(
            names=(dashed, "v") if name == "verbose" else (dashed,),
            attr_name=name if dashed != name else None,
            kind=kind,
            default=list(default) if kind is list else default,
            help=help,
            positional=positional,
        )

    def set_value(self, value: Any, cast: bool = True) -> None:
        try:
            super().set_value(value, cast)
        except ValueError:
            message = f"--{self.names[0]} needs a whole number, not {value!r}"
            raise ParseError(message) from None

    def __deepcopy__(self, memo: object) -> "Flag":
        """A cheap copy: Invoke's parser copies every flag of every task on every start."""
        copied = Flag.__new__(Flag)
        copied.__dict__.update(self.__dict__)
        return copied


class Verb(Task[Body]):
    """An Invoke task with the common flags, a reporter, and errors turned into exit codes."""

    def __init__(
        self,
        body: Body,
        *,
        name: str | None = None,
        help: Mapping[str, str] | None = None,
        mutates: bool = True,
        refuses: Mapping[str, str] | None = None,
        default: bool = False,
    ) -> None:
        own = list(inspect.signature(body).parameters.values())[1:]
        taken = sorted({parameter.name for parameter in own} & set(COMMON))
        if taken:
            raise TypeError(f"{body.__name__}: every task has the flags {', '.join(taken)} already")
        unknown = sorted(set(help or ()) - {parameter.name for parameter in own})
        if unknown:
            raise TypeError(f"{body.__name__}: help for no parameter: {', '.join(unknown)}")
        self.own = tuple(own)
        self.mutates = mutates
        self.refuses = dict(refuses or {})
        super().__init__(
            body, name=name, default=default, auto_shortflags=False, help=dict(help or {})
        )

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """This task's own flags, positional ones first, then the common ones.

        What a task refuses is a flag all the same: its answer is a reason, not "no such flag".
        """
        own = [
            Flag.of(p.name, None, self.help.get(p.name, ""), positional=True)
            if p.default is p.empty
            else Flag.of(p.name, p.default, self.help.get(p.name, ""))
            for p in sorted(self.own, key=lambda p: p.default is not p.empty)
        ]
        refused = {flag: f"Not for this task: {reason}" for flag, reason in self.refuses.items()}
        return [
            *own,
            *(
                Flag.of(name, kind, refused.get(name, text))
                for name, (kind, text) in COMMON.items()
            ),
        ]

    def __call__(self, context: Any, /, **values: Any) -> Any:
        """Carry the task out; raises invoke's Exit with the exit code unless it is 0."""
        # Invoke forbids .pyc files; every later start would compile the lazy imports anew.
        sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
        self.times_called += 1
        common = {name: _given(values.get(name), about[0]) for name, about in COMMON.items()}
        own = {p.name: _given(values.get(p.name), p.default) for p in self.own}
        run = Run(Options(**common))
        code = Bug.exit_code
        try:
            with interruptible():
                code = self._carry_out(run, context, own)
        finally:
            run.reporter.close(code)
        if code:
            raise Exit(code=code)

    def _carry_out(self, run: Run, context: Any, own: Mapping[str, Any]) -> int:
        """Run the body and tell what went wrong, if anything; the exit code."""
        try:
            _refuse_dry(context)
            self._refuse_flags(run.options)
            code = self.body(run, **own)
        except Exit as leaving:
            return leaving.code
        except (Exception, KeyboardInterrupt) as fault:
            error = self._explained(run, fault)
            run.reporter.error(error)
            return error.exit_code
        return int(not run.reporter.ok) if code is None else code

    def _refuse_flags(self, options: Options) -> None:
        """What would be ignored is refused: whoever narrows a command means it."""
        for flag, reason in self.refuses.items():
            if getattr(options, flag):
                raise UsageError(
                    f"{self.name} takes no --{flag}: {reason}",
                    state="nothing was changed",
                    next_step=f"repeat it without --{flag}, if that is what you want",
                )

    def _explained(self, run: Run, fault: BaseException) -> FairleadError:
        """The fault as an error a person can act on."""
        if isinstance(fault, FairleadError):
            return fault
        looked_only = run.options.plan or not self.mutates
        if isinstance(fault, KeyboardInterrupt):
            known = "; ".join(getattr(fault, "__notes__", ()))
            return Interrupted(
                self.name, str(fault), "nothing was changed" if looked_only else known
            )
        if os.environ.get("FAIRLEAD_DEBUG") == "1":
            run.trace(fault)
        return Bug(self.name, fault, looked_only)


class Interrupted(FairleadError):
    """A person or a CI job stopped the command.

    state: how things stand, as the notes of the KeyboardInterrupt tell; empty when nobody knows.
    """

    kind = "interrupted"

    def __init__(self, task: str, signal: str, state: str) -> None:
        by = {"SIGINT": "Ctrl-C", "": "Ctrl-C"}.get(signal, signal)
        super().__init__(
            f"{task} was interrupted by {by}",
            state=state,
            next_step="" if state else "inv status  (which release is serving)",
        )


class Bug(FairleadError):
    """What nobody expected. After one that may have changed something, the state is unknown."""

    exit_code = 6
    kind = "bug"

    def __init__(self, task: str, fault: BaseException, looked_only: bool) -> None:
        import traceback

        frames = traceback.extract_tb(fault.__traceback__)
        where = [f"at {'/'.join(f.filename.split('/')[-2:])}:{f.lineno}" for f in frames[-1:]]
        super().__init__(
            f"this is a bug in fairlead: {task} met {type(fault).__name__}: {fault}",
            why=where,
            state="nothing was changed" if looked_only else "unknown: the command ended half way",
            next_step="repeat it with FAIRLEAD_DEBUG=1 and report the traceback"
            if looked_only
            else "inv status, then report this with the traceback that FAIRLEAD_DEBUG=1 shows",
        )
        if looked_only:
            self.exit_code = 1


@overload
def verb(body: Body, /) -> Verb: ...
@overload
def verb(
    *,
    name: str | None = None,
    help: Mapping[str, str] | None = None,
    mutates: bool = True,
    refuses: Mapping[str, str] | None = None,
    default: bool = False,
) -> Callable[[Body], Verb]: ...
def verb(body: Body | None = None, /, **options: Any) -> Verb | Callable[[Body], Verb]:
    """Make a task of a function whose first parameter is the Run.

    help: text per own flag. mutates: False for what only looks, so that a bug in it is not
    reported as an unknown state of the hosts. refuses: common flags that the task does not act on,
    each with the reason. name, default: as in `invoke.task`.
    """
    return Verb(body) if body is not None else lambda function: Verb(function, **options)


def _given(value: Any, default: Any) -> Any:
    """A flag's value as a body sees it: a list, given as `a,b` or repeated, becomes a tuple."""
    if not isinstance(default, tuple):
        return default if value is None else value
    parts = (part.strip() for given in value or default for part in str(given).split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def _refuse_dry(context: Any) -> None:
    """Invoke takes its own `--dry` after any task; a deploy would ignore it and deploy."""
    if context.config.run.dry:
        raise UsageError(
            "--dry is Invoke's own flag and has no effect here",
            state="nothing was changed",
            next_step="--plan shows what would run",
        )
