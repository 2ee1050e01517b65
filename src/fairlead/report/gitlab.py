"""What GitLab reads of a job: findings on the lines of a merge request.

Format: docs.gitlab.com/ci/testing/code_quality, "Code Quality report format".
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from fairlead.checks.finding import Finding, Severity
from fairlead.config.folder import own_folder
from fairlead.errors import FairleadError
from fairlead.events import Event, Notice
from fairlead.model import Step
from fairlead.report.protocol import Reporter

REPORT = "gl-code-quality-report.json"
SEVERITIES = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.NOTE: "info",
}


class GitLab:
    """Another reporter, and beside it the findings in a file; none at all is told there too."""

    def __init__(self, reporter: Reporter, folder: Path, *, redact: Callable[[str], str]) -> None:
        self._reporter = reporter
        self._folder = folder
        self._redact = redact
        self._found: list[Finding] | None = None  # nothing was looked for

    @property
    def ok(self) -> bool:
        return self._reporter.ok

    def event(self, event: Event) -> None:
        self._reporter.event(event)

    def error(self, error: FairleadError) -> None:
        self._reporter.error(error)

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        notes: Sequence[str] = (),
    ) -> None:
        self._reporter.table(title, columns, rows, notes)

    def findings(self, findings: Sequence[Finding]) -> None:
        self._reporter.findings(findings)
        self._found = [*(self._found or ()), *findings]

    def text(self, lines: Iterable[str]) -> None:
        self._reporter.text(lines)

    def plan(
        self,
        steps: Sequence[Step],
        header: Mapping[str, str],
        notes: Sequence[str] = (),
        verbose: bool = False,
    ) -> None:
        self._reporter.plan(steps, header, notes, verbose)

    def result(
        self, payload: Mapping[str, object], summary: Sequence[str] = (), ok: bool = True
    ) -> None:
        self._reporter.result(payload, summary, ok)

    def close(self, exit_code: int = 0) -> None:
        if self._found is not None:
            self._write(self._found)
            self._found = None
        self._reporter.close(exit_code)

    def _write(self, found: Sequence[Finding]) -> None:
        """A file that cannot be written changes no outcome."""
        placed = [_entry(one, self._redact) for one in found if one.path]
        try:
            file = own_folder(self._folder, "reports") / REPORT  # git must not see a change
            file.write_text(json.dumps(placed, indent=1) + "\n", "utf-8")
        except OSError as error:
            text = f"{REPORT} could not be written: {error.strerror}"
            self._reporter.event(Notice(text, "warning"))


def _entry(finding: Finding, redact: Callable[[str], str]) -> dict[str, object]:
    """A finding as GitLab has it; its fingerprint is one of a kind in the report."""
    told = (finding.tool, finding.rule, finding.path, str(finding.line), finding.message)
    return {
        "description": redact(finding.message),
        "check_name": f"{finding.tool} {finding.rule}",
        "fingerprint": hashlib.sha256("\0".join(told).encode()).hexdigest(),
        "severity": SEVERITIES[finding.severity],
        "location": {"path": finding.path, "lines": {"begin": finding.line or 1}},
    }
