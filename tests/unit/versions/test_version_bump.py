"""Bumps of real git repositories: what is written, and that a refusal writes nothing."""

import subprocess

import pytest

from fairlead.config.release import Release
from fairlead.errors import FairleadError, UsageError
from fairlead.versions.bump import carry_out, plan_bump
from fairlead.versions.notes import release_notes

TODAY = "2026-02-03"


def planned(project, part: str = "auto", **release: str):
    return plan_bump(project.root, Release(**release), part, TODAY)


@pytest.mark.parametrize(
    ("messages", "version"),
    [
        (["fix: a"], "1.4.3"),
        (["fix: a", "feat: b", "docs: c"], "1.5.0"),
        (["fix: a", "refactor!: b"], "2.0.0"),
        (["fix: a\n\nBREAKING CHANGE: gone"], "2.0.0"),
    ],
)
def test_auto_is_what_the_commits_demand(project, messages, version):
    for message in messages:
        project.commit(message)
    assert str(planned(project).new) == version


@pytest.mark.parametrize("prefix", ["v", "app-v"])
def test_a_pre_release_is_no_release_to_go_on_from(project, prefix):
    """What came before it is new in the release, too."""
    project.git("tag", f"{prefix}1.4.1")
    project.commit("feat: a")
    project.git("tag", f"{prefix}1.5.0-rc.1")
    project.commit("fix: b")
    assert str(planned(project, tag_prefix=prefix).new) == "1.5.0"
    assert not release_notes(project.root, Release(tag_prefix=prefix), "").prerelease
    told = release_notes(project.root, Release(tag_prefix=prefix), f"{prefix}1.5.0-rc.1")
    assert told.prerelease
    assert "- a" in told.body


def test_a_bump_is_a_file_a_section_a_commit_and_a_tag(project):
    project.commit("feat(api): orders")
    project.commit("fix: rounding")
    commit = carry_out(project.root, planned(project))
    assert project.read("VERSION") == "1.5.0\n"
    assert "## [1.5.0] - 2026-02-03\n\n### Added\n\n- api: orders" in project.read("CHANGELOG.md")
    assert project.git("rev-parse", "v1.5.0^{commit}") == commit == project.git("rev-parse", "main")
    assert project.git("cat-file", "-t", "v1.5.0") == "tag"
    assert "### Fixed" in project.git("tag", "-l", "--format=%(contents)", "v1.5.0")
    assert project.git("log", "-1", "--format=%s") == "chore(release): v1.5.0"
    assert project.git("status", "--porcelain") == ""
    with pytest.raises(UsageError, match="nothing to release"):
        planned(project)


def test_what_people_wrote_goes_before_what_commits_say(project):
    project.commit("feat: x", **{"CHANGELOG.md": "# C\n\n## [Unreleased]\n\n- by hand\n"})
    assert planned(project).notes == "- by hand"


def test_a_pyproject_that_says_the_same_is_kept_in_step(project):
    text = (
        '[tool.x]\nversion = "1.4.2"\n[project]\nname = "x"\nversion = "1.4.2"  # ours\n[tool.y]\n'
    )
    project.commit("fix: a", **{"pyproject.toml": text})
    assert planned(project).files["pyproject.toml"] == text.replace(
        '"1.4.2"  # ours', '"1.4.3"  # ours'
    )
    project.commit("fix: b", **{"pyproject.toml": text.replace("1.4.2", "9.9.9")})
    assert "pyproject.toml" not in planned(project).files


def test_a_pyproject_can_be_the_truth(project):
    project.commit("fix: a", **{"pyproject.toml": '[project]\nversion = "2.0.0"\n'})
    bump = planned(project, version_file="pyproject.toml")
    assert bump.files["pyproject.toml"] == '[project]\nversion = "2.0.1"\n'
    assert "VERSION" not in bump.files


def refused(project, words: str, part: str = "auto") -> None:
    before = project.state()
    with pytest.raises(UsageError, match=words) as told:
        planned(project, part)
    assert told.value.state == "nothing was changed"
    assert project.state() == before


def test_refusals_change_nothing(project):
    refused(project, "nothing to release")
    project.commit("docs: words")
    refused(project, "nothing to release")
    project.commit("fix: a")
    refused(project, "no part `big`", "big")
    project.git("tag", "v1.4.3")
    refused(project, "v1.4.3 exists already", "patch")
    (project.root / "new").write_text("not in git")
    refused(project, "no commit")
    (project.root / "new").unlink()
    project.git("checkout", "-q", "--detach")
    refused(project, "detached HEAD")
    project.git("switch", "-q", "main")
    project.commit("fix: b", VERSION="1.4\n")
    refused(project, "must be a version")


def test_a_shallow_clone_cannot_tell_what_the_commits_demand(project, tmp_path):
    project.commit("feat: a")
    project.commit("fix: b")
    clone = type(project)(tmp_path / "clone")
    words = ("git", "clone", "-q", "--depth=1", f"file://{project.root}", str(clone.root))
    subprocess.run(words, check=True, timeout=60)
    refused(clone, "shallow")


def test_a_hook_that_refuses_the_commit_leaves_all_as_it_was(project):
    project.commit("fix: a")
    hook = project.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not today >&2\nexit 1\n")
    hook.chmod(0o755)
    before = project.state()
    with pytest.raises(FairleadError, match="git commit failed") as told:
        carry_out(project.root, planned(project))
    assert told.value.why == ("not today",)
    assert told.value.state == "nothing was changed"
    assert project.state() == before
    assert not (project.root / "CHANGELOG.md").exists()


def test_notes_are_the_section_else_the_commits(project):
    project.commit("feat: a")
    project.git("tag", "v1.5.0")
    project.commit("fix: later")
    assert release_notes(project.root, Release(), "").body == "### Added\n\n- a"
    log = "# C\n\n## [1.5.0]\n\n- better words\n"
    project.commit("docs: log", **{"CHANGELOG.md": log})
    assert release_notes(project.root, Release(), "v1.5.0").body == "- better words"
    assert release_notes(project.root, Release(), "v1.4.2").body == "### Added\n\n- everything"
    with pytest.raises(UsageError, match="no tag v9"):
        release_notes(project.root, Release(), "v9")
