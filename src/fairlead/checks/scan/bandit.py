"""bandit: unsafe calls in Python code."""

import json
from dataclasses import dataclass
from typing import Any

from fairlead.checks.finding import Finding
from fairlead.checks.scan.judging import counted, error, found, idle, listed, severity
from fairlead.checks.scan.sources import shipped
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict
from fairlead.model import Command
from fairlead.transport.local import Ran


@dataclass(frozen=True)
class Bandit(Tool):
    """Examines Python code that ships; tests assert, which bandit takes for a fault."""

    name = "bandit"
    install = "pip install 'bandit[toml]'"
    settings = (".bandit", "pyproject.toml")

    def applies(self, tree: Tree) -> str:
        files = self.examines(tree)
        return f"{counted(len(files), 'file')} of Python" if files else ""

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return shipped(tree, "*.py")

    def command(self, tree: Tree) -> Command:
        steered = (
            "pyproject.toml" in tree.all.files
            and b"[tool.bandit" in (tree.root / "pyproject.toml").read_bytes()
        )
        config = ("-c", "pyproject.toml") if steered else ()
        ini = ("--ini", ".bandit") if ".bandit" in tree.all.files else ()
        return Command(("bandit", "-q", "-f", "json", *config, *ini, "--", *self.examines(tree)))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        said = json.loads(ran.out)
        examined = [file for file in said["metrics"] if file != "_totals"]
        findings = [_finding(one) for one in said["results"]]
        looked_at = counted(len(examined), "file")
        if said["errors"]:
            unread = [f"{one['filename']} ({one['reason']})" for one in said["errors"]]
            return error(self.name, f"could not read {listed(unread)}", findings, looked_at)
        if not examined:
            return idle(self.name, "every file is excluded by its own configuration")
        return found(self.name, findings, looked_at)


def _finding(one: dict[str, Any]) -> Finding:
    weakness = one.get("issue_cwe") or {}
    return Finding(
        tool="bandit",
        rule=one["test_id"],
        severity=severity(one["issue_severity"]),
        message=one["issue_text"],
        path=one["filename"].removeprefix("./"),
        line=one["line_number"],
        column=one["col_offset"] + 1,
        aliases=(f"CWE-{weakness['id']}",) if weakness.get("id") else (),
    )
