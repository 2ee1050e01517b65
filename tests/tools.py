"""The linters and scanners that tests call: those of ./scripts/bootstrap tools, or on PATH."""

import os
from pathlib import Path

import pytest

from fairlead.checks.cache import Memory
from fairlead.checks.programs import Programs

ROOT = Path(__file__).parents[1]
BIN = ROOT / ".lab/tools/bin"
PLANTED = ROOT / "tests/planted"
VERSIONS = Memory()


def programs(root: Path) -> Programs:
    """What a tree's tools are found by here: ours on PATH; each says its version only once."""
    environ = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    return Programs(root, environ=environ, memory=VERSIONS)


def needs(name: str) -> None:
    """Skip the test where the program is not installed."""
    if programs(ROOT).find(name) is None:
        pytest.skip(f"{name} is not installed: ./scripts/bootstrap tools")
