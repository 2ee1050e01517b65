"""semgrep: patterns in code of many languages, by rules shipped here and rules of the project."""

import hashlib
import json
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

from fairlead.checks.finding import Finding
from fairlead.checks.scan.judging import (
    A_WHILE,
    counted,
    error,
    found,
    idle,
    one_line,
    severity,
    weaknesses,
)
from fairlead.checks.scan.sources import shipped
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict
from fairlead.model import Command
from fairlead.transport.local import Ran

RULES = Path(__file__).parent / "rules"
OURS = "fairlead-"  # how the ids of the rules shipped here begin
OWN = (".semgrep.yml", ".semgrep.yaml", ".semgrep/*")  # the project's own rules
LANGUAGES = (
    "*.py", "*.js", "*.jsx", "*.mjs", "*.cjs", "*.ts", "*.tsx", "Dockerfile*", "*.dockerfile",
    "compose*.y*ml", "docker-compose*.y*ml", ".github/workflows/*.y*ml",
)  # fmt: skip


@dataclass(frozen=True)
class Semgrep(Tool):
    """Runs the rules shipped here, those of .semgrep.yml or .semgrep/, and `registry` ones.

    registry: names such as "p/python"; they are downloaded from semgrep.dev on every run.
    pack: digest of the rules shipped here.
    """

    registry: tuple[str, ...] = ()
    pack: str = field(default_factory=lambda: _digest(RULES))

    name = "semgrep"
    install = "pip install semgrep"
    settings = (*OWN, ".semgrepignore")
    asks_version = ("--version", "--disable-version-check")

    @property
    def lasts(self) -> float:  # type: ignore[override]
        """Rules of the registry change without us."""
        return A_WHILE if self.registry else inf

    def applies(self, tree: Tree) -> str:
        files = self.examines(tree)
        return f"{counted(len(files), 'file')} in a language of its rules" if files else ""

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return shipped(tree, *LANGUAGES)

    def command(self, tree: Tree) -> Command:
        own = {file.split("/")[0] for file in tree.all.matching(*OWN)}
        rules = [f"--config={one}" for one in (RULES, *sorted(own), *self.registry)]
        quiet = ("--json", "--quiet", "--metrics=off", "--disable-version-check")
        return Command(("semgrep", "scan", *quiet, *rules, "--", *self.examines(tree)))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        said = json.loads(ran.out)
        findings = [_finding(one) for one in said["results"]]
        looked_at = counted(len(said["paths"]["scanned"]), "file")
        faults = [one for one in said["errors"] if one.get("level") == "error"]
        if faults:
            return error(self.name, one_line(faults[0]["message"]), findings, looked_at)
        if not said["paths"]["scanned"]:
            return idle(self.name, "every file is left out by .semgrepignore")
        unread = len({one.get("path") for one in said["errors"]} - {None})
        reason = f"{counted(unread, 'file')} could be read in parts only" if unread else ""
        return found(self.name, findings, looked_at, reason)


def _digest(folder: Path) -> str:
    texts = b"".join(file.read_bytes() for file in sorted(folder.iterdir()))
    return hashlib.sha256(texts).hexdigest()


def _finding(one: dict[str, Any]) -> Finding:
    extra, rule = one["extra"], one["check_id"]
    return Finding(
        tool="semgrep",
        rule=rule[rule.find(OURS) :] if OURS in rule else rule,
        severity=severity(extra["severity"]),
        message=one_line(extra["message"]),
        path=one["path"],
        line=one["start"]["line"],
        column=one["start"]["col"],
        fix=one_line(extra.get("fix") or ""),
        aliases=weaknesses(extra.get("metadata", {}).get("cwe", ())),
    )
