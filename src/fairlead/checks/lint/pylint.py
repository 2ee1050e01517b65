"""pylint."""

import json
from typing import Any

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.lint.parsing import inside
from fairlead.checks.lint.python import pylint_settings, sources
from fairlead.checks.sweep import failed
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict, concluded
from fairlead.model import Command
from fairlead.transport.local import Ran

_SEVERITIES = {
    "fatal": Severity.HIGH,
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "refactor": Severity.LOW,
    "convention": Severity.LOW,
    "info": Severity.NOTE,
}
_BITS = 31  # of its exit code, one for each kind of message; 32 is a wrong command line


class Pylint(Tool):
    """Reads its JSON; `json2` came with pylint 3."""

    name = "pylint"
    install = "pip install 'pylint>=3'"
    settings = (".pylintrc", "pylintrc", "pyproject.toml", "setup.cfg", "tox.ini")

    def applies(self, tree: Tree) -> str:
        return pylint_settings(tree)

    def examines(self, tree: Tree) -> tuple[str, ...]:
        """All, if it is given one: it follows imports into the others."""
        return sources(tree.all) if sources(tree) else ()

    def command(self, tree: Tree) -> Command:
        return Command(("pylint", "--output-format=json2", "--", *sources(tree)))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        if ran.code & ~_BITS:
            return failed(self.name, ran)
        said = json.loads(ran.out)
        findings = [self._finding(tree, one) for one in said["messages"]]
        looked_at = len(sources(tree)) if said["statistics"]["modulesLinted"] else 0
        return concluded(self.name, findings, looked_at)

    def _finding(self, tree: Tree, raw: dict[str, Any]) -> Finding:
        return Finding(
            self.name,
            raw["messageId"],
            _SEVERITIES[raw["type"]],
            f"{raw['message']} ({raw['symbol']})",
            inside(tree, raw["path"]),
            raw["line"],
            raw["column"] + 1,
        )
