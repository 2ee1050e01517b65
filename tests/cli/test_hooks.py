"""The hooks that `init` writes: the same tasks, on what is about to be committed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fairlead.config.starter import HOOKS

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SHIPPED = (ROOT / "src/fairlead/config/pre-commit.yaml").read_text()


@pytest.fixture
def project(tmp_path) -> Path:
    """A repository with the hooks installed, and one commit."""
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/fairlead.toml").write_text('app = "one"\n[lint]\ntools = ["ruff"]\n')
    (tmp_path / HOOKS).write_text(SHIPPED)
    commit(tmp_path, "first", hooks=False)
    run(tmp_path, str(BIN / "pre-commit"), "install")
    return tmp_path


def run(folder: Path, *words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    env = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(folder), **environ}
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=100)


def commit(folder: Path, message: str, *, hooks: bool = True, skip: str = "") -> str:
    """What git and the hooks say of a commit of everything; `done` first when it was made."""
    if not (folder / ".git").exists():
        run(folder, "git", "init", "-q")
    run(folder, "git", "add", ".")
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    words = ("git", *identity, "commit", "-qm", message, *(() if hooks else ("--no-verify",)))
    made = run(folder, *words, SKIP=skip)
    return f"{'done' if made.returncode == 0 else 'refused'}\n{made.stdout}{made.stderr}"


def test_a_fault_is_refused_by_the_hook_that_found_it(project):
    (project / "one.py").write_text("import os\n")
    said = commit(project, "second", skip="secrets,tests")
    assert said.startswith("refused")
    assert "one.py:1:8 F401" in said


def test_each_can_be_skipped_and_what_is_well_goes_through(project):
    (project / "one.py").write_text("import os\n")
    assert commit(project, "second", skip="lint,secrets,tests").startswith("done")
    (project / "one.py").write_text("x = 1\n")
    assert commit(project, "third", skip="secrets,tests").startswith("done")


def test_this_repository_has_the_hooks_it_ships():
    """The same, run by the environment that ./scripts/bootstrap makes."""
    own = yaml.safe_load((ROOT / HOOKS).read_text())
    shipped = yaml.safe_load(SHIPPED.replace("entry: fairlead", "entry: .venv/bin/fairlead"))
    assert own == shipped
