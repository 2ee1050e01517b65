"""detect-secrets: what looks like a secret, by keywords and entropy."""

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.scan.judging import SECRET, counted, found, idle
from fairlead.checks.sweep import failed
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict
from fairlead.model import Command
from fairlead.transport.local import Ran

BASELINE = ".secrets.baseline"
_OPENED = re.compile(r"\tChecking file: ")


@dataclass(frozen=True)
class DetectSecrets(Tool):
    """Looks through the files of the tree. What .secrets.baseline holds is known and not told.

    Its log tells which files it opened. It also has the words that it took for no secrets, so
    nothing of it is shown.
    """

    name = "detect-secrets"
    install = "pip install detect-secrets"
    settings = (BASELINE,)

    def applies(self, tree: Tree) -> str:
        return BASELINE if BASELINE in tree.all.files else ""

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return tuple(file for file in tree.files if file != BASELINE)

    def command(self, tree: Tree) -> Command:
        argv = ("detect-secrets", "-v", "scan", "--all-files", "--no-verify")
        return Command((*argv, "--", *self.examines(tree)))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        opened = len(_OPENED.findall(ran.err))
        unlogged = replace(ran, err="")
        try:
            files = json.loads(ran.out)["results"].values()
        except (ValueError, KeyError, TypeError, AttributeError):
            return failed(self.name, unlogged, "and its output is not what it should be")
        known = _known(tree)
        findings = [
            _finding(one)
            for found_in in files
            for one in found_in
            if (one["filename"], one["hashed_secret"]) not in known
        ]
        if not opened and not findings:
            return idle(self.name, "every file is left out by its own filters")
        if ran.code:
            return failed(self.name, unlogged)
        return found(self.name, findings, counted(opened, "file"))


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
