"""What is wrong with a command line, in a sentence, before Invoke reads it.

Invoke says `No idea what 'x' is!` for a mistyped task, an unknown flag, a value given to a switch
and a flag given twice alike; and it runs a task of that name if there is one.
"""

from collections.abc import Iterable, Mapping, Sequence

from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext

from fairlead.errors import UsageError

HABITS = {
    "dry": "plan",
    "dry-run": "plan",
    "check": "plan",
    "environment": "env",
    "e": "env",
    "force": "yes",
    "y": "yes",
    "version": "tag",
    "host": "hosts",
    "services": "service",
}
"""Flags of other tools that people type here → ours."""


def check(words: Sequence[str], tasks: Mapping[str, ParserContext], core: ParserContext) -> str:
    """The task whose help is asked for after its name, usually none: "".

    Raises UsageError for the first word that would not be understood, or not as it was meant.
    words: what follows the program's name. tasks: by name, aliases too. core: Invoke's own flags.
    """
    end = words.index("--") if "--" in words else len(words)
    reading = _Reading(list(words[:end]), tasks, core)
    reading.read()
    return reading.asked


class _Reading:
    """One pass over the words: which task they belong to and what has been given."""

    def __init__(
        self, words: list[str], tasks: Mapping[str, ParserContext], core: ParserContext
    ) -> None:
        self.words = words
        self.tasks = tasks
        self.core = core
        self.task: ParserContext | None = None
        self.missing: list[str] = []
        self.given: set[str] = set()
        self.asked = ""

    def read(self) -> None:
        while self.words:
            word = self.words.pop(0)
            if word.startswith("-"):
                self.flag(word)
            elif self.missing:
                self.missing.pop(0)
            elif word in self.tasks:
                self.end_task()
                self.begin_task(word)
            else:
                raise self.unknown_word(word)
        self.end_task()

    def begin_task(self, name: str) -> None:
        self.task = self.tasks[name]
        self.missing = [str(argument.name) for argument in self.task.positional_args]
        self.given = set()

    def end_task(self) -> None:
        if self.task and self.missing and self.asked != self.task.name:
            needed = " ".join(f"<{name}>" for name in self.missing)
            raise UsageError(
                f"{self.task.name} needs {needed}", next_step=f"inv {self.task.name} {needed}"
            )

    def flag(self, word: str) -> None:
        name, equals, _ = word.partition("=")
        if len(name) > 2 and not name.startswith("--"):
            return  # several short flags in one: Invoke takes them apart
        argument = self.argument(name)
        if argument is None:
            raise self.unknown_flag(name)
        if argument.takes_value:
            self.value(name, argument, given=bool(equals))
        elif equals:
            raise UsageError(f"{name} takes no value", next_step=f"give {name} alone, or not")
        self.given.add(name)

    def argument(self, name: str) -> Argument | None:
        for context in (self.task, self.core):
            if context and name in context.flags:
                found: Argument = context.flags[name]
                return found
            if context and name in context.inverse_flags:
                return Argument(name=name.strip("-"), kind=bool)
        return None

    def value(self, name: str, argument: Argument, given: bool) -> None:
        """Take the value of a flag, which may be the next word."""
        if name in self.given and argument.kind is not list:
            raise UsageError(f"{name} is given twice", next_step="keep one of them")
        if argument.name == "help" and self.task:
            self.asked = str(self.task.name)
        elif given or (argument.optional and self.task):
            return
        elif self.words and not self.words[0].startswith("-"):
            self.core_value(argument, self.words.pop(0))
        elif not argument.optional:
            raise UsageError(f"{name} needs a value", next_step=f"{name}=<value>")

    def core_value(self, argument: Argument, word: str) -> None:
        """The word after `--help` is a task, the one after `--list` a group of them."""
        if self.task is None and argument.name == "help" and word not in self.tasks:
            raise self.unknown_word(word)
        groups = {name.rpartition(".")[0] for name in self.tasks if "." in name}
        if self.task is None and argument.name == "list" and word not in groups:
            near = _nearest(word, groups)
            hint = f" (did you mean {near}?)" if near else ""
            raise UsageError(f"no group of tasks {word}{hint}", next_step=f"inv --list {near}")

    def unknown_flag(self, name: str) -> UsageError:
        if self.task is None:
            if any(name in context.flags for context in self.tasks.values()):
                return UsageError(
                    f"{name} is a flag of a task, and none is named before it",
                    next_step=f"inv <task> {name}",
                )
            return UsageError(f"no flag {name}{_meant(name, self.core)}", next_step="inv --help")
        known = sorted({flag for flag in self.task.flag_names() if flag.startswith("--")})
        return UsageError(
            f"{self.task.name} has no flag {name}{_meant(name, self.task)}",
            why=[f"it has {' '.join(known)}"],
            next_step=f"inv {self.task.name} --help",
        )

    def unknown_word(self, word: str) -> UsageError:
        group = sorted(name for name in self.tasks if name.startswith(f"{word}."))
        if group:
            return UsageError(
                f"{word} is a group of tasks: {', '.join(group)}", next_step=f"inv --list {word}"
            )
        near = _nearest(word, self.tasks)
        if near or self.task is None:
            hint = f" (did you mean {near}?)" if near else ""
            return UsageError(f"no task {word}{hint}", next_step=f"inv {near or '--list'}")
        return UsageError(
            f"{self.task.name} takes no word like {word}",
            why=["values belong to flags, as in --env=staging"],
            next_step=f"inv {self.task.name} --help",
        )


def _meant(flag: str, context: ParserContext) -> str:
    """` (did you mean --env?)`, or nothing. Dashes are no likeness."""
    name = flag.strip("-")
    known = {one.strip("-") for one in context.flag_names() if one.startswith("--")}
    habit = HABITS.get(name, "")
    near = habit if habit in known else _nearest(name, known)
    return f" (did you mean --{near}?)" if near else ""


def _nearest(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), n=1)), "")
