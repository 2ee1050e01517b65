"""What git says of a working tree."""

import subprocess

from fairlead.transport.git import Head, read_head


def git(root, *argv: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    done = subprocess.run(
        ["git", *identity, *argv], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_a_commit_is_clean_until_something_is_changed_or_added(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    assert read_head(tmp_path) == Head("", False)
    git(tmp_path, "commit", "-qm", "one")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert read_head(tmp_path) == Head(commit, True)
    (tmp_path / "b c").write_text("new")
    assert read_head(tmp_path) == Head(commit, False)
    (tmp_path / "b c").unlink()
    (tmp_path / "a").write_text("2")
    assert read_head(tmp_path) == Head(commit, False)


def test_what_is_changed_is_named(tmp_path):
    git(tmp_path, "init", "-q")
    for name in ("a b", "moved", "gone"):
        (tmp_path / name).write_text(name * 9)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    git(tmp_path, "mv", "moved", "moved there")
    (tmp_path / "a b").write_text("2")
    (tmp_path / "gone").unlink()
    (tmp_path / "new").mkdir()
    (tmp_path / "new/one").write_text("1")
    assert set(read_head(tmp_path).changed) == {"a b", "moved there", "gone", "new/"}


def test_outside_a_repository_there_is_no_commit(tmp_path):
    assert read_head(tmp_path) == Head("", False)
