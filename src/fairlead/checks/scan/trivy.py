"""trivy: vulnerable packages in a tree or an image, and configuration that invites trouble."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fairlead.checks.finding import Finding
from fairlead.checks.scan.judging import (
    A_WHILE,
    counted,
    error,
    found,
    idle,
    image_lasts,
    is_rating,
    not_run,
    one_line,
    severity,
    unreachable,
)
from fairlead.checks.scan.sources import MANIFESTS, NPM_LOCKS, PYTHON_PROJECT
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict
from fairlead.model import Command
from fairlead.transport.local import Ran

OWN = ("trivy.yaml", ".trivyignore", ".trivyignore.yaml")
OTHERS = tuple(one for one in MANIFESTS if one not in (*PYTHON_PROJECT, *NPM_LOCKS))
"""Lock files that no other scanner reads."""
DEPLOYED = ("Dockerfile*", "*.dockerfile", "*.tf", "Chart.yaml")
INSTALL = "see trivy.dev; then `trivy image --download-db-only` where the network allows it"
QUIET = ("--quiet", "--format", "json", "--no-progress", "--skip-version-check")


@dataclass(frozen=True)
class TrivyPackages(Tool):
    """Known vulnerabilities of the packages that lock files of the tree name.

    stage: with the files of the tree alone, from the root. flags: where its data come from.
    """

    stage: str
    flags: tuple[str, ...] = ()

    name = "trivy"
    install = INSTALL
    settings = OWN
    lasts = A_WHILE

    def applies(self, tree: Tree) -> str:
        return next(iter(tree.matching(*OWN, *OTHERS)), "")

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return tree.matching(*MANIFESTS)

    def command(self, tree: Tree) -> Command:
        return Command(("trivy", "fs", *QUIET, *self.flags, "--scanners=vuln", self.stage))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        return _vulnerabilities(self.name, ran, tree)


@dataclass(frozen=True)
class TrivyImage(Tool):
    """Known vulnerabilities of what is installed in an image."""

    image: str
    flags: tuple[str, ...] = ()

    name = "trivy:image"
    install = INSTALL
    settings = OWN
    needs_files = False

    @property
    def lasts(self) -> float:  # type: ignore[override]
        return image_lasts(self.image)

    def applies(self, tree: Tree) -> str:
        return f"--image={self.image}"

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return ()

    def command(self, tree: Tree) -> Command:
        return Command(("trivy", "image", *QUIET, *self.flags, "--scanners=vuln", self.image))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        return _vulnerabilities(self.name, ran, tree)


@dataclass(frozen=True)
class TrivyConfig(Tool):
    """Misconfigured Dockerfiles, Terraform, Helm, Kubernetes; by rules built into trivy."""

    stage: str

    name = "trivy:config"
    install = "see trivy.dev"
    settings = OWN

    def applies(self, tree: Tree) -> str:
        return next(iter(tree.matching(*DEPLOYED)), "")

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return tree.matching(*DEPLOYED, "*.tfvars", "*.tpl", "*.y*ml", "*.json")

    def command(self, tree: Tree) -> Command:
        own_rules = ("--scanners=misconfig", "--skip-check-update", "--offline-scan")
        return Command(("trivy", "fs", *QUIET, *own_rules, self.stage))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        if not ran.out.strip():
            return error(self.name, _last(ran.err))
        results = [one for one in json.loads(ran.out).get("Results", ()) if "MisconfSummary" in one]
        if not results:
            return idle(self.name, "it knows no kind of configuration here")
        findings = [
            Finding(
                tool="trivy",
                rule=one["ID"],
                severity=severity(one["Severity"]),
                message=one_line(one["Message"]),
                path=result["Target"],
                line=one["CauseMetadata"].get("StartLine", 0),
                fix=one_line(one.get("Resolution", "")),
            )
            for result in results
            for one in result.get("Misconfigurations", ())
            if one["Status"] == "FAIL"
        ]
        return found(self.name, findings, counted(len(results), "file"))


def _vulnerabilities(name: str, ran: Ran, tree: Tree) -> Verdict:
    """The verdict on a search for vulnerable packages."""
    if not ran.out.strip():
        return _failed(name, ran)
    results = json.loads(ran.out).get("Results", ())
    packages = sum(len(one.get("Packages", ())) for one in results)
    if not packages:
        return not_run(name, "it found no package to examine")
    findings = [one for result in results for one in _of(result, tree)]
    return found(name, findings, counted(packages, "package"))


def _failed(name: str, ran: Ran) -> Verdict:
    """Why there is no report: no database is no data, anything else an error."""
    if "vulnerability DB" in ran.err or "--skip-db-update" in ran.err:
        why = unreachable(ran.err) or "none was downloaded"
        return not_run(name, f"no vulnerability database ({why})")
    return error(name, _last(ran.err))


def _last(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return one_line(lines[-1].split("FATAL")[-1]) if lines else "it said nothing"


def _of(result: dict[str, Any], tree: Tree) -> Iterator[Finding]:
    for one in result.get("Vulnerabilities", ()):
        package, target = one["PkgName"], result["Target"]
        yield Finding(
            tool="trivy",
            rule=one["VulnerabilityID"],
            severity=severity(one["Severity"]),
            rated=is_rating(one["Severity"]),
            message=one_line(one.get("Title") or one.get("Description") or one["VulnerabilityID"]),
            path=target if target in tree.files else "",
            package=package,
            installed=one["InstalledVersion"],
            fix=one.get("FixedVersion", ""),
            aliases=tuple(one.get("VendorIDs", ())),
        )
