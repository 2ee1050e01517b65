"""A tool may do anything; its outcome is right all the same (law 8)."""

import os
import subprocess
from dataclasses import dataclass

import pytest

from fairlead.checks.cache import Cache, Memory
from fairlead.checks.finding import Finding, Severity
from fairlead.checks.sweep import sweep
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree, read_tree
from fairlead.checks.verdict import Outcome, Verdict
from fairlead.errors import PreconditionError
from fairlead.model import Command
from fairlead.transport.git import read_head
from fairlead.transport.local import Ran


@dataclass(frozen=True)
class Scripted(Tool):
    """A tool that is a shell script, and trusts it when it prints `clean`."""

    name: str = "scripted"
    script: str = "echo clean"
    needs_files: bool = False
    settings: tuple[str, ...] = ("*.toml",)

    def applies(self, tree: Tree) -> str:
        return "always"

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return tree.matching("*.py")

    def command(self, tree: Tree) -> Command:
        return Command(("sh", "-c", self.script) if self.script else ("no-such-tool",))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        if ran.out.startswith("fault"):
            return Verdict(self.name, Outcome.FINDINGS, (FAULT,))
        if ran.out.strip() != "clean":
            raise ValueError(ran.out)
        return Verdict(self.name, Outcome.PASSED)


FAULT = Finding("scripted", "R1", Severity.HIGH, "it is wrong", "a.py", 3, aliases=("R0",))


def run(tool: Tool, tree: Tree, cache: Cache | None = None) -> Verdict:
    (verdict,) = sweep("lint", [tool], tree, timeout=5, listener=lambda _: None, cache=cache)
    return verdict


@pytest.mark.parametrize(
    ("script", "outcome", "reason"),
    [
        ("echo clean", Outcome.PASSED, ""),
        ("", Outcome.NOT_RUN, "not installed"),
        ("sleep 60", Outcome.ERROR, "longer than"),
        ("kill -SEGV $$", Outcome.ERROR, "signal 11"),
        ("exit 127", Outcome.NOT_RUN, "not installed"),
        ("echo '<html>'; echo broken pipe >&2; exit 1", Outcome.ERROR, "broken pipe"),
    ],
)
def test_whatever_a_tool_does_it_is_judged(tmp_path, script, outcome, reason):
    (verdict,) = sweep(
        "lint", [Scripted("one", script)], Tree(tmp_path, ()), timeout=0.5, listener=lambda _: None
    )
    assert verdict.outcome is outcome
    assert reason in verdict.reason


def test_one_that_fails_hides_no_other(tmp_path):
    tools = [Scripted("bad", "exit 1"), Scripted("good", "echo clean")]
    verdicts = sweep("scan", tools, Tree(tmp_path, ()), timeout=5, listener=lambda _: None)
    assert [one.outcome for one in verdicts] == [Outcome.ERROR, Outcome.PASSED]


def test_a_tree_is_what_git_would_take_in(tmp_path):
    for name in ("kept.py", "new.py", "ignored.log", "gone.py"):
        (tmp_path / name).touch()
    (tmp_path / ".gitignore").write_text("*.log\n")
    for argv in (["init", "-q"], ["add", "kept.py", "gone.py", ".gitignore"]):
        subprocess.run(["git", *argv], cwd=tmp_path, check=True)
    (tmp_path / "gone.py").unlink()
    tree = read_tree(tmp_path)
    assert tree.files == (".gitignore", "kept.py", "new.py")
    assert tree.matching("*.py") == ("kept.py", "new.py")


