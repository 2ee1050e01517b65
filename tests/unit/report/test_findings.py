"""Faults that checks find: a line for people, an object for scripts, a mark on the line in CI."""

import json

from fairlead.checks.finding import Finding, Severity

WORST = Finding("bandit", "B602", Severity.HIGH, "shell=True", "src/a.py", 3, fix="pass a list")
MILD = Finding("ruff", "E501", Severity.LOW, "too long", "src/b.py", 9)
DEPENDENCY = Finding(
    "pip-audit", "CVE-1", Severity.CRITICAL, "bad", package="requests", installed="2.5.0"
)


def test_people_read_where_who_and_what(listen):
    heard = listen()
    heard.reporter.findings([WORST, DEPENDENCY])
    assert heard.out.lines == [
        "  src/a.py:3  bandit B602  shell=True",
        "      fix: pass a list",
        "  requests 2.5.0  pip-audit CVE-1  bad",
    ]
    assert heard.reporter.ok


def test_scripts_get_an_object_each(listen):
    heard = listen(json=True)
    heard.reporter.findings([WORST])
    told = json.loads(heard.out.lines[0])
    assert (told["type"], told["severity"], told["path"]) == ("finding", "high", "src/a.py")


def test_actions_marks_the_line_the_worst_first(listen, tmp_path):
    summary = tmp_path / "summary"
    heard = listen(environ={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)})
    heard.reporter.findings([MILD] * 20 + [WORST, DEPENDENCY])
    marks = [line for line in heard.err.lines if line.startswith("::")]
    assert marks[:2] == [
        "::error title=pip-audit%3A CVE-1::bad",
        "::error title=bandit%3A B602,file=src/a.py,line=3::shell=True",
    ]
    assert len([line for line in marks if line.startswith("::notice")]) == 10
    heard.reporter.close(1)
    assert "| src/a.py:3 | bandit B602 | shell=True |" in summary.read_text()
