"""checkov: infrastructure as code that invites trouble."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fairlead.checks.finding import Finding
from fairlead.checks.scan.judging import (
    counted,
    error,
    found,
    idle,
    is_rating,
    listed,
    severity,
)
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict
from fairlead.model import Command
from fairlead.transport.local import Ran

OWN = (".checkov.yaml", ".checkov.yml")
FRAMEWORKS = (
    "terraform", "cloudformation", "kubernetes", "dockerfile", "github_actions", "gitlab_ci",
    "ansible", "arm", "bicep",
)  # fmt: skip
"""What is deployed from; packages and secrets are left to the scanners for those."""


@dataclass(frozen=True)
class Checkov(Tool):
    """Looks through a folder with the files of the tree alone. stage: from the root.

    It tells of no severity without an account at its maker: each finding counts as medium.
    """

    stage: str

    name = "checkov"
    install = "pip install checkov"
    settings = OWN

    def applies(self, tree: Tree) -> str:
        return next(iter(tree.matching(*OWN, "*.tf", "*.bicep")), "")

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return tree.matching("*.tf", "*.tfvars", "*.bicep", "*.y*ml", "*.json", "Dockerfile*")

    def command(self, tree: Tree) -> Command:
        quiet = ("-o", "json", "--compact", "--quiet", "--skip-download")
        return Command(("checkov", "-d", self.stage, *quiet, "--framework", *FRAMEWORKS))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        said = json.loads(ran.out)
        reports: Sequence[dict[str, Any]] = said if isinstance(said, list) else [said]
        examined = [one for one in reports if "results" in one]
        findings = [
            _finding(check) for one in examined for check in one["results"]["failed_checks"]
        ]
        unread = [file for one in examined for file in one["results"].get("parsing_errors", ())]
        checks = sum(one["summary"]["passed"] + one["summary"]["failed"] for one in examined)
        if unread:
            names = listed([_within(file, self.stage) for file in unread])
            return error(self.name, f"could not read {names}", findings)
        if not checks:
            return idle(self.name, "it knows no kind of infrastructure here")
        return found(self.name, findings, counted(checks, "check"))


def _finding(one: dict[str, Any]) -> Finding:
    return Finding(
        tool="checkov",
        rule=one["check_id"],
        severity=severity(one["severity"]),
        rated=is_rating(one["severity"]),
        message=one["check_name"],
        path=one["file_path"].lstrip("/"),
        line=max(0, one["file_line_range"][0]),
        fix=one.get("guideline") or "",
    )


def _within(file: str, folder: str) -> str:
    return file.partition(f"{folder}/")[2] or file
