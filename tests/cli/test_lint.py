"""`lint`, as a whole command on small repositories with the real ruff and mypy."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes import has_ended
from tests.tools import BIN, needs

PROGRAM = (sys.executable, "-m", "fairlead", "lint")


@pytest.fixture
def project(tmp_path) -> Path:
    """Two modules on a branch `main`; `bad.py` has an import that nobody uses."""
    root = tmp_path / "shop"
    (root / "deploy").mkdir(parents=True)
    (root / "deploy/fairlead.toml").write_text("")
    (root / "good.py").write_text("ANSWER = 42\n")
    (root / "bad.py").write_text("import os\n\nANSWER = 42\n")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    return root


def git(root: Path, *argv: str) -> None:
    who = ("-c", "user.name=me", "-c", "user.email=me@example.com")
    subprocess.run(["git", *who, *argv], cwd=root, check=True, capture_output=True)


def run(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        (*PROGRAM, *words),
        cwd=folder,
        env=kept | more,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def result(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    return json.loads(done.stdout.splitlines()[-1])


def words(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


def until(true: Callable[[], object]) -> None:
    """Wait for something that happens, sooner or later."""
    for _ in range(300):
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("it never came true")


def test_the_same_fault_is_told_once_and_left_as_sarif_and_as_a_page(project):
    needs("flake8")
    (project / ".flake8").write_text("")
    done = run(project, "--json", "--only=ruff,flake8", PATH=f"{BIN}:{os.environ['PATH']}")
    told = result(done)
    assert [(one["tool"], one["rule"]) for one in told["findings"]] == [("ruff, flake8", "F401")]
    assert {one["tool"]: one["findings"] for one in told["tools"]} == {"ruff": 1, "flake8": 1}
    assert told["files"]["sarif"] == ".fairlead/reports/lint.sarif"
    log = json.loads((project / told["files"]["sarif"]).read_text())
    rules = [rule for one in log["runs"] for rule in one["tool"]["driver"]["rules"]]
    assert [rule["id"] for rule in rules] == ["F401"]
    assert "security" not in json.dumps(rules)
    assert "bad.py:1" in (project / told["files"]["summary"]).read_text()


class TestReport:
    """Findings first, one table, and last what did not pass."""

    def test_findings_a_table_and_what_did_not_pass(self, project):
        done = run(project)
        assert done.returncode == 1
        lines = words(done)
        assert lines[0].startswith("bad.py:1:8 F401 `os` imported but unused (ruff, medium")
        assert lines[1] == "Lint"
        assert lines[2] == "tool outcome findings looked at time from cache"
        assert lines[3].startswith("ruff findings 1 2 files ")
        assert lines[4].startswith("ruff-format passed 2 files ")
        assert lines[-4:] == [
            "✗ lint: 1 passed, 1 with findings",
            "ruff: 1 finding",
            ".fairlead/reports/lint.sarif .fairlead/reports/lint.md",
            "next: inv lint --fix (fixes what can be fixed)",
        ]

    def test_all_passed_is_exit_0(self, project):
        (project / "bad.py").unlink()
        done = run(project)
        assert done.returncode == 0
        assert words(done)[-1] == "✓ lint: 2 passed"

    def test_scripts_get_findings_and_tools(self, project):
        told = result(run(project, "--json"))
        assert (told["outcome"], told["exit_code"]) == ("findings", 1)
        (finding,) = told["findings"]
        assert (finding["path"], finding["line"], finding["severity"]) == ("bad.py", 1, "medium")
        assert [(one["tool"], one["outcome"]) for one in told["tools"]] == [
            ("ruff", "findings"),
            ("ruff-format", "passed"),
        ]
        assert all(one["version"] for one in told["tools"])

    def test_actions_marks_the_line(self, project, tmp_path):
        summary = tmp_path / "summary.md"
        done = run(project, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
        assert "::warning title=ruff F401,file=bad.py,line=1,col=8::" in done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        assert "| bad.py:1 | F401 | medium |" in summary.read_text()
        assert "| ruff | findings | 1 |" in summary.read_text()

    def test_a_plan_says_what_would_run_and_why_and_runs_nothing(self, project):
        done = run(project, "--plan", "--verbose")
        assert done.returncode == 0
        assert "ruff: Python, and no other linter" in done.stdout
        assert "$ ruff check" in done.stdout
        assert "F401" not in done.stdout


class TestOutcomes:
    """Law 8, as a person sees it."""

    def stand_in(self, project: Path, name: str, script: str) -> None:
        file = project / ".venv/bin" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo 1.0 && exit\n{script}\n')
        file.chmod(0o755)
        (project / ".gitignore").write_text(".venv\n")

    @pytest.mark.parametrize(
        ("script", "outcome", "reason"),
        [
            ("echo boom >&2; exit 2", "error", "boom"),
            ("echo '<html>'", "error", "output is not what it should be"),
            ("kill -SEGV $$", "error", "signal 11"),
            ("echo '[]'; echo 'warning: No Python files found' >&2", "not-run", "no file"),
            ("exit 127", "not-run", "not installed: pip install ruff"),
        ],
    )
    def test_a_linter_that_fails_has_not_passed(self, project, script, outcome, reason):
        self.stand_in(project, "ruff", script)
        done = run(project, "--json", "--only=ruff")
        told = result(done)
        assert (done.returncode, told["outcome"]) == (1, outcome)
        assert reason in told["tools"][0]["reason"]

    def test_one_that_hangs_is_ended_with_its_children(self, project):
        self.stand_in(project, "ruff", "sleep 300 & echo $! >child; wait")
        (project / "deploy/fairlead.toml").write_text('[lint]\ntimeout = "500ms"\n')
        told = result(run(project, "--json", "--only=ruff"))
        assert told["outcome"] == "error"
        assert "was stopped" in told["tools"][0]["reason"]
        assert has_ended(int((project / "child").read_text()))

    def test_ctrl_c_ends_it_with_its_children(self, project):
        self.stand_in(project, "ruff", "sleep 300 & echo $! >child; wait")
        process = subprocess.Popen((*PROGRAM, "--only=ruff"), cwd=project, stderr=subprocess.PIPE)
        child = project / "child"
        until(lambda: child.exists() and child.read_text().strip())
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 1
        assert b"interrupted by Ctrl-C" in said
        assert has_ended(int(child.read_text()))

    def test_one_that_is_asked_for_and_missing_is_named_with_its_remedy(self, project):
        (project / ".isort.cfg").write_text("")
        done = run(project, "--only=ruff-format,isort", PATH="/usr/bin:/bin")
        assert done.returncode == 1
        assert "isort: not-run: isort is not installed: pip install isort" in done.stdout


class TestSubject:
    """All files, those that changed, or those that are named."""

    def test_only_what_changed(self, project):
        (project / "good.py").write_text("import sys\n")
        told = result(run(project, "--changed", "--json"))
        assert {one["path"] for one in told["findings"]} == {"good.py"}

    def test_nothing_changed_is_no_pass_and_no_failure(self, project):
        done = run(project, "--changed", "--json")
        assert (done.returncode, result(done)["outcome"]) == (0, "nothing-to-do")

    def test_a_repository_that_calls_for_no_linter_has_not_passed(self, project):
        for file in ("good.py", "bad.py"):
            (project / file).unlink()
        done = run(project, "--json")
        assert (done.returncode, result(done)["outcome"]) == (1, "nothing-to-do")
        assert run(project, "--only=types").returncode == 0

    def test_a_clone_that_does_not_reach_back_is_refused(self, project):
        git(project, "branch", "-m", "main", "work")
        done = run(project, "--changed")
        assert done.returncode == 1, done.stderr
        assert "fetch-depth: 0" in done.stderr

    def test_files_that_are_named(self, project):
        assert run(project, "--", "good.py").returncode == 0
        assert run(project, "--", "good.py", "bad.py").returncode == 1

    def test_files_are_named_from_where_one_stands(self, project):
        (project / "inner").mkdir()
        (project / "inner/worse.py").write_text("import sys\n")
        told = result(run(project / "inner", "--json", "--", "worse.py"))
        assert [one["path"] for one in told["findings"]] == ["inner/worse.py"]

    @pytest.mark.parametrize("word", ["no-such.py", "/etc/hostname"])
    def test_a_file_that_is_not_here_is_refused(self, project, word):
        done = run(project, "--", word)
        assert (done.returncode, done.stdout) == (2, "")
        assert word in done.stderr

    def test_what_is_excluded_is_not_looked_at(self, project):
        (project / "deploy/fairlead.toml").write_text('[lint]\nexclude = ["bad.py"]\n')
        assert run(project).returncode == 0
        assert result(run(project, "--json", "--", "bad.py"))["outcome"] == "nothing-to-do"

    def test_files_that_a_linters_own_settings_leave_out_are_no_failure_where_they_are_named(
        self, project
    ):
        """A commit of them alone goes through; a linter that never looks at anything does not."""
        (project / "pyproject.toml").write_text('[tool.ruff]\nexclude = ["bad.py"]\n')
        done = run(project, "--json", "--", "bad.py")
        assert (done.returncode, result(done)["outcome"]) == (0, "nothing-to-do")
        assert {one["outcome"] for one in result(done)["tools"]} == {"not-run"}
        done = run(project, "--json", "--", "bad.py", "good.py")
        assert (done.returncode, result(done)["outcome"]) == (0, "passed")
        (project / "pyproject.toml").write_text('[tool.ruff]\nexclude = ["*.py"]\n')
        done = run(project, "--json")
        assert (done.returncode, result(done)["outcome"]) == (1, "not-run")

    def test_a_service_is_its_folder(self, project):
        services = [{"name": "api", "path": "api"}, {"name": "web", "path": "web"}]
        (project / "services.json").write_text(json.dumps(services))
        for name in ("api", "web"):
            (project / name).mkdir()
            (project / name / "app.py").write_text("import sys\n")
        told = result(run(project, "--service=api", "--json"))
        assert [one["path"] for one in told["findings"]] == ["api/app.py"]

    def test_a_linter_that_nobody_has(self, project):
        done = run(project, "--only=rufff")
        assert done.returncode == 2
        assert "did you mean `ruff`?" in done.stderr


class TestFixAndCache:
    def test_fix_mends_and_the_second_time_changes_nothing(self, project):
        (project / "good.py").write_text("x = [ 1 ]\n")
        first = run(project, "--fix", "--json")
        assert (first.returncode, result(first)["fixed"]) == (0, ["bad.py", "good.py"])
        assert (project / "bad.py").read_text() == "ANSWER = 42\n"
        second = run(project, "--fix", "--json")
        assert (second.returncode, result(second)["fixed"]) == (0, [])

    def test_fix_calls_eslint_and_the_second_time_changes_nothing(self, project):
        needs("eslint")
        rule = 'module.exports = [{ rules: { "prefer-const": "error" } }];\n'
        (project / "eslint.config.js").write_text(rule)
        (project / "app.js").write_text("let a = 1;\nconsole.log(a);\n")
        path = {"PATH": f"{BIN}:{os.environ['PATH']}"}
        fixed = [
            result(run(project, "--fix", "--json", "--only=eslint", **path))["fixed"]
            for _ in range(2)
        ]
        assert fixed == [["app.js"], []]
        assert (project / "app.js").read_text() == "const a = 1;\nconsole.log(a);\n"

    def test_fix_keeps_to_the_files_that_are_named(self, project):
        assert result(run(project, "--fix", "--json", "--", "good.py"))["fixed"] == []
        assert "import os" in (project / "bad.py").read_text()

    def test_what_comes_from_cache_says_so(self, project):
        run(project)
        told = result(run(project, "--json"))
        assert [one["cached"] for one in told["tools"]] == [True, True]
        assert [one["rule"] for one in told["findings"]] == ["F401"]
        told = result(run(project, "--json", "--no-cache"))
        assert [one["cached"] for one in told["tools"]] == [False, False]

    def test_a_change_is_seen(self, project):
        run(project)
        (project / "bad.py").write_text("ANSWER = 42\n")
        assert run(project).returncode == 0


def test_gitlab_gets_a_report_in_the_folder_of_the_project(project):
    (project / "inner").mkdir()
    gitlab = {"GITLAB_CI": "true", "CI_PROJECT_DIR": str(project)}
    assert run(project / "inner", **gitlab).returncode == 1
    (entry,) = json.loads((project / ".fairlead/reports/gl-code-quality-report.json").read_text())
    assert entry["location"] == {"path": "bad.py", "lines": {"begin": 1}}
    assert entry["check_name"] == "ruff F401"
