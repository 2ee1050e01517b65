"""In a GitLab job findings go to a Code Quality report, and nowhere else."""

import json

from heard import SECRET

from fairlead.checks.finding import Finding, Severity
from fairlead.report import gitlab

REPORT = f".fairlead/reports/{gitlab.REPORT}"

FAULT = Finding("ruff", "F401", Severity.MEDIUM, f"unused {SECRET}", "src/a.py", 3)
DEPENDENCY = Finding("pip-audit", "CVE-1", Severity.CRITICAL, "bad", package="requests")


def test_findings_with_a_place_are_in_the_report(listen, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    heard = listen(environ={"GITLAB_CI": "true"})
    heard.reporter.findings([FAULT, DEPENDENCY])
    heard.reporter.close(1)
    (entry,) = json.loads((tmp_path / REPORT).read_text())
    assert entry["location"] == {"path": "src/a.py", "lines": {"begin": 3}}
    assert (entry["severity"], entry["check_name"]) == ("major", "ruff F401")
    assert SECRET not in entry["description"]
    assert heard.out.lines[0].startswith("src/a.py:3 F401")


def test_no_finding_is_told_too_and_what_looks_for_none_writes_nothing(
    listen, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    listen(environ={"GITLAB_CI": "true"}).reporter.close(0)
    assert not (tmp_path / REPORT).exists()
    heard = listen(environ={"GITLAB_CI": "true"})
    heard.reporter.findings([])
    heard.reporter.close(0)
    assert json.loads((tmp_path / REPORT).read_text()) == []


def test_a_report_that_cannot_be_written_changes_nothing(listen, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / REPORT).mkdir(parents=True)
    heard = listen(environ={"GITLAB_CI": "true"})
    heard.reporter.findings([FAULT])
    heard.reporter.close(1)
    assert "could not be written" in heard.err.text
