"""trufflehog: secrets in files, by the credentials' own shapes."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.scan.judging import SECRET, counted, found, idle, not_run
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict
from fairlead.model import Command
from fairlead.transport.local import Ran


@dataclass(frozen=True)
class Trufflehog(Tool):
    """Version 3, over a folder with the files of the tree alone; no credential is tried out."""

    stage: str

    name = "trufflehog"
    install = "see github.com/trufflesecurity/trufflehog (on PyPI is version 2, another program)"
    settings = (".trufflehog.yml", ".trufflehog.yaml")

    def applies(self, tree: Tree) -> str:
        return next(iter(tree.all.matching(*self.settings)), "")

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return tree.files

    def command(self, tree: Tree) -> Command:
        quiet = ("--json", "--no-update", "--no-verification")
        return Command(("trufflehog", "filesystem", *quiet, self.stage))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        if "git_url" in ran.err:
            return not_run(self.name, f"this is version 2, which cannot do it; {self.install}")
        told = [one for one in _objects(ran.err) if one.get("msg") == "finished scanning"]
        read = int(told[-1]["bytes"])
        if not read:
            return idle(self.name, "it read nothing")
        findings = [self._finding(one) for one in _objects(ran.out) if "DetectorName" in one]
        return found(self.name, findings, counted(read, "byte"))

    def _finding(self, one: dict[str, Any]) -> Finding:
        place = one["SourceMetadata"]["Data"]["Filesystem"]
        return Finding(
            tool=self.name,
            rule=one["DetectorName"],
            severity=Severity.CRITICAL if one.get("Verified") else Severity.HIGH,
            message=f"a credential of the kind {one['DetectorName']}",
            path=re.sub(f"^{re.escape(self.stage)}/", "", place["file"]),
            line=place.get("line", 0),
            fix="revoke it, then take it out of the file",
            aliases=(SECRET,),
        )


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects among the lines; what is none was not meant for programs."""
    for line in text.splitlines():
        if line.startswith("{"):
            yield json.loads(line)
