"""`--changed`: against the default branch, with what is staged, not staged and new."""

import subprocess
from pathlib import Path

import pytest

from fairlead.checks.changed import changed_files
from fairlead.errors import PreconditionError


def git(root: Path, *argv: str) -> None:
    who = ("-c", "user.name=me", "-c", "user.email=me@example.com")
    subprocess.run(["git", *who, *argv], cwd=root, check=True, capture_output=True)


def commit(root: Path, **files: str) -> None:
    for name, text in files.items():
        (root / f"{name}.py").write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-qm", "files")


@pytest.fixture
def root(tmp_path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path, old="1", both="1")
    return tmp_path


def test_all_that_differs_from_where_the_branch_began(root):
    git(root, "branch", "work")
    commit(root, elsewhere="1")
    git(root, "switch", "-q", "work")
    commit(root, committed="1")
    (root / "staged.py").write_text("1")
    git(root, "add", "staged.py")
    (root / "both.py").write_text("2")
    (root / "new.py").write_text("1")
    (root / ".gitignore").write_text("ignored.py\n")
    (root / "ignored.py").write_text("1")
    found = changed_files(root, {})
    assert found.files == (".gitignore", "both.py", "committed.py", "new.py", "staged.py")


def test_on_the_default_branch_it_is_the_working_tree(root):
    (root / "both.py").write_text("2")
    (root / "new ä.py").write_text("1")
    (root / "old.py").unlink()
    found = changed_files(root, {})
    assert found.files == ("both.py", "new ä.py", "old.py")
    assert found.since.startswith("main at ")


def test_in_a_folder_of_the_repository_paths_are_from_there(root):
    (root / "deep").mkdir()
    (root / "deep/new.py").write_text("1")
    (root / "both.py").write_text("2")
    assert changed_files(root / "deep", {}).files == ("new.py",)


def test_without_a_commit_nothing_tells_what_changed(tmp_path):
    with pytest.raises(PreconditionError, match="no git repository"):
        changed_files(tmp_path, {})


def clone(root: Path, *options: str) -> Path:
    there = root / "clone"
    git(root, "clone", "-q", *options, f"file://{root}", str(there))
    return there


@pytest.fixture
def branch(root) -> Path:
    """A branch `work` with one commit more than main."""
    git(root, "switch", "-qc", "work")
    commit(root, committed="1")
    return root


def test_a_clone_without_history_is_no_clone_without_changes(branch):
    """As a CI job makes one: one commit of one branch, or that commit alone."""
    shallow = clone(branch, "--depth=1", "--branch=work")
    git(shallow, "checkout", "-q", "--detach")
    git(shallow, "remote", "set-head", "origin", "--delete")
    git(shallow, "branch", "-D", "work")
    with pytest.raises(PreconditionError, match="default one") as told:
        changed_files(shallow, {})
    assert "fetch-depth: 0" in told.value.next_step


def test_a_clone_that_ends_before_the_branch_began_is_told(branch):
    shallow = clone(branch, "--depth=1", "--branch=work", "--no-single-branch")
    with pytest.raises(PreconditionError, match="where this left origin/main"):
        changed_files(shallow, {"GITHUB_BASE_REF": "main"})


@pytest.mark.parametrize("variable", ["GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"])
def test_a_job_knows_what_its_branch_goes_into(branch, variable):
    git(branch, "switch", "-qc", "release", "work")
    git(branch, "switch", "-qc", "fix")
    commit(branch, fixed="1")
    there = clone(branch)
    git(there, "checkout", "-q", "--detach")
    assert changed_files(there, {variable: "release"}).files == ("fixed.py",)
    with pytest.raises(PreconditionError, match="where this left gone"):
        changed_files(there, {variable: "gone"})
