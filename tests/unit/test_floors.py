"""The house stands: floors import only downwards, and no file is a drawer for everything."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path for path in (ROOT / "src").rglob("*") if path.suffix in (".py", ".sh", ".toml")
)
LONGEST = {".py": 400, ".toml": 900, ".sh": 400}  # the reference is one subject


def test_floors_import_only_downwards():
    """import-linter's contracts in pyproject.toml hold."""
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_file_is_named_for_one_concept():
    """No file is called for being useful or for managing."""
    drawers = ("utils", "helper", "manager", "misc")
    assert not [path for path in SOURCES if any(word in path.stem for word in drawers)]


def test_every_file_can_be_read_in_one_go():
    """A file that grows too long is two concepts."""
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert not {path: count for path, count in lines.items() if count > LONGEST[path.suffix]}


def test_nothing_is_left_for_later():
    """What is not done is not hinted at."""
    texts = {path: path.read_text("utf-8") for path in SOURCES}
    assert not [p for p, text in texts.items() if any(w in text for w in ("TODO", "FIXME", "XXX"))]
