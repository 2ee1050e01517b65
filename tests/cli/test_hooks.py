"""The hooks that `init` writes: the same tasks, on what is about to be committed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fairlead.config.starter import HOOKS
from tests.cli.test_scanners import invented_secret
from tests.tools import BIN as TOOLS
from tests.tools import needs

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SHIPPED = (ROOT / "src/fairlead/config/pre-commit.yaml").read_text()


@pytest.fixture
def project(tmp_path) -> Path:
    """A repository with the hooks installed, and one commit."""
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/fairlead.toml").write_text('app = "one"\n')
    (tmp_path / HOOKS).write_text(SHIPPED)
    commit(tmp_path, "first", hooks=False)
    run(tmp_path, str(BIN / "pre-commit"), "install")
    return tmp_path


def run(folder: Path, *words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    env = {"PATH": f"{BIN}:{TOOLS}:{os.environ['PATH']}", "HOME": str(folder), **environ}
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


FAULTS = {
    "lint": ("one.py", "import os\n", "one.py:1:8 F401"),
    "format": ("one.py", "x = [ 1 ]\n", "files were modified by this hook"),
    "types": ("one.py", 'x: int = "one"\n', "(mypy, high)"),
    "secrets": ("settings.ini", f'[x]\napi_key = "{invented_secret()}"\n', "generic-api-key"),
    "yaml": ("one.yaml", "a: 1\na: 2\n", "key-duplicates"),
    "tests": (
        "tests/unit/test_it.py",
        "def test_it():\n    x = 1\n    assert x == 2\n",
        "assert 1 == 2",
    ),
}
"""A file for each hook, and what it says of it."""


@pytest.mark.timeout(200)
@pytest.mark.parametrize("hook", FAULTS)
def test_each_hook_refuses_its_fault_and_no_other_does(project, hook):
    """With one hook skipped all the others run, and none of them does its work."""
    needs("gitleaks", "yamllint", "mypy")
    (project / "pyproject.toml").write_text("[tool.mypy]\n")
    commit(project, "settings", hooks=False)
    name, content, said = FAULTS[hook]
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text(content)
    told = commit(project, "second")
    assert told.startswith("refused"), told
    assert said in told
    (project / name).write_text(content)  # the formatter has fixed it
    told = commit(project, "third", skip=hook)
    assert told.startswith("done"), told


def test_where_no_suite_is_quick_the_hook_has_nothing_to_do(project):
    declared = '[test.suites.all]\npath = "tests"\n'
    with (project / "deploy/fairlead.toml").open("a") as file:
        file.write(declared)
    assert commit(project, "second", skip="format,lint,types,secrets,yaml").startswith("done")


def test_this_repository_has_the_hooks_it_ships():
    """The same, run by the environment that ./scripts/bootstrap makes."""
    own = yaml.safe_load((ROOT / HOOKS).read_text())
    shipped = yaml.safe_load(SHIPPED.replace("entry: fairlead", "entry: .venv/bin/fairlead"))
    assert own == shipped
