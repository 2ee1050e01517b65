"""gitleaks over the history of a repository: what was taken out of a file is in its commits."""

import json
import re
from dataclasses import replace
from pathlib import Path

from fairlead.checks.finding import Finding
from fairlead.checks.scan.gitleaks import QUIETLY, Gitleaks, finding
from fairlead.checks.scan.judging import NEVER, counted, error, found, not_run
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict
from fairlead.errors import PreconditionError
from fairlead.model import Command
from fairlead.transport.local import Ran, run_local


class GitleaksHistory(Tool):
    """Looks through every commit that the repository has, of all branches."""

    name = "gitleaks:history"
    install = Gitleaks.install
    settings = Gitleaks.settings
    asks_version = Gitleaks.asks_version
    lasts = NEVER
    needs_files = False

    def applies(self, tree: Tree) -> str:
        return ""

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return ()

    def command(self, tree: Tree) -> Command:
        return Command(("gitleaks", "git", *QUIETLY, "."))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        findings = [_in_commit(one) for one in json.loads(ran.out or "[]")]
        if fault := re.search(r" (?:ERR|FTL) (.+)", ran.err):
            return error(self.name, fault[1], findings)
        examined = re.search(r"(\d+) commits scanned", ran.err)
        if examined is None:
            raise ValueError("it does not say what it scanned")
        if examined[1] == "0":
            return not_run(self.name, "there is no commit")
        return found(self.name, findings, counted(int(examined[1]), "commit"))


def _in_commit(one: dict[str, str]) -> Finding:
    told = finding(one)
    return replace(
        told,
        tool=GitleaksHistory.name,
        message=f"{told.message} (commit {one['Commit'][:12]} of {one['Date'][:10]})",
        fix="revoke it: whoever has a clone has it",
    )


def needs_whole_history(root: Path) -> None:
    """Raise PreconditionError where git does not have all commits here."""
    argv = ("git", "rev-parse", "--is-shallow-repository")
    asked = run_local(Command(argv, timeout=30.0), cwd=root)
    if asked.out.strip() == "false":
        return
    raise PreconditionError(
        f"{root} does not have the whole history",
        why=["this clone is shallow" if asked.ok else "git knows of no repository here"],
        state="nothing was run",
        next_step="git fetch --unshallow (fetch-depth: 0 of actions/checkout, GIT_DEPTH: 0 in"
        " GitLab), or leave --history out",
    )
