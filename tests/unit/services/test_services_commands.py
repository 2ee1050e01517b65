"""The commands themselves, in a repository of their own: what scripts and CI get from them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = str(Path(sys.executable).with_name("fairlead"))


@pytest.fixture
def call(repo):
    """Run `fairlead …` in the repository: exit code, stdout, stderr."""
    here = repo()

    def run(*words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [PROGRAM, *words],
            cwd=here.root,
            env={"PATH": os.environ["PATH"], "HOME": str(here.root), **environ},
            capture_output=True,
            text=True,
            timeout=60,
        )

    run.repo = here
    return run


def test_json_ends_with_objects_of_name_and_reason(call):
    call.repo.write("services/api/code.py", "changed")
    said = call("services.changed", "--base=HEAD", "--json")
    services = json.loads(said.stdout.splitlines()[-1])["services"]
    assert {(one["name"], one["reason"]) for one in services} == {
        ("api", "services/api/code.py changed"),
        ("web", "built from api: services/api/code.py changed"),
    }


def test_with_a_base_nothing_is_imported_that_reaches_hosts(call):
    """What a CI job does most often has to be quick."""
    said = call("services.changed", "--base=HEAD", PYTHONPROFILEIMPORTTIME="1")
    imported = {line.rpartition("|")[2].strip() for line in said.stderr.splitlines()}
    assert "fairlead.services.changed" in imported
    assert not imported & {"fabric", "paramiko", "docker", "rich", "fairlead.rollout"}
    assert "fairlead.config.environment" not in imported


def test_only_the_services_asked_for_are_told(call):
    call.repo.write("libs/lib/code.py", "changed")
    said = call("services.changed", "--base=HEAD", "--service=web,jobs", "--json")
    services = json.loads(said.stdout.splitlines()[-1])["services"]
    assert [one["name"] for one in services] == ["web"]
    unknown = call("services.changed", "--base=HEAD", "--service=wbe")
    assert unknown.returncode == 2
    assert "no service `wbe` (did you mean `web`?)" in unknown.stderr


def test_all_changed_in_a_matrix_is_since_its_own_base(call):
    """FAIRLEAD_BASE is for those that have no --base."""
    before = call.repo.git("rev-parse", "HEAD")
    call.repo.commit("services/jobs/code.py")
    words = ("services.matrix", f"--base={before}", "--service=all-changed")
    (job,) = json.loads(call(*words, FAIRLEAD_BASE="HEAD").stdout)["include"]
    assert job["name"] == "jobs"


def test_all_is_every_service(call):
    assert len(json.loads(call("services.matrix", "--all", "--service=all").stdout)["include"]) == 4
    assert len(json.loads(call("services.matrix", "--all", "--service=api").stdout)["include"]) == 1


def test_the_matrix_is_all_that_stdout_holds(call, tmp_path):
    call.repo.write("services/jobs/code.py", "changed")
    outputs = tmp_path / "outputs"
    said = call("services.matrix", "--base=HEAD", GITHUB_ACTIONS="true", GITHUB_OUTPUT=str(outputs))
    (job,) = json.loads(said.stdout)["include"]
    assert (job["name"], job["path"], job["dockerfile"]) == ("jobs", "services/jobs", "Dockerfile")
    text = outputs.read_text()
    assert json.dumps({"include": [job]}) in text
    assert "any<<" in text
    assert "\ntrue\n" in text


def test_an_empty_matrix_says_so(call, tmp_path):
    outputs = tmp_path / "outputs"
    said = call("services.matrix", "--base=HEAD", GITHUB_ACTIONS="true", GITHUB_OUTPUT=str(outputs))
    assert json.loads(said.stdout) == {"include": []}
    call.repo.write("scripts/release.sh", "changed")
    said = call("services.matrix", "--base=HEAD", GITHUB_ACTIONS="true")
    assert json.loads(said.stdout) == {"include": []}
    assert "changed, but of no service: 1 file (scripts/release.sh)" in said.stderr
    assert "\nfalse\n" in outputs.read_text()
    assert len(json.loads(call("services.matrix", "--all").stdout)["include"]) == 4


def test_all_changed_narrows_the_verbs_of_local_work(call):
    call.repo.write("services/jobs/code.py", "import os\n")
    said = call("lint", "--service=all-changed", "--only=ruff", "--json", FAIRLEAD_BASE="HEAD")
    rows = [json.loads(line) for line in said.stdout.splitlines()]
    table = next(row for row in rows if row["type"] == "table")
    assert table["rows"][0]["looked at"] == "1 file"


def test_work_on_what_changed_tells_what_belongs_to_nobody(call):
    """Where nothing is selected, a person must see what was not taken for a reason to."""
    call.repo.write("scripts/release.sh", "changed")
    said = call("test", "--service=all-changed", FAIRLEAD_BASE="HEAD")
    assert said.returncode == 0
    assert "changed, but of no service: 1 file (scripts/release.sh)" in said.stdout + said.stderr


def test_the_tests_of_a_service_are_run_in_its_folder(repo):
    command = f"{sys.executable} -c 'import os; print(os.getcwd()); print(\"1 passed in 0.1s\")'"
    here = repo([{"name": "a", "path": "a", "test_command": command}, {"name": "b", "path": "b"}])

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [PROGRAM, "test", "--json", *words],
            cwd=here.root,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "FAIRLEAD_BASE": "HEAD"},
        )

    passed = run("--service=a")
    assert passed.returncode == 0, passed.stdout
    assert (here.root / ".fairlead/reports/a.log").read_text().startswith(f"{here.root}/a\n")
    none = run("--service=b")
    assert none.returncode == 2
    assert "test_command" in none.stdout
    unchanged = run("--service=all-changed")
    assert json.loads(unchanged.stdout.splitlines()[-1])["outcome"] == "unchanged"


@pytest.mark.parametrize("words", [("services.list",), ("test", "--service=all-changed")])
def test_a_repository_without_services_is_told_how_to_declare_them(tmp_path, words):
    said = subprocess.run(
        [PROGRAM, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert said.returncode == 2
    assert "declares no services" in said.stderr
