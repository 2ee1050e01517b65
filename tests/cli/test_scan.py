"""inv scan as a whole command: what it demands, what it leaves, how it ends."""

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.cli.test_scanners import invented_secret
from tests.tools import BIN, ROOT, needs

TOMORROW = date.today() + timedelta(days=1)
YESTERDAY = date.today() - timedelta(days=1)


@pytest.fixture
def tree(tmp_path) -> Path:
    """A repository with an invented secret in it."""
    needs("gitleaks")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "settings.ini").write_text(f'[x]\napi_key = "{invented_secret()}"\n')
    (tmp_path / "deploy").mkdir()
    return tmp_path


def scan(folder: Path, *flags: str, **more: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **more}
    return subprocess.run(
        [sys.executable, "-m", "fairlead", "scan", *flags],
        cwd=folder, env=environ, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip


def exclude(tree: Path, expires: date, what: str = 'tool = "gitleaks"') -> None:
    text = f'[[exclude]]\n{what}\nreason = "it is invented"\nexpires = {expires}\n'
    (tree / "deploy/exclusions.toml").write_text(text)


def test_a_finding_ends_with_1_and_leaves_its_reports(tree):
    done = scan(tree, "--only=gitleaks")
    assert done.returncode == 1
    assert "settings.ini:2" in done.stdout
    log = json.loads((tree / ".fairlead/reports/scan.sarif").read_text())
    assert [one["ruleId"] for one in log["runs"][0]["results"]] == ["generic-api-key"]
    assert "settings.ini:2" in (tree / ".fairlead/reports/scan.md").read_text()
    assert invented_secret() not in done.stdout + done.stderr + json.dumps(log)


def test_what_is_excluded_counts_no_more_and_is_suppressed(tree):
    exclude(tree, TOMORROW)
    done = scan(tree, "--only=gitleaks")
    assert done.returncode == 0, done.stdout
    assert "1 excluded" in done.stdout
    log = json.loads((tree / ".fairlead/reports/scan.sarif").read_text())
    assert log["runs"][0]["results"][0]["suppressions"]


def test_an_expired_exclusion_fails_even_where_it_covers_nothing(tree):
    (tree / "settings.ini").write_text("[x]\ncolour = blue\n")
    exclude(tree, YESTERDAY, 'id = "B602"')
    done = scan(tree, "--only=gitleaks")
    assert done.returncode == 1
    assert f"B602 expired on {YESTERDAY}" in done.stdout


def test_an_exclusion_that_covers_nothing_is_told(tree):
    exclude(tree, TOMORROW, 'path = "src/*"')
    (tree / "deploy/fairlead.toml").write_text('[scan]\ntools = ["gitleaks"]\n')
    assert "covers nothing" in scan(tree).stdout
    assert "covers nothing" not in scan(tree, "--only=gitleaks").stdout  # others might have


def test_the_threshold_decides(tree):
    (tree / "deploy/fairlead.toml").write_text('[scan]\nfail_on = "critical"\n')
    done = scan(tree, "--only=gitleaks")
    assert done.returncode == 0, done.stdout
    assert "0 findings of critical or worse, 1 milder" in done.stdout


def test_a_scanner_that_is_not_there_is_no_pass(tree):
    (tree / "settings.ini").write_text("[x]\ncolour = blue\n")
    bare = {"PATH": os.pathsep.join(("/usr/bin", "/bin"))}
    done = scan(tree, "--only=grype,gitleaks", "--json", **bare)
    told = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 1
    assert {one["tool"]: one["outcome"] for one in told["tools"]} == {
        "gitleaks": "not-run", "grype": "not-run",
    }  # fmt: skip
    assert "not installed" in told["tools"][0]["reason"]
    assert told["outcome"] == "not-run"


def test_nothing_scanned_is_no_pass(tmp_path):
    done = scan(tmp_path)
    assert done.returncode == 1
    assert "nothing was scanned" in done.stdout


def test_what_was_found_is_the_outcome_of_the_whole(tree):
    done = scan(tree, "--only=gitleaks,grype", "--json")
    assert json.loads(done.stdout.splitlines()[-1])["outcome"] == "findings"


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--only=gitleak", "did you mean `gitleaks`"),
        ("--image=-x", "--image needs an image"),
        ("--image=", "--image needs an image"),
        ("--osv-url=x", "--osv-url needs"),
    ],
)
def test_what_cannot_be_carried_out_is_refused(tree, flag, said):
    done = scan(tree, flag)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""
    assert not (tree / ".fairlead/reports").exists()


