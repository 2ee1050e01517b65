"""flake8."""

import re

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.lint.parsing import by_lines, inside, summed
from fairlead.checks.lint.python import flake8_settings, sources
from fairlead.checks.lint.settings import section
from fairlead.checks.sweep import failed
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict, concluded
from fairlead.model import Command
from fairlead.transport.local import Ran

_FINDING = r"(?P<path>.+?):(?P<line>\d+):(?P<column>\d+): (?P<rule>\S+) (?P<message>.+)"
_FIGURE = re.compile(r"^[\d.]+ +(?:seconds elapsed|.+ processed(?: per second)?)$", re.MULTILINE)
_SEVERITIES = {"E9": Severity.HIGH, "F82": Severity.HIGH, "F": Severity.MEDIUM}


def _excluded(tree: Tree) -> list[str]:
    """What its settings exclude, as they are written."""
    for name in Flake8.settings:
        if settings := section(tree, name, "flake8"):
            keys = ("exclude", "extend-exclude", "extend_exclude")
            text = ",".join(settings.get(key, "") for key in keys)
            return [one.strip("/") for one in re.split(r"[,\s]+", text) if one.strip("/")]
    return []


class Flake8(Tool):
    """Reads its lines; its benchmark tells how many files it looked at."""

    name = "flake8"
    install = "pip install flake8"
    settings = (".flake8", "setup.cfg", "tox.ini")

    def applies(self, tree: Tree) -> str:
        return flake8_settings(tree)

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return sources(tree)

    def command(self, tree: Tree) -> Command:
        form = "--format=%(path)s:%(row)d:%(col)d: %(code)s %(text)s"
        options = ("--benchmark", "--no-show-source", "--color=never", "--exit-zero", form)
        left_out = self._leaving_out(tree)
        return Command(("flake8", *options, *left_out, "--", *sources(tree)))

    def _leaving_out(self, tree: Tree) -> tuple[str, ...]:
        """An excluded folder leaves out what is in it, also when that is named."""
        folders = _excluded(tree)
        inside = [f"{start}{folder}/*" for folder in folders for start in ("", "*/")]
        return (f"--extend-exclude={','.join(inside)}",) if inside else ()

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        looked_at = summed(r"(?m)^(\d+) +total files processed$", ran.out)
        if ran.code or not _FIGURE.search(ran.out):
            return failed(self.name, ran)
        text = _FIGURE.sub("", ran.out)
        found = by_lines(text, _FINDING, lambda match: self._finding(tree, match))
        return concluded(self.name, found, looked_at)

    def _finding(self, tree: Tree, found: re.Match[str]) -> Finding:
        rule = found["rule"]
        severity = next((s for head, s in _SEVERITIES.items() if rule.startswith(head)), None)
        return Finding(
            self.name,
            rule,
            severity or Severity.LOW,
            found["message"],
            inside(tree, found["path"]),
            int(found["line"]),
            int(found["column"]),
        )
