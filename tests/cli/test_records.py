"""What `lint` and its siblings found out is on record, bound to the commit it was found out of."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fairlead.model import REVISION
from tests.cli.test_scanners import invented_secret
from tests.tools import BIN, needs
from tests.unit.registry_server import Content, RegistryServer

FAIRLEAD = str(Path(sys.executable).with_name("fairlead"))


@pytest.fixture
def project(tmp_path) -> Path:
    """A small clean repository."""
    (tmp_path / "one.py").write_text("x = 1\n")
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/fairlead.toml").write_text('app = "one"\n[lint]\ntools = ["ruff"]\n')
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    return tmp_path


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    done = subprocess.run(
        ["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def run(folder: Path, *words: str, path: str = f"{BIN}:{os.environ['PATH']}") -> int:
    environ = {
        "PATH": f"{Path(FAIRLEAD).parent}:{path}",
        "HOME": str(folder / ".git"),
    }  # git sees nothing there
    done = subprocess.run([FAIRLEAD, *words], cwd=folder, env=environ, capture_output=True)
    return done.returncode


def records(folder: Path) -> dict[str, dict[str, object]]:
    here = folder / ".fairlead/records" / git(folder, "rev-parse", "HEAD")
    return {file.stem: json.loads(file.read_text()) for file in here.glob("*.json")}


def test_a_clean_commit_is_on_record(project):
    assert run(project, "lint") == 0
    (one,) = records(project).values()
    assert (one["verb"], one["clean"], one["partial"]) == ("lint", True, False)
    assert [(e["tool"], e["outcome"]) for e in one["entries"]] == [("ruff", "passed")]
    assert git(project, "status", "--porcelain") == ""


def test_what_is_not_committed_is_recorded_as_such_beside_what_is(project):
    assert run(project, "lint") == 0
    (project / "one.py").write_text("import os\n")
    assert run(project, "lint") == 1
    clean = {name: one["clean"] for name, one in records(project).items()}
    assert clean == {"lint": True, "lint-unclean": False}


def test_where_gates_are_a_run_says_at_once_what_is_not_committed(project):
    def said(*words: str) -> str:
        done = subprocess.run(
            [FAIRLEAD, "lint", *words], cwd=project, capture_output=True, text=True
        )
        return done.stdout + done.stderr

    (project / "two.py").write_text("x = 1\n")
    assert "no gate" not in said()
    (project / "deploy/production.toml").write_text('[gates]\nrequire = ["lint"]\n')
    assert (
        "this opens no gate of production; not committed: deploy/production.toml, two.py" in said()
    )
    assert "no gate" not in said("--only=ruff")
    git(project, "add", ".")
    git(project, "commit", "-qm", "two")
    assert "no gate" not in said()


def test_a_part_is_kept_beside_the_whole(project):
    run(project, "lint")
    run(project, "lint", "--only=ruff")
    assert {name: one["partial"] for name, one in records(project).items()} == {
        "lint": False,
        "lint-partial": True,
    }


def test_a_tree_that_changed_while_it_was_tested_was_not_tested_as_that_commit(project):
    """Also one that is itself again at the end but for what a test wrote."""
    (project / "tests").mkdir()
    (project / "tests/test_it.py").write_text("def test_it():\n    open('more.py', 'w').close()\n")
    git(project, "add", ".")
    git(project, "commit", "-qm", "two")
    assert run(project, "test") == 0
    assert records(project)["test-unclean"]["clean"] is False


def test_a_linter_that_is_not_installed_is_on_record_as_not_run(project):
    """It is left out, and the lint passes; a gate may ask for it."""
    (project / "deploy/fairlead.toml").write_text("")
    (project / "Dockerfile").write_text("FROM scratch\n")
    git(project, "add", ".")
    git(project, "commit", "-qm", "two")
    (project / ".git/bin").mkdir()
    (project / ".git/bin/git").symlink_to(shutil.which("git") or "")
    assert run(project, "lint", path=str(project / ".git/bin")) == 0
    entries = {one["tool"]: one["outcome"] for one in records(project)["lint"]["entries"]}
    assert (entries["ruff"], entries["hadolint"]) == ("passed", "not-run")


def test_a_scan_that_asked_another_service_is_no_whole_scan(project):
    run(project, "scan", "--osv-url=http://127.0.0.1:1")
    assert list(records(project)) == ["scan-partial"]


def test_a_record_says_until_when_what_it_excludes_is_excluded(project):
    needs("gitleaks")
    (project / "settings.ini").write_text(f'[x]\napi_key = "{invented_secret()}"\n')
    excluded = '[[exclude]]\ntool = "gitleaks"\nreason = "it is invented"\nexpires = 2999-12-31\n'
    (project / "deploy/exclusions.toml").write_text(excluded)
    run(project, "scan", "--only=gitleaks")
    assert records(project)["scan-unclean-partial"]["until"] == "2999-12-31"


def test_an_image_that_is_judged_by_what_is_not_committed_is_not_clean(project):
    content = Content()
    content.image("v1", config={"Labels": {REVISION: git(project, "rev-parse", "HEAD")}})
    server = RegistryServer(content)
    (project / "elsewhere.txt").write_text("left by a job\n")
    try:
        run(project, "scan", f"--image={server.address}/team/app:v1")
        (clean,) = image_records(project)
        (project / "deploy/exclusions.toml").write_text("# of today\n")
        run(project, "scan", f"--image={server.address}/team/app:v1")
    finally:
        server.close()
    assert clean is True
    assert sorted(image_records(project)) == [False, True]  # one beside the other


def image_records(folder: Path) -> list[object]:
    """Of each whether it is clean."""
    return [one["clean"] for one in records(folder).values() if one["verb"] == "scan-image"]


def test_an_image_is_on_record_by_its_digest_under_the_commit_it_says(project):
    content = Content()
    commit = git(project, "rev-parse", "HEAD")
    digest = content.image("v1", config={"Labels": {REVISION: commit}})
    server = RegistryServer(content)
    try:
        run(project, "scan", f"--image={server.address}/team/app:v1")
        assert run(project, "scan", f"--image={server.address}/team/app:v2") == 1
    finally:
        server.close()
    found = {one["verb"]: one for one in records(project).values()}
    assert found["scan-image"]["image"] == digest
    assert (found["scan-image"]["clean"], found["scan-image"]["partial"]) == (True, False)
    assert {one["tool"] for one in found["scan-image"]["entries"]} == {"trivy:image", "syft:image"}
    assert not any(one["tool"].endswith(":image") for one in found["scan"]["entries"])
    assert found["scan"]["partial"] is False
