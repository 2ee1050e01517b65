"""What a commit is called follows from git, and in a job from what CI tells of its branch."""

import subprocess
from types import SimpleNamespace

import pytest

from fairlead.images.revision import _source, read_revision
from fairlead.images.tags import tags, withheld
from fairlead.tasks.build import _tell_withheld

GITHUB = {"GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "main"}


def git(root, *words):
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    done = subprocess.run(
        ["git", *who, *words], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    return tmp_path


def test_on_a_branch(root):
    git(root, "switch", "-q", "-c", "feature/x")
    assert read_revision(root, "main", {}).standing.branch == "feature/x"


@pytest.mark.parametrize(
    ("environ", "branch"),
    [
        ({}, ""),
        (GITHUB, "main"),
        ({"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.0.0"}, ""),
        (GITHUB | {"GITHUB_REF_NAME": "5/merge", "GITHUB_HEAD_REF": "main"}, "pr-main"),
        ({"CI_COMMIT_BRANCH": "topic"}, "topic"),
        ({"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "main"}, "pr-main"),
    ],
)
def test_in_a_job_that_checks_out_a_commit(root, environ, branch):
    git(root, "checkout", "-q", "--detach")
    assert read_revision(root, "main", environ).standing.branch == branch


def test_a_pull_request_from_a_branch_called_main_is_never_latest(root):
    """Also where the job checks that branch out by its name."""
    found = tags(read_revision(root, "main", {"GITHUB_HEAD_REF": "main"}).standing)
    assert [tag.rpartition("-")[0] for tag in found] == ["pr-main"]


def test_versions_are_those_of_the_commit_and_what_is_released_is_all(root):
    git(root, "tag", "v1.2.9")
    git(root, "commit", "-q", "--allow-empty", "-m", "second")
    git(root, "tag", "v1.3.0")
    git(root, "checkout", "-q", "v1.2.9")
    standing = read_revision(root, "main", {}).standing
    assert (standing.versions, set(standing.released)) == (("v1.2.9",), {"v1.2.9", "v1.3.0"})


def test_each_state_of_uncommitted_changes_is_another(root):
    """An edit, another edit, the first again; a new file, and its content."""
    edited = root / "page"
    edited.write_text("first")
    git(root, "add", ".")
    git(root, "commit", "-qm", "page")
    found = [read_revision(root, "main", {})]
    assert found[0].key == found[0].commit
    for text in ("one", "two", "one"):
        edited.write_text(text)
        found.append(read_revision(root, "main", {}))
    for text in ("a", "b"):
        (root / "new").write_text(text)
        found.append(read_revision(root, "main", {}))
    keys = [one.key for one in found]
    assert keys[1] == keys[3]
    assert len(set(keys)) == 5
    assert {one.label for one in found[1:]} == {f"{found[0].commit}-dirty"}


@pytest.mark.parametrize(
    "remote",
    [
        "https://example.com/team/app.git",
        "https://ada:pa@ss@example.com/team/app",
        "https://token@example.com/team/app.git",
        "git@example.com:team/app.git",
        "ssh://git@example.com:2222/team/app",
    ],
)
def test_the_source_has_no_user_and_no_password(remote):
    assert _source(remote, {}) == "https://example.com/team/app"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--depth=1",), ("v1.3.9",)),
        (("--no-tags",), ("v1.3.9",)),
        ((), ("v1.3.9", "v1.3")),
    ],
)
def test_a_clone_without_all_tags_moves_no_shorter_one(tmp_path, root, words, expected):
    """A hotfix of an old line, built in a job whose clone has its own tag alone."""
    git(root, "tag", "v1.3.8")
    git(root, "commit", "-q", "--allow-empty", "-m", "next")
    git(root, "tag", "v1.4.0")
    git(root, "switch", "-qc", "old", "v1.3.8")
    git(root, "commit", "-q", "--allow-empty", "-m", "hotfix")
    git(root, "tag", "v1.3.9")
    clone = tmp_path / "clone"
    git(root, "clone", "-q", *words, "--branch=old", f"file://{root}", str(clone))
    git(clone, "tag", "--force", "v1.3.9")
    standing = read_revision(clone, "main", {}).standing
    assert tags(standing) == expected
    assert withheld(standing) == (("v1.3", "v1") if words else ())
    told = []
    reporter = SimpleNamespace(event=told.append)
    _tell_withheld(SimpleNamespace(reporter=reporter), SimpleNamespace(standing=standing))
    assert [one.level for one in told] == ["warning"] * bool(words)
