"""radon: how many ways lead through a function."""

import json
from dataclasses import dataclass
from typing import Any

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.lint.parsing import inside
from fairlead.checks.lint.python import sources
from fairlead.checks.lint.settings import asked_in
from fairlead.checks.sweep import failed
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict, concluded
from fairlead.model import Command
from fairlead.transport.local import Ran

RULE = "complexity"


@dataclass(frozen=True)
class Radon(Tool):
    """Reads its JSON. most: the highest McCabe number that is no finding."""

    most: int

    name = "radon"
    install = "pip install radon"
    settings = ("radon.cfg", "setup.cfg", "pyproject.toml")

    def applies(self, tree: Tree) -> str:
        return asked_in(tree, "radon.cfg", table="tool.radon", section="radon")

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return sources(tree)

    def command(self, tree: Tree) -> Command:
        least = f"--min={_rank(self.most + 1)}"  # a file with no such function is left out
        return Command(("radon", "cc", "--json", least, "--", *sources(tree)))

    def asks_files(self, tree: Tree) -> Command:
        return Command(("radon", "raw", "--json", "--", *sources(tree)))

    def files_told(self, ran: Ran) -> int:
        return len(json.loads(ran.out))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        if ran.code:
            return failed(self.name, ran)
        findings: list[Finding] = []
        for path, blocks in json.loads(ran.out).items():
            findings += self._in_file(inside(tree, path), blocks)
        return concluded(self.name, findings, len(sources(tree)))

    def _in_file(self, path: str, blocks: Any) -> list[Finding]:
        if isinstance(blocks, dict):
            why = f"it cannot be read: {blocks['error']}"
            return [Finding(self.name, "invalid-syntax", Severity.HIGH, why, path)]
        return [self._finding(path, one) for one in blocks if one["complexity"] > self.most]

    def _finding(self, path: str, raw: dict[str, Any]) -> Finding:
        number = raw["complexity"]
        return Finding(
            self.name,
            RULE,
            Severity.HIGH if number > 2 * self.most else Severity.MEDIUM,
            f"{raw['type']} {raw['name']} has a complexity of {number}, more than {self.most}",
            path,
            raw["lineno"],
            raw["col_offset"] + 1,
        )


def _rank(number: int) -> str:
    """Radon's letter for a complexity."""
    bounds = {"A": 5, "B": 10, "C": 20, "D": 30, "E": 40}
    return next((letter for letter, most in bounds.items() if number <= most), "F")
