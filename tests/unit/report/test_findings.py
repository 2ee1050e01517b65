"""Faults that checks find: a line for people, an object for scripts, a mark on the line in CI."""

import json

from fairlead.checks.finding import Finding, Severity

WORST = Finding(
    "bandit", "B602", Severity.HIGH, "shell=True\nas in line 9", "src/a.py", 3, 7, fix="pass a list"
)
MILD = Finding("ruff", "E501", Severity.LOW, "too long", "src/b.py", 9)
DEPENDENCY = Finding(
    "pip-audit", "CVE-1", Severity.CRITICAL, "bad", package="requests", installed="2.5.0"
)


def test_people_read_where_who_and_what(listen):
    heard = listen()
    heard.reporter.findings([WORST, DEPENDENCY])
    assert heard.out.lines == [
        "src/a.py:3:7 B602 shell=True (bandit, high; fix: pass a list)",
        "    as in line 9",
        "requests 2.5.0 CVE-1 bad (pip-audit, critical)",
    ]
    assert heard.reporter.ok


def test_scripts_get_an_object_each(listen):
    heard = listen(json=True)
    heard.reporter.findings([WORST])
    told = json.loads(heard.out.lines[0])
    assert (told["type"], told["severity"], told["path"]) == ("finding", "high", "src/a.py")
    heard.reporter.close(1)
    last = json.loads(heard.out.lines[-1])
    assert [one["rule"] for one in last["findings"]] == ["B602"]


def test_actions_marks_the_line_the_worst_first(listen, tmp_path):
    summary = tmp_path / "summary"
    heard = listen(environ={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)})
    heard.reporter.findings([MILD] * 20 + [WORST, DEPENDENCY])
    marks = [line for line in heard.err.lines if line.startswith("::")]
    assert marks[:2] == [
        "::error title=pip-audit CVE-1 requests 2.5.0::bad",
        "::error title=bandit B602,file=src/a.py,line=3,col=7::shell=True%0Aas in line 9",
    ]
    assert len([line for line in marks if line.startswith("::notice")]) == 10
    heard.reporter.close(1)
    told = "shell=True<br>as in line 9 | pass a list"
    assert f"| src/a.py:3 | B602 | high | {told} | bandit |" in summary.read_text()
