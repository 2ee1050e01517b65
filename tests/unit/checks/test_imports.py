"""The import check: every module, in an interpreter that knows nothing yet."""

from pathlib import Path

import pytest

from fairlead.checks.lint.imports import Imports
from fairlead.checks.sweep import sweep
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Outcome, Verdict


def imported(root: Path, **modules: str) -> Verdict:
    package = root / "src/shop"
    package.mkdir(parents=True)
    files = {"__init__": "", **modules}
    for name, text in files.items():
        (package / f"{name}.py").write_text(text)
    tree = Tree(root, tuple(sorted(f"src/shop/{name}.py" for name in files)))
    (verdict,) = sweep("lint", [Imports()], tree, timeout=30, listener=lambda _: None)
    return verdict


def test_all_modules_import(tmp_path):
    verdict = imported(tmp_path, a="import shop.b", b="import json\nprint('hello')")
    assert (verdict.outcome, verdict.looked_at) == (Outcome.PASSED, "3 modules"), verdict


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("import os\nimport no_such_module", "ModuleNotFoundError", 2),
        ("\n\n1 / 0", "ZeroDivisionError", 3),
        ("def broken(:", "SyntaxError", 1),
        ("import sys\nsys.exit(3)", "SystemExit", 2),
        ("import json\njson.loads('')", "JSONDecodeError", 2),
    ],
)
def test_what_fails_is_told_at_its_line(tmp_path, text, rule, line):
    verdict = imported(tmp_path, a=text)
    (finding,) = verdict.findings
    assert (finding.path, finding.line, finding.rule) == ("src/shop/a.py", line, rule)


def test_one_cause_is_told_once_however_many_import_it(tmp_path):
    verdict = imported(tmp_path, a="import no_such_module", b="import shop.a", c="import shop.a")
    assert len(verdict.findings) == 1


def test_a_module_that_ends_the_interpreter_is_named(tmp_path):
    verdict = imported(tmp_path, a="import os\nos._exit(0)", b="")
    (finding,) = verdict.findings
    assert "shop.a" in finding.message
    assert "ended the interpreter" in finding.message


def test_what_is_only_in_the_current_folder_is_not_there(tmp_path):
    (tmp_path / "beside.py").write_text("")
    assert imported(tmp_path, a="import beside").outcome is Outcome.FINDINGS


def test_no_file_is_left_behind(tmp_path):
    imported(tmp_path, a="import shop")
    assert not list(tmp_path.rglob("__pycache__"))
