"""safety: known vulnerabilities of Python packages, by the Safety database."""

from dataclasses import dataclass
from typing import Any

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.scan.judging import (
    A_WHILE,
    counted,
    found,
    is_rating,
    json_in,
    listed,
    not_run,
    one_line,
    severity,
    unreachable,
)
from fairlead.checks.scan.pip_audit import FILES
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict
from fairlead.model import Command
from fairlead.transport.local import Ran

POLICY = (".safety-policy.yml", ".safety-project.ini")


@dataclass(frozen=True)
class Safety(Tool):
    """Checks requirements files. It asks its maker's servers, and some of its data want a login."""

    name = "safety"
    install = "pip install safety"
    settings = POLICY
    lasts = A_WHILE

    def applies(self, tree: Tree) -> str:
        return listed(tree.matching(*POLICY))

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return tree.matching(*FILES)

    def command(self, tree: Tree) -> Command:
        files = (word for file in self.examines(tree) for word in ("-r", file))
        return Command(("safety", "check", "--output", "json", *files))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        if "{" not in ran.out and (why := unreachable(ran.err)):
            return not_run(self.name, f"no data: its servers cannot be asked ({why})")
        if "{" not in ran.out and "login" in ran.err.lower():
            return not_run(self.name, "no data: it wants a login; run `safety auth login`")
        said = json_in(ran.out)
        packages = said["report_meta"]["packages_found"]
        if not packages:
            return not_run(self.name, "there is no package in what it read")
        findings = [_finding(one) for one in said["vulnerabilities"]]
        return found(self.name, findings, counted(packages, "package"))


def _finding(one: dict[str, Any]) -> Finding:
    rated = one.get("severity") or {}
    score = (rated.get("cvssv3") or {}).get("base_severity") if isinstance(rated, dict) else rated
    return Finding(
        tool="safety",
        rule=str(one["vulnerability_id"]),
        severity=severity(score, Severity.HIGH),
        rated=is_rating(score),
        message=one_line(one["advisory"]),
        package=one["package_name"],
        installed=one["analyzed_version"],
        fix=", ".join(one.get("fixed_versions") or ()),
        aliases=(one["CVE"],) if one.get("CVE") else (),
    )
