"""Several Pythons: an environment for each, made by uv, with the project and its tests' needs."""

import hashlib
import re
import shutil
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairlead.checks.folder import own_folder
from fairlead.errors import UsageError
from fairlead.model import Command
from fairlead.transport.local import Ran, run_local

MAKE = 300.0  # s: a Python may have to be fetched
INSTALL = 900.0
EXTRAS = ("test", "tests", "testing", "dev")
REQUIREMENTS = ("requirements-dev.txt", "requirements-test.txt", "requirements.txt")


@dataclass(frozen=True)
class Interpreter:
    """A Python for the suites. version: as it was asked for; empty for the one that is there.

    reason: why it cannot be had; then there is no python.
    """

    python: str
    version: str = ""
    reason: str = ""


def present(root: Path, declared: str) -> Interpreter:
    """The one declared, else .venv's, else the one that runs this program."""
    own = root / ".venv/bin/python"
    if declared:
        return Interpreter(str(root / Path(declared).expanduser()))
    return Interpreter(str(own) if own.exists() else sys.executable)


def check(versions: Sequence[str]) -> None:
    """Raises UsageError for what is no version such as 3.12 or 3.13.1."""
    for version in versions:
        if not re.fullmatch(r"3\.[0-9]{1,2}(\.[0-9]{1,2})?", version):
            raise UsageError(
                f"--python={version} is no version of Python",
                state="nothing was run",
                next_step="--python=3.11,3.12",
            )


def install_words(root: Path, declared: Sequence[str]) -> tuple[str, ...]:
    """What `uv pip install` is given: as declared, else what the project's files suggest."""
    if declared:
        return tuple(declared)
    tools = ("pytest", "coverage>=7.10")
    project = _pyproject(root)
    if "project" in project:
        extras = project["project"].get("optional-dependencies", {})
        extra = next((f"[{name}]" for name in EXTRAS if name in extras), "")
        groups = project.get("dependency-groups", {})
        group = next((("--group", name) for name in EXTRAS if name in groups), ())
        return ("-e", f".{extra}", *group, *tools)
    file = next((name for name in REQUIREMENTS if (root / name).is_file()), "")
    return (*(("-r", file) if file else ()), *tools)


def commands(root: Path, version: str, words: Sequence[str], uv: str = "uv") -> tuple[Command, ...]:
    """How the environment of a version is made."""
    folder = str(_folder(root, version))
    return (
        Command((uv, "venv", "--quiet", "--clear", "--python", version, folder), timeout=MAKE),
        Command((uv, "pip", "install", "--quiet", "--python", folder, *words), timeout=INSTALL),
    )


def expected(root: Path, version: str) -> Interpreter:
    """Where the Python of a version will be."""
    return Interpreter(str(_folder(root, version) / "bin/python"), version)


def prepare(root: Path, version: str, words: Sequence[str]) -> Interpreter:
    """The Python of a version with everything installed; kept for as long as nothing changes."""
    python, stamp = _folder(root, version) / "bin/python", _folder(root, version) / ".fairlead"
    wanted = _digest(root, words)
    if python.exists() and stamp.exists() and stamp.read_text("utf-8") == wanted:
        return Interpreter(str(python), version)
    uv = _uv()
    if not uv:
        return Interpreter("", version, "uv is not installed: pip install uv")
    own_folder(root, "venvs")
    for command in commands(root, version, words, uv):
        ran = run_local(command, cwd=root)
        if not ran.ok:
            return Interpreter("", version, _why(command, ran))
    stamp.write_text(wanted, encoding="utf-8")
    return Interpreter(str(python), version)


def _folder(root: Path, version: str) -> Path:
    return root / ".fairlead/venvs" / version


def _uv() -> str:
    """uv of PATH, else the one installed beside this program."""
    beside = Path(sys.executable).parent / "uv"
    return shutil.which("uv") or (str(beside) if beside.exists() else "")


def _why(command: Command, ran: Ran) -> str:
    """What uv says, on one line."""
    said = re.sub(r"\s+", " ", ran.err.replace("╰─▶", "").replace("×", "")).strip()
    what = " ".join(("uv", *command.argv[1:3])) if command.argv[1] == "pip" else "uv venv"
    return f"{what}: {ran.stopped or said[:300] or f'exit {ran.code}'}"


def _pyproject(root: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _digest(root: Path, words: Sequence[str]) -> str:
    """Of all that decides what is installed: the words, and the files they may mean."""
    digest = hashlib.sha256("\0".join(words).encode())
    named = {root / word.partition("[")[0] for word in words}
    usual = {root / name for name in ("pyproject.toml", "setup.py", "setup.cfg", *REQUIREMENTS)}
    for file in sorted(named | usual | set(root.glob("*constraints*.txt"))):
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()
