"""isort."""

from dataclasses import replace

from fairlead.checks.lint.fixer import Fixer
from fairlead.checks.lint.parsing import summed, unformatted
from fairlead.checks.lint.python import sources
from fairlead.checks.lint.settings import asked_in
from fairlead.checks.sweep import failed
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict, concluded
from fairlead.model import Command
from fairlead.transport.local import Ran


class Isort(Fixer):
    """Reads the diff that it would make."""

    name = "isort"
    install = "pip install isort"
    settings = ("pyproject.toml", ".isort.cfg", "setup.cfg", "tox.ini", ".editorconfig")

    def applies(self, tree: Tree) -> str:
        return asked_in(tree, ".isort.cfg", table="tool.isort", section="isort")

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return sources(tree)

    def command(self, tree: Tree) -> Command:
        options = ("--check-only", "--diff", "--filter-files")
        return Command(("isort", *options, "--", *sources(tree)))

    def repair(self, tree: Tree) -> Command:
        return Command(("isort", "--quiet", "--filter-files", "--", *sources(tree)))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        findings = [
            replace(one, rule="import-order", message="imports are not in order")
            for one in unformatted(self.name, tree, ran.out)
        ]
        if ran.code not in (0, 1) or (ran.code and not findings):
            return failed(self.name, ran)
        skipped = summed(r"Skipped (\d+) files", ran.out + ran.err)
        return concluded(self.name, findings, max(0, len(sources(tree)) - skipped))
