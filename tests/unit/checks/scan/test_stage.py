"""Scanners that walk folders see the files of the tree, and nothing beside them."""

from pathlib import Path

import pytest

from fairlead.checks.scan.stage import staged
from fairlead.checks.tree import Tree
from fairlead.errors import FairleadError


def test_only_the_tree_is_there_and_only_for_the_time_of_the_scan(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.py").write_text("a")
    (tmp_path / ".env").write_text("TOKEN=x")
    (tmp_path / "link").symlink_to("src/a.py")
    with staged(Tree(tmp_path, ("link", "src/a.py"))) as folder:
        there = tmp_path / folder
        found = {path.relative_to(there).as_posix() for path in there.rglob("*") if path.is_file()}
        assert found == {"link", "src/a.py"}
        assert (there / "link").read_text() == "a"
    assert not there.exists()
    assert (tmp_path / "src/a.py").read_text() == "a"


def test_a_file_that_is_gone_meanwhile_is_left_out(tmp_path):
    (tmp_path / "a").touch()
    (tmp_path / "link").symlink_to("nowhere")
    with staged(Tree(tmp_path, ("a", "gone", "link"))) as folder:
        assert [path.name for path in Path(tmp_path / folder).iterdir()] == ["a"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / ".fairlead").touch()
    with pytest.raises(FairleadError, match="cannot be made") as told, staged(Tree(tmp_path, ())):
        pass
    assert told.value.next_step


def test_what_a_killed_scan_left_is_gone(tmp_path):
    (tmp_path / "a").touch()
    stale = tmp_path / ".fairlead/stage/tree/old"
    stale.parent.mkdir(parents=True)
    stale.touch()
    with staged(Tree(tmp_path, ("a",))) as folder:
        assert [path.name for path in Path(tmp_path / folder).iterdir()] == ["a"]
