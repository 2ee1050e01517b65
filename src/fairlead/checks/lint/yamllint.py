"""yamllint."""

import re

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.lint.parsing import by_lines, inside
from fairlead.checks.lint.settings import asked_in
from fairlead.checks.sweep import failed
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict, concluded
from fairlead.model import Command
from fairlead.transport.local import Ran

_OWN = (".yamllint", ".yamllint.yaml", ".yamllint.yml")
_FINDING = (
    r"(?P<path>.+?):(?P<line>\d+):(?P<column>\d+): \[(?P<level>error|warning)\] "
    r"(?P<message>.+?)(?: \((?P<rule>[\w-]+)\))?"
)
NO_STYLE = "{rules: {key-duplicates: enable}}"
"""For a project without settings: what is no YAML at all, and keys that come twice."""


class Yamllint(Tool):
    """Reads its parsable lines. Its warnings are notes: it lets them pass itself."""

    name = "yamllint"
    install = "pip install yamllint"
    settings = _OWN

    def applies(self, tree: Tree) -> str:
        return asked_in(tree, *_OWN) or ("YAML files" if self.examines(tree.all) else "")

    def optional(self, tree: Tree) -> bool:
        return not asked_in(tree, *_OWN)

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return tree.matching("*.yml", "*.yaml")

    def command(self, tree: Tree) -> Command:
        return Command(("yamllint", "-f", "parsable", *self._given(tree)))

    def _given(self, tree: Tree) -> tuple[str, ...]:
        style = () if asked_in(tree, *_OWN) else ("-d", NO_STYLE)
        return (*style, "--", *self.examines(tree))

    def asks_files(self, tree: Tree) -> Command:
        return Command(("yamllint", "--list-files", *self._given(tree)))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        found = by_lines(ran.out, _FINDING, lambda match: self._finding(tree, match))
        if ran.code not in (0, 1) or (ran.code and not found):
            return failed(self.name, ran)
        return concluded(self.name, found, len(self.examines(tree)))

    def _finding(self, tree: Tree, found: re.Match[str]) -> Finding:
        return Finding(
            self.name,
            found["rule"] or "syntax",
            Severity.MEDIUM if found["level"] == "error" else Severity.NOTE,
            found["message"],
            inside(tree, found["path"]),
            int(found["line"]),
            int(found["column"]),
        )
