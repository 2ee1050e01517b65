"""A linter that can fix what it finds."""

from typing import Protocol, runtime_checkable

from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.model import Command
from fairlead.transport.local import Ran


@runtime_checkable
class Fixer(Tool, Protocol):
    """Fixers run one after another: they write the same files."""

    def repair(self, tree: Tree) -> Command:
        """How it is called to fix the files of the tree in place."""
        ...

    def repaired(self, ran: Ran) -> bool:
        """Whether it did its work; faults that nothing can fix are left for the check."""
        return ran.code in (0, 1)
