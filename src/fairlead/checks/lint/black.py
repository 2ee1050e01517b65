"""black."""

import re

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.lint.fixer import Fixer
from fairlead.checks.lint.parsing import inside, summed, unformatted
from fairlead.checks.lint.python import black_settings, sources
from fairlead.checks.lint.settings import pyproject
from fairlead.checks.sweep import failed
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict, concluded
from fairlead.model import Command
from fairlead.transport.local import Ran

_BROKEN = re.compile(
    r"^error: cannot (?:parse|format):? (?P<path>.+?):(?: Cannot parse.*?:)? ?(?P<line>\d+):\d+",
    re.MULTILINE,
)


class Black(Fixer):
    """Reads the diff that it would make, and its count of files."""

    name = "black"
    install = "pip install black"
    settings = ("pyproject.toml",)

    def applies(self, tree: Tree) -> str:
        return black_settings(tree)

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return sources(tree)

    def command(self, tree: Tree) -> Command:
        return Command(
            ("black", "--check", "--diff", *self._leaving_out(tree), "--", *sources(tree))
        )

    def repair(self, tree: Tree) -> Command:
        return Command(("black", "--quiet", *self._leaving_out(tree), "--", *sources(tree)))

    def repaired(self, ran: Ran) -> bool:
        return ran.code in (0, 123)  # 123: a file that it cannot read is left for the check

    def _leaving_out(self, tree: Tree) -> tuple[str, ...]:
        """Black leaves its `exclude` aside for files that are named; this makes it count."""
        table = pyproject(tree, "tool.black")
        given = table if isinstance(table, dict) else {}
        names = ("exclude", "extend-exclude", "force-exclude")
        parts = [str(given[name]).strip() for name in names if given.get(name)]
        both = "|".join(f"(?:{one})" for one in parts)
        return ("--force-exclude", f"(?x)\n{both}\n" if "\n" in both else both) if parts else ()

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        findings = unformatted(self.name, tree, ran.out)
        findings += [self._broken(tree, one) for one in _BROKEN.finditer(ran.err)]
        looked_at = summed(r"(\d+) files? would", ran.err)
        if ran.code not in (0, 1, 123) or (ran.code and not findings):
            return failed(self.name, ran)
        return concluded(self.name, findings, looked_at)

    def _broken(self, tree: Tree, found: re.Match[str]) -> Finding:
        path, line = inside(tree, found["path"]), int(found["line"])
        return Finding(
            self.name, "invalid-syntax", Severity.HIGH, "black cannot parse it", path, line
        )
