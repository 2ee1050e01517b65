"""The linters and scanners that tests call: those of ./scripts/bootstrap tools, or on PATH."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

from fairlead.checks.cache import Memory
from fairlead.checks.programs import Programs

ROOT = Path(__file__).parents[1]
BIN = ROOT / ".lab/tools/bin"
PINS = ROOT / "scripts/tools"
LEFT_OUT = ROOT / ".lab/tools/left-out"
STRICT = "TESTS_NEED_TOOLS"
"""Set by ./scripts/test, which has just had them installed."""
PLANTED = ROOT / "tests/planted"
VERSIONS = Memory()


def programs(root: Path) -> Programs:
    """What a tree's tools are found by here: ours on PATH; each says its version only once."""
    environ = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    return Programs(root, environ=environ, memory=VERSIONS)


def needs(*names: str) -> None:
    """Skip the test where one of the programs is not installed; see `lacking`."""
    for name in names:
        if programs(ROOT).find(name) is None:
            lacking(name)


def lacking(name: str) -> NoReturn:
    """Skip the test, for the program is not here; fail it where bootstrap said that it would be."""
    why = f"{name} is not installed: ./scripts/bootstrap tools"
    if os.environ.get(STRICT) and name in promised():
        pytest.fail(why)
    pytest.skip(why)


def promised() -> set[str]:
    """The programs that bootstrap installs, without those that it said it left out."""
    pinned = {file.stem for file in PINS.iterdir() if file.suffix == ".txt" or file.is_dir()}
    return pinned - set(LEFT_OUT.read_text().split() if LEFT_OUT.exists() else ())
