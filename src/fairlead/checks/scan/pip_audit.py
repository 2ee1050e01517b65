"""pip-audit: known vulnerabilities of Python packages."""

import json
from dataclasses import dataclass
from typing import Any

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.scan.judging import (
    A_WHILE,
    counted,
    error,
    found,
    listed,
    not_run,
    one_line,
    unreachable,
)
from fairlead.checks.scan.sources import (
    REQUIREMENTS,
    Requirement,
    canonical,
    requirements,
    with_included,
)
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict
from fairlead.model import Command
from fairlead.transport.local import Ran

FILES = (*REQUIREMENTS, "constraints*.txt")


@dataclass(frozen=True)
class PipAudit(Tool):
    """Audits requirements files, else pylock.toml, else pyproject.toml.

    Files that pin every version are read as they are. Else pip resolves them, from its index.
    osv_url: the query URL of a service that speaks OSV, asked in place of PyPI.
    It tells of no severity: each known vulnerability is shown as high, and is not rated.
    """

    osv_url: str = ""

    name = "pip-audit"
    install = "pip install pip-audit"
    lasts = A_WHILE

    def applies(self, tree: Tree) -> str:
        files = self.examines(tree)
        return listed(files) if files else ""

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return with_included(tree, self._given(tree))

    def _given(self, tree: Tree) -> tuple[str, ...]:
        for patterns in (FILES, ("pylock.toml",), ("pyproject.toml",)):
            if files := tuple(f for f in tree.matching(*patterns) if _is_near(f, patterns)):
                return files
        return ()

    def command(self, tree: Tree) -> Command:
        service = ("-s", "osv", "--osv-url", self.osv_url) if self.osv_url else ()
        argv = ("pip-audit", "-f", "json", "--progress-spinner", "off", *service)
        files = self._given(tree)
        if files == ("pylock.toml",):
            return Command((*argv, "--locked", "."))
        if files == ("pyproject.toml",):
            return Command((*argv, "."))
        named = (word for file in files for word in ("-r", file))
        pinned = all(one.version for one in requirements(tree, files))
        alone = ("--no-deps", "--disable-pip") if pinned else ()
        return Command((*argv, *alone, *named))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        if not ran.out.strip() and (why := unreachable(ran.err)):
            return not_run(self.name, f"no data: {self.osv_url or 'PyPI'} cannot be asked ({why})")
        packages = json.loads(ran.out)["dependencies"]
        skipped = [one["name"] for one in packages if "skip_reason" in one]
        audited = [one for one in packages if "skip_reason" not in one]
        if not packages:
            return not_run(self.name, "there is no package in what it read")
        if not audited:
            first = next(one["skip_reason"] for one in packages)
            return not_run(self.name, f"every package was skipped ({len(skipped)}): {first}")
        known = _places(tree, self.examines(tree))
        findings = [_finding(one, vuln, known) for one in audited for vuln in one["vulns"]]
        if ran.code and not findings:
            return error(self.name, f"exit {ran.code} without a finding")
        left = f"skipped {counted(len(skipped), 'package')}: {listed(skipped)}" if skipped else ""
        return found(self.name, findings, counted(len(audited), "package"), left)


def _is_near(file: str, patterns: tuple[str, ...]) -> bool:
    """Requirements files count anywhere; a project file only at the root."""
    return patterns is FILES or "/" not in file


def _places(tree: Tree, files: tuple[str, ...]) -> dict[str, Requirement]:
    texts = tuple(file for file in files if file.endswith(".txt"))
    return {one.name: one for one in reversed(requirements(tree, texts))}


def _finding(
    package: dict[str, Any], one: dict[str, Any], known: dict[str, Requirement]
) -> Finding:
    place = known.get(canonical(package["name"]))
    return Finding(
        tool="pip-audit",
        rule=one["id"],
        severity=Severity.HIGH,
        rated=False,
        message=one_line(one.get("description") or f"{one['id']} is known of this version"),
        path=place.path if place else "",
        line=place.line if place else 0,
        package=package["name"],
        installed=package["version"],
        fix=", ".join(one["fix_versions"]),
        aliases=tuple(one.get("aliases", ())),
    )
