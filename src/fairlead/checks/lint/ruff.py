"""ruff check and ruff format: the linters of a Python tree that names no others."""

import re

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.lint.fixer import Fixer
from fairlead.checks.lint.parsing import inside, json_list, summed, unformatted
from fairlead.checks.lint.python import black_settings, other_linter, ruff_settings, sources
from fairlead.checks.lint.settings import asked_in, pyproject
from fairlead.checks.sweep import failed
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict, concluded
from fairlead.model import Command
from fairlead.transport.local import Ran

INSTALL = "pip install ruff"
SETTINGS = ("pyproject.toml", "ruff.toml", ".ruff.toml")
_SURE_TO_BREAK = ("E9", "F82", "F70", "F63")  # syntax, undefined names, a return outside of all


class Ruff(Fixer):
    """Reads JSON, and the count of files in its log."""

    name = "ruff"
    install = INSTALL
    settings = SETTINGS

    def applies(self, tree: Tree) -> str:
        if settings := ruff_settings(tree):
            return settings
        return "" if other_linter(tree) or not sources(tree.all) else "Python, and no other linter"

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return sources(tree)

    def command(self, tree: Tree) -> Command:
        options = ("check", "-v", "--output-format", "json", "--force-exclude", "--no-fix")
        return Command(("ruff", *options, "--", *sources(tree)))

    def repair(self, tree: Tree) -> Command:
        options = ("check", "--fix", "--exit-zero", "--quiet", "--force-exclude")
        return Command(("ruff", *options, "--", *sources(tree)))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        if ran.code not in (0, 1):
            return failed(self.name, ran)
        findings = [self._finding(tree, one) for one in json_list(ran.out)]
        if ran.code and not findings:
            return failed(self.name, ran)
        looked_at = summed(r"Checked (\d+) files? in", ran.err)
        if not looked_at and "No Python files found" not in ran.err:
            looked_at = len(sources(tree))  # its log is worded anew
        return concluded(self.name, findings, looked_at)

    def _finding(self, tree: Tree, raw: dict[str, object]) -> Finding:
        rule = str(raw["code"] or "invalid-syntax")
        place, fix = raw["location"], raw.get("fix")
        breaks = rule == "invalid-syntax" or rule.startswith(_SURE_TO_BREAK)
        return Finding(
            self.name,
            rule,
            Severity.HIGH if breaks else Severity.MEDIUM,
            str(raw["message"]),
            inside(tree, str(raw["filename"])),
            int(place["row"]),  # type: ignore[index]
            int(place["column"]),  # type: ignore[index]
            fix=str(fix.get("message") or "") if isinstance(fix, dict) else "",
            aliases=(rule.removeprefix("PL"),) * rule.startswith("PL"),  # as pylint has it
        )


class RuffFormat(Fixer):
    """Reads the diff that it would make."""

    name = "ruff-format"
    install = INSTALL
    settings = SETTINGS

    def applies(self, tree: Tree) -> str:
        if pyproject(tree, "tool.ruff.format") is not None:
            return "pyproject.toml has [tool.ruff.format]"
        if black_settings(tree) or not Ruff().applies(tree):
            return ""
        return asked_in(tree, "ruff.toml", ".ruff.toml") or "ruff is used, and no other formatter"

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return sources(tree)

    def command(self, tree: Tree) -> Command:
        return Command(("ruff", "format", "--diff", "--force-exclude", "--", *sources(tree)))

    def repair(self, tree: Tree) -> Command:
        return Command(("ruff", "format", "--quiet", "--force-exclude", "--", *sources(tree)))

    def repaired(self, ran: Ran) -> bool:
        return ran.code == 0 or "Failed to parse" in ran.err

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        broken = re.findall(r"^error: Failed to parse (.+?):(\d+):(\d+): (.+)$", ran.err, re.M)
        if ran.code not in (0, 1) and not broken:
            return failed(self.name, ran)
        findings = unformatted(self.name, tree, ran.out)
        findings += [
            Finding(self.name, "invalid-syntax", Severity.HIGH, why, inside(tree, path), int(line))
            for path, line, _, why in broken
        ]
        looked_at = summed(r"(\d+) files? (?:already|would be)", ran.err)
        if ran.code and not findings:
            return failed(self.name, ran)
        return concluded(self.name, findings, looked_at)
