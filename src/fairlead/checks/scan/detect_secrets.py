"""detect-secrets: what looks like a secret, by keywords and entropy."""

import json
from dataclasses import dataclass
from typing import Any

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.scan.judging import SECRET, counted, found
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict
from fairlead.model import Command
from fairlead.transport.local import Ran

BASELINE = ".secrets.baseline"


@dataclass(frozen=True)
class DetectSecrets(Tool):
    """Looks through the files of the tree. What .secrets.baseline holds is known and not told."""

    name = "detect-secrets"
    install = "pip install detect-secrets"
    settings = (BASELINE,)

    def applies(self, tree: Tree) -> str:
        return BASELINE if BASELINE in tree.files else ""

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return tuple(file for file in tree.files if file != BASELINE)

    def command(self, tree: Tree) -> Command:
        argv = ("detect-secrets", "scan", "--all-files", "--no-verify")
        return Command((*argv, "--", *self.examines(tree)))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        said = json.loads(ran.out)
        known = _known(tree)
        findings = [
            _finding(one)
            for found_in in said["results"].values()
            for one in found_in
            if (one["filename"], one["hashed_secret"]) not in known
        ]
        return found(self.name, findings, counted(len(self.examines(tree)), "file"))


def _known(tree: Tree) -> set[tuple[str, str]]:
    if BASELINE not in tree.all.files:
        return set()
    held = json.loads((tree.root / BASELINE).read_text("utf-8"))["results"]
    return {(file, one["hashed_secret"]) for file, secrets in held.items() for one in secrets}


def _finding(one: dict[str, Any]) -> Finding:
    return Finding(
        tool="detect-secrets",
        rule=one["type"],
        severity=Severity.MEDIUM,
        message=f"what looks like a secret: {one['type']}",
        path=one["filename"],
        line=one["line_number"],
        fix="revoke it, then take it out of the file",
        aliases=(SECRET,),
    )
