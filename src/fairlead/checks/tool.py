"""What an adapter promises: one file per tool, from its argv to a Verdict."""

from collections.abc import Mapping
from math import inf
from types import MappingProxyType
from typing import Protocol

from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict
from fairlead.model import Command
from fairlead.transport.local import Ran

NOTHING: Mapping[str, str] = MappingProxyType({})


class Tool(Protocol):
    """A program that examines a tree. Adapters are pure: they phrase, and they judge.

    `sweep` runs them: it finds the program, deals with timeouts, with what is missing and with
    the cache, so that `judge` sees only a run that came to its own end. An adapter inherits from
    this class for the attributes that most of them share.

    name: in tables, in `--only`, in findings. install: what to type when it is missing.
    settings: globs of the files that steer it; a change of one is a change of what it says.
    environ: variables set beside ours. asks_version: its arguments that print a version.
    lasts: how long a verdict holds while nothing here changes (s): what asks a database of
    vulnerabilities gets a bound. needs_files: False for what examines no file of the tree, such
    as an image or what is installed.
    """

    name: str
    install: str = ""
    settings: tuple[str, ...] = ()
    environ: Mapping[str, str] = NOTHING
    asks_version: tuple[str, ...] = ("--version",)
    lasts: float = inf
    needs_files: bool = True

    def applies(self, tree: Tree) -> str:
        """Why it should run on this tree (`pyproject.toml has [tool.ruff]`); empty when not."""
        ...

    def optional(self, tree: Tree) -> bool:
        """Whether only a kind of file calls for it, and no setting of the project.

        Such a tool is left out where it is not installed, and the report says so; one that a
        project asks for is not-run there, which is no pass.
        """
        return False

    def folder(self, tree: Tree) -> str:
        """Where it is called, from the root: a part of the tree with settings of its own.

        Its own programs are looked for there first; paths in argv are seen from there.
        """
        return ""

    def examines(self, tree: Tree) -> tuple[str, ...]:
        """The files of the tree that its verdict depends on, `settings` apart."""
        ...

    def command(self, tree: Tree) -> Command:
        """How it is called, in its folder; prints what `judge` can parse.

        argv[0] is a program's bare name; `sweep` finds it. Nothing in argv is secret.
        """
        ...

    def asks_files(self, tree: Tree) -> Command | None:
        """How it tells which files it takes in; for one whose report has only those with findings.

        Called as `command` is, after it: a report without findings says nothing of how much was
        looked at.
        """
        return None

    def files_told(self, ran: Ran) -> int:
        """How many files the answer to that names."""
        return len(ran.out.splitlines())

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        """The outcome, from what it printed. ValueError and KeyError are taken as garbage."""
        ...
