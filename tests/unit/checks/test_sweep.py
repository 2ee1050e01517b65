"""A tool may do anything; its outcome is right all the same (law 8)."""

from dataclasses import dataclass

import pytest

from fairlead.checks.sweep import sweep
from fairlead.checks.tree import Tree, read_tree
from fairlead.checks.verdict import Outcome, Verdict
from fairlead.model import Command
from fairlead.transport.local import Ran


@dataclass(frozen=True)
class Scripted:
    """A tool that is a shell script, and trusts it when it prints `clean`."""

    name: str
    script: str

    def applies(self, tree: Tree) -> str:
        return "always"

    def command(self, tree: Tree) -> Command:
        return Command(("sh", "-c", self.script) if self.script else ("no-such-tool",))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        if ran.out.strip() != "clean":
            raise ValueError(ran.out)
        return Verdict(self.name, Outcome.PASSED)


@pytest.mark.parametrize(
    ("script", "outcome", "reason"),
    [
        ("echo clean", Outcome.PASSED, ""),
        ("", Outcome.NOT_RUN, "not installed"),
        ("sleep 60", Outcome.ERROR, "longer than"),
        ("kill -SEGV $$", Outcome.ERROR, "signal 11"),
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
    import subprocess

    for name in ("kept.py", "new.py", "ignored.log", "gone.py"):
        (tmp_path / name).touch()
    (tmp_path / ".gitignore").write_text("*.log\n")
    for argv in (["init", "-q"], ["add", "kept.py", "gone.py", ".gitignore"]):
        subprocess.run(["git", *argv], cwd=tmp_path, check=True)
    (tmp_path / "gone.py").unlink()
    tree = read_tree(tmp_path)
    assert tree.files == (".gitignore", "kept.py", "new.py")
    assert tree.matching("*.py") == ("kept.py", "new.py")