def test_a_file_with_a_name_that_is_no_utf8_is_looked_at(tmp_path):
    name = os.fsdecode(b"caf\xe9.py")
    (tmp_path / name).write_text("1\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    tree = read_tree(tmp_path)
    assert tree.files == (name,)
    assert not run(Scripted(needs_files=True), tree, Cache(Memory(tmp_path))).cached
    assert run(Scripted(needs_files=True), tree, Cache(Memory(tmp_path))).cached


def test_a_repository_that_git_does_not_read_is_no_folder_without_one(tmp_path):
    (tmp_path / ".git").write_text("gitdir: nowhere\n")
    with pytest.raises(PreconditionError, match=r"not a git repository: .*nowhere"):
        read_tree(tmp_path)
    assert "not a git repository" in read_head(tmp_path).trouble


def test_a_tool_with_nothing_to_look_at_did_not_run(tmp_path):
    """Law 8: nothing scanned is not-run."""
    verdict = run(Scripted(needs_files=True), Tree(tmp_path, ("a.md",)))
    assert verdict.outcome is Outcome.NOT_RUN


@dataclass(frozen=True)
class Asked(Scripted):
    """One that is asked which files it takes in."""

    answer: str = "echo a.py"

    def asks_files(self, tree: Tree) -> Command:
        return Command(("sh", "-c", self.answer))


@pytest.mark.parametrize(
    ("script", "answer", "outcome", "told"),
    [
        ("echo clean", "echo a.py", Outcome.PASSED, "1 file"),
        ("echo clean", "true", Outcome.NOT_RUN, "no file"),
        ("echo clean", "echo a.py; exit 2", Outcome.ERROR, "which files"),
        ("echo fault", "echo a.py; echo b.py", Outcome.FINDINGS, "2 files"),
    ],
)
def test_a_tool_is_asked_what_its_report_does_not_tell(tmp_path, script, answer, outcome, told):
    verdict = run(Asked(script=script, answer=answer), Tree(tmp_path, ("a.py", "b.py")))
    assert verdict.outcome is outcome
    assert told in verdict.looked_at + verdict.reason


def test_a_tool_that_cannot_be_started_is_an_error_and_no_crash(tmp_path):
    """More files than one command line takes."""

    class Crowded(Scripted):
        def command(self, tree: Tree) -> Command:
            return Command(("true", *["x" * 100_000] * 100))

    verdict = run(Crowded(), Tree(tmp_path, ()))
    assert verdict.outcome is Outcome.ERROR
    assert "could not be started" in verdict.reason


class TestCache:
    """The same content, tool, arguments and settings are not checked twice."""

    @pytest.fixture
    def tree(self, tmp_path):
        (tmp_path / "a.py").write_text("1\n")
        (tmp_path / "tool.toml").write_text("")
        (tmp_path / "read.md").write_text("")
        return Tree(tmp_path, ("a.py", "read.md", "tool.toml"))

    def counting(self, tree, said="clean"):
        return Scripted(script=f"echo x >>{tree.root}/.runs; echo {said}")

    def runs(self, tree):
        return len((tree.root / ".runs").read_text().split())

    @pytest.mark.parametrize("said", ["clean", "fault"])
    def test_an_unchanged_tree_is_not_checked_again_and_that_is_told(self, tree, said):
        tool = self.counting(tree, said)
        first = run(tool, tree, Cache(Memory(tree.root)))
        second = run(tool, tree, Cache(Memory(tree.root)))
        assert self.runs(tree) == 1
        assert (first.cached, second.cached) == (False, True)
        assert (first.outcome, first.findings) == (second.outcome, second.findings)

    @pytest.mark.parametrize(("name", "again"), [("a.py", 2), ("tool.toml", 2), ("read.md", 1)])
    def test_what_decides_is_what_it_looks_at_and_its_settings(self, tree, name, again):
        tool = self.counting(tree)
        run(tool, tree, Cache(Memory(tree.root)))
        (tree.root / name).write_text("changed\n")
        run(tool, tree, Cache(Memory(tree.root)))
        assert self.runs(tree) == again

    def test_what_it_judges_by_decides_also_where_its_argv_does_not_tell(self, tree):
        class Plain(Scripted):
            """A tool with a state of its own."""

            limit = 0

        plain, other = Plain(script="echo clean"), Plain(script="echo clean")
        object.__setattr__(other, "limit", 1)
        assert not run(plain, tree, Cache(Memory(tree.root))).cached
        assert not run(other, tree, Cache(Memory(tree.root))).cached
        assert run(plain, tree, Cache(Memory(tree.root))).cached

    def test_variables_that_steer_tools_decide(self, tree, monkeypatch):
        for index in ("https://one.example.com", "https://two.example.com"):
            monkeypatch.setenv("PIP_INDEX_URL", index)
            assert not run(self.counting(tree), tree, Cache(Memory(tree.root))).cached
        monkeypatch.setenv("EDITOR", "ed")
        assert run(self.counting(tree), tree, Cache(Memory(tree.root))).cached

    def test_a_program_that_tells_no_version_is_known_by_its_file(self, tree, monkeypatch):
        class Silent(Scripted):
            def command(self, tree: Tree) -> Command:
                return Command(("silent",))

        program = tree.root / "bin/silent"
        program.parent.mkdir()
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        for said in ("clean", "fault"):
            program.write_text(f"#!/bin/sh\n[ $# -gt 0 ] || echo {said}\n")
            program.chmod(0o755)
            first, second = (run(Silent(), tree, Cache(Memory(tree.root))) for _ in range(2))
            assert (first.cached, second.cached) == (False, True)
        assert second.outcome is Outcome.FINDINGS

    def test_what_changes_while_it_is_looked_at_is_looked_at_again(self, tree):
        tool = Scripted(script=f"echo x >>{tree.root}/.runs; echo 2 >{tree.root}/a.py; echo clean")
        run(tool, tree, Cache(Memory(tree.root)))
        (tree.root / "a.py").write_text("1\n")
        run(tool, tree, Cache(Memory(tree.root)))
        assert self.runs(tree) == 2

    def test_an_error_is_not_kept(self, tree):
        tool = self.counting(tree, "garbage")
        for _ in range(2):
            verdict = run(tool, tree, Cache(Memory(tree.root)))
        assert (verdict.outcome, verdict.cached) == (Outcome.ERROR, False)
        assert self.runs(tree) == 2

    def test_a_verdict_that_does_not_last_is_asked_for_again(self, tree):
        cache = Cache(Memory(tree.root))
        key = cache.key(tree, tree.files, "facts")
        cache.remember(key, Verdict("one", Outcome.PASSED))
        assert cache.recall(key, within=60)
        assert cache.recall(key, within=-1) is None

    def test_an_entry_that_was_damaged_is_as_if_it_were_not_there(self, tree):
        tool = self.counting(tree)
        run(tool, tree, Cache(Memory(tree.root)))
        for entry in (tree.root / ".fairlead/cache").iterdir():
            entry.write_text("{")
        assert run(tool, tree, Cache(Memory(tree.root))).outcome is Outcome.PASSED
        assert self.runs(tree) == 2

    def test_git_does_not_see_it_and_it_does_not_grow_for_ever(self, tree):
        memory = Memory(tree.root)
        for number in range(5):
            memory.remember(f"{number}", "text")
        memory.recall("0")
        memory.prune(kept=2)
        assert memory.recall("0") == "text"
        assert len(list((tree.root / ".fairlead/cache").iterdir())) == 2
        assert (tree.root / ".fairlead/.gitignore").read_text() == "*\n"


def test_a_tree_can_be_narrowed_and_remembers_what_it_was(tmp_path):
    tree = Tree(tmp_path, ("a.py", "docs/b.md", "planted/c.py")).without(["planted/"])
    some = tree.only(["docs/b.md", "planted/c.py"])
    assert (some.files, some.narrowed) == (("docs/b.md",), True)
    assert some.all.files == ("a.py", "docs/b.md")
    assert not some.all.narrowed
