"""mypy. It reads text: that is the same in all versions, and tells how much was checked."""

import re

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.lint.packages import packages
from fairlead.checks.lint.parsing import inside, summed
from fairlead.checks.lint.python import sources
from fairlead.checks.lint.settings import asked_in, pyproject, section
from fairlead.checks.sweep import failed
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict, concluded
from fairlead.model import Command
from fairlead.transport.local import Ran

_FINDING = re.compile(
    r"^(?P<path>[^\s:][^:\n]*):(?P<line>\d+):(?:(?P<column>\d+):)? (?P<kind>error|note): "
    r"(?P<message>.+?)(?:  \[(?P<rule>[\w-]+)\])?$",
    re.MULTILINE,
)
_OWN = ("mypy.ini", ".mypy.ini")
_SUBJECTS = ("files", "packages", "modules")


class Mypy(Tool):
    """Always takes the whole program: a change in one file is a fault in another.

    What it is given is what its settings name; without that the packages of the tree, or all
    its files.
    """

    name = "mypy"
    install = "pip install mypy"
    settings = ("pyproject.toml", *_OWN, "setup.cfg")

    def applies(self, tree: Tree) -> str:
        return asked_in(tree, *_OWN, table="tool.mypy", section="mypy")

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return sources(tree.all) if sources(tree) else ()

    def command(self, tree: Tree) -> Command:
        options = (
            "--show-column-numbers",
            "--no-color-output",
            "--no-pretty",
            "--show-error-codes",
        )
        shape = ("--hide-error-context", "--error-summary")
        named = () if self._names_its_subjects(tree) else ("--", *self._subjects(tree))
        return Command(("mypy", *options, *shape, *named))

    def _names_its_subjects(self, tree: Tree) -> bool:
        table = pyproject(tree, "tool.mypy")
        sections = (section(tree, name, "mypy") for name in (*_OWN, "setup.cfg"))
        said = (table if isinstance(table, dict) else {}, *sections)
        return any(one.get(key) for one in said for key in _SUBJECTS)

    def _subjects(self, tree: Tree) -> tuple[str, ...]:
        folders = tuple(f"{one.base}/{one.name}".removeprefix("./") for one in packages(tree.all))
        return folders or sources(tree.all)

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        found = [self._finding(tree, one) for one in _FINDING.finditer(ran.out)]
        found = [one for one in found if one.severity is not Severity.NOTE]
        if ran.code not in (0, 1) and not found:
            return failed(self.name, ran)
        looked_at = summed(r"(?:checked|no issues found in) (\d+) source files?", ran.out)
        if ran.code and not found:
            return failed(self.name, ran)
        return concluded(self.name, found, looked_at)

    def _finding(self, tree: Tree, found: re.Match[str]) -> Finding:
        return Finding(
            self.name,
            found["rule"] or "error",
            Severity.HIGH if found["kind"] == "error" else Severity.NOTE,
            found["message"],
            inside(tree, found["path"]),
            int(found["line"]),
            int(found["column"] or 0),
        )
