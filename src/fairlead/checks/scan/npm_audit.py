"""npm audit: known vulnerabilities of npm packages, by the lock file."""

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
    is_rating,
    not_run,
    one_line,
    severity,
    unreachable,
    weaknesses,
)
from fairlead.checks.scan.sources import NPM_LOCKS
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict
from fairlead.model import Command
from fairlead.transport.local import Ran


@dataclass(frozen=True)
class NpmAudit(Tool):
    """Audits one folder with a lock file. It asks the registry that npm is configured for.

    where: from the root, empty for the root itself. lock: the lock file there. name: in tables;
    each folder has one of its own.
    """

    where: str = ""
    lock: str = NPM_LOCKS[0]
    name: str = "npm-audit"

    install = "install Node.js, which brings npm"
    settings = (".npmrc",)
    lasts = A_WHILE

    @property
    def _path(self) -> str:
        return f"{self.where}/{self.lock}" if self.where else self.lock

    def applies(self, tree: Tree) -> str:
        return self._path if self._path in tree.files else ""

    def examines(self, tree: Tree) -> tuple[str, ...]:
        beside = self._path.replace(self.lock, "package.json")
        return tuple(file for file in (self._path, beside) if file in tree.files)

    def command(self, tree: Tree) -> Command:
        where = ("--prefix", self.where) if self.where else ()
        return Command(("npm", "audit", "--json", "--package-lock-only", *where))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        said = json.loads(ran.out)
        if "auditReportVersion" not in said:
            return _without_report(self.name, said)
        total = said["metadata"]["dependencies"]["total"]
        if not total:
            return not_run(self.name, f"{self._path} names no package")
        installed = _installed(json.loads((tree.root / self._path).read_text("utf-8")))
        findings = [
            one for entry in said["vulnerabilities"].values() for one in self._of(entry, installed)
        ]
        if said["vulnerabilities"] and not findings:
            return error(self.name, "it names vulnerable packages and no advisory")
        return found(self.name, findings, counted(total, "package"))

    def _of(self, entry: dict[str, Any], installed: dict[str, str]) -> Iterator[Finding]:
        """One finding per advisory about the package itself; what only depends on it has none."""
        for advisory in entry["via"]:
            if isinstance(advisory, str):
                continue
            fix = entry.get("fixAvailable")
            yield Finding(
                tool="npm-audit",
                rule=_advisory(advisory),
                severity=severity(advisory["severity"]),
                rated=is_rating(advisory["severity"]),
                message=one_line(advisory["title"]),
                path=self._path,
                package=entry["name"],
                installed=next((installed[at] for at in entry["nodes"] if at in installed), ""),
                fix=f"{fix['name']} {fix['version']}" if isinstance(fix, dict) else "",
                aliases=weaknesses(advisory.get("cwe", ())),
            )


def _without_report(name: str, said: dict[str, Any]) -> Verdict:
    """A registry that does not answer leaves npm without data; anything else is npm's failure."""
    told = said.get("error") or {}
    code, message = str(told.get("code") or ""), said.get("message")
    summary = one_line(told.get("summary") or message or "no answer")
    asked = code.startswith(("E4", "E5", "ENOAUDIT")) if code else bool(message)
    if asked or unreachable(f"{code} {summary}"):
        return not_run(name, f"no data: {summary}")
    return error(name, summary)


def _advisory(advisory: dict[str, Any]) -> str:
    """`GHSA-…`, which is the last word of its URL, else npm's number."""
    last = str(advisory.get("url", "")).rpartition("/")[2]
    return last if last.startswith(("GHSA-", "CVE-")) else str(advisory["source"])


def _installed(lock: dict[str, Any]) -> dict[str, str]:
    """Place in node_modules → version."""
    return {at: one["version"] for at, one in lock.get("packages", {}).items() if "version" in one}
