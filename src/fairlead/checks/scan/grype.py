"""grype: known vulnerabilities of the packages in a tree or an image."""

import json
import re
from dataclasses import dataclass
from typing import Any

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.scan.judging import (
    A_WHILE,
    counted,
    error,
    found,
    image_lasts,
    is_rating,
    not_run,
    one_line,
    severity,
    unreachable,
)
from fairlead.checks.scan.sources import MANIFESTS
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict
from fairlead.model import Command
from fairlead.transport.local import Ran

OWN = (".grype.yaml", ".grype.yml")


@dataclass(frozen=True)
class Grype(Tool):
    """source: `dir:<folder with the files of the tree alone>`, or an image.

    Read in CycloneDX 1.6 (ecma-international.org, ECMA-424): beside the vulnerabilities it lists
    every package that was looked at, which grype's own format does not.
    """

    source: str
    name: str = "grype"

    install = "see github.com/anchore/grype"
    settings = OWN
    asks_version = ("version",)

    @property
    def lasts(self) -> float:  # type: ignore[override]
        return A_WHILE if self.needs_files else image_lasts(self.source)

    @property
    def needs_files(self) -> bool:  # type: ignore[override]
        return self.source.startswith("dir:")

    def applies(self, tree: Tree) -> str:
        return next(iter(tree.matching(*OWN)), "")

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return tree.matching(*MANIFESTS) if self.needs_files else ()

    def command(self, tree: Tree) -> Command:
        return Command(("grype", "--quiet", "-o", "cyclonedx-json", self.source))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        if not ran.out.strip():
            return _failed(self.name, ran)
        said = json.loads(ran.out)
        packages = {one["bom-ref"]: one for one in said.get("components", ()) if "version" in one}
        if not packages:
            return not_run(self.name, "it found no package to examine")
        findings = [
            _finding(one, packages[affected["ref"]])
            for one in said.get("vulnerabilities", ())
            for affected in one["affects"]
        ]
        return found(self.name, findings, counted(len(packages), "package"))


def _failed(name: str, ran: Ran) -> Verdict:
    if re.search(r"\bdb\b|vulnerability database", ran.err, re.I):
        why = unreachable(ran.err) or "none was downloaded"
        return not_run(name, f"no vulnerability database ({why}); run `grype db update`")
    return error(name, f"exit {ran.code}: {one_line(ran.err.strip())}")


def _finding(one: dict[str, Any], package: dict[str, Any]) -> Finding:
    words = [rating.get("severity") for rating in one.get("ratings", ())]
    rated = [severity(word) for word in words if is_rating(word)]
    return Finding(
        tool="grype",
        rule=one["id"],
        severity=min(rated, key=lambda level: level.rank, default=Severity.MEDIUM),
        rated=bool(rated),
        message=one_line(one.get("description") or f"{one['id']} is known of this version"),
        package=package["name"],
        installed=package["version"],
        fix=one_line(one.get("recommendation", "")),
        aliases=tuple(reference["id"] for reference in one.get("references", ())),
    )
