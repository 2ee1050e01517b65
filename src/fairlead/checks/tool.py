"""What an adapter promises: one file per tool, from its argv to a Verdict."""

from typing import Protocol

from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict
from fairlead.model import Command
from fairlead.transport.local import Ran


class Tool(Protocol):
    """A program that examines a tree. Adapters are pure: they phrase, and they judge.

    `sweep` runs them: it deals with timeouts, programs that are missing, and the cache, so that
    `judge` sees only a run that came to its own end.
    """

    name: str

    def applies(self, tree: Tree) -> str:
        """Why it should run on this tree (`pyproject.toml has [tool.ruff]`); empty when not."""
        ...

    def command(self, tree: Tree) -> Command:
        """How it is called, in tree.root; prints what `judge` can parse."""
        ...

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        """The outcome, from what it printed. ValueError and KeyError are taken as garbage."""
        ...