def test_a_ci_job_gets_annotations_and_a_summary(tree, tmp_path_factory):
    summary = tmp_path_factory.mktemp("ci") / "summary.md"
    github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    done = scan(tree, "--only=gitleaks", **github)
    assert "::error " in done.stderr
    assert "file=settings.ini" in done.stderr
    assert "generic-api-key" in summary.read_text()


@pytest.mark.timeout(240)
def test_this_repository_has_nothing_that_is_not_excluded_with_a_reason():
    needs("bandit", "semgrep", "gitleaks", "trivy", "pip-licenses", "syft")
    done = scan(ROOT)
    assert done.returncode == 0, done.stdout


def test_named_files_are_scanned_by_the_settings_of_the_root(tree):
    """A git hook names what is committed; what `scan` of the whole lets pass, it lets pass."""
    rule = '[extend]\nuseDefault = true\n[[rules]]\nid = "our-own"\nregex = "colour"\n'
    allowed = '[[allowlists]]\npaths = ["settings.ini"]\n'
    (tree / ".gitleaks.toml").write_text(f"{rule}{allowed}")
    assert scan(tree, "--only=gitleaks", "--", "settings.ini", "deploy").returncode == 0
    (tree / "notes.txt").write_text("the colour\n")
    done = scan(tree, "--only=gitleaks", "--", "notes.txt")
    assert (done.returncode, "notes.txt:1" in done.stdout) == (1, True)
    assert "our-own" in done.stdout


@pytest.mark.parametrize("named", [(), ("--", "app/settings.ini")], ids=["whole", "named"])
def test_a_fingerprint_is_the_one_that_gitleaks_itself_tells(tree, named):
    (tree / "app").mkdir()
    (tree / "settings.ini").rename(tree / "app/settings.ini")
    assert scan(tree, "--only=gitleaks", *named).returncode == 1
    (tree / ".gitleaksignore").write_text("app/settings.ini:generic-api-key:2\n")
    done = scan(tree, "--only=gitleaks", *named)
    assert done.returncode == 0, done.stdout


def test_named_files_that_no_scanner_takes_in_are_no_failure(tree):
    """An empty file, or a lock file alone, may be committed."""
    (tree / "__init__.py").touch()
    done = scan(tree, "--only=secrets", "--json", "--", "__init__.py")
    told = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, told["outcome"]) == (0, "nothing-to-do")
    assert [one["outcome"] for one in told["tools"]] == ["not-run"]
    assert scan(tree, "--only=secrets").returncode == 1


def git(tree: Path, *words: str) -> None:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    subprocess.run(["git", *who, *words], cwd=tree, check=True, capture_output=True)


def test_a_secret_that_was_taken_out_is_in_the_history(tree, tmp_path_factory):
    git(tree, "add", "settings.ini")
    git(tree, "commit", "-qm", "first")
    (tree / "settings.ini").write_text("[x]\n")
    git(tree, "commit", "-qam", "second")
    assert scan(tree, "--only=gitleaks").returncode == 0
    done = scan(tree, "--only=gitleaks", "--history", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert {one["tool"]: (one["outcome"], one["looked_at"]) for one in lines[-1]["tools"]} == {
        "gitleaks": ("passed", "4 bytes"), "gitleaks:history": ("findings", "2 commits"),
    }  # fmt: skip
    (found,) = [one for one in lines if one["type"] == "finding"]
    assert (found["path"], found["line"]) == ("settings.ini", 2)
    assert "(commit " in found["message"]
    assert invented_secret() not in done.stdout + done.stderr
    shallow = tmp_path_factory.mktemp("shallow") / "clone"
    git(tree, "clone", "-q", "--depth=1", f"file://{tree}", str(shallow))
    refused = scan(shallow, "--history")
    assert refused.returncode == 1
    assert "does not have the whole history" in refused.stderr
    assert "git fetch --unshallow" in refused.stderr


def test_a_history_without_a_commit_is_not_run(tree):
    done = scan(tree, "--only=gitleaks", "--history", "--json")
    told = json.loads(done.stdout.splitlines()[-1])["tools"][1]
    assert (told["outcome"], told["reason"]) == ("not-run", "there is no commit")
