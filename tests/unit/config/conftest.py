"""A small project on disk, which a test changes where it wants."""

from collections.abc import Callable
from pathlib import Path

import pytest
from small_project import BASE, STAGING

from fairlead.config import Environment, load


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """Write a project: the files named, over those of a good one."""

    def write(base: str = BASE, staging: str = STAGING, **files: str) -> Path:
        contents = {
            "deploy/fairlead.toml": base,
            "deploy/staging.toml": staging,
            "compose.yaml": "services: {}\n",
            **files,
        }
        for name, text in contents.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def loaded(project: Callable[..., Path]) -> Callable[..., Environment]:
    """Load the environment staging of such a project."""

    def read(environ: dict[str, str] | None = None, **files: str) -> Environment:
        return load(project(**files), "staging", environ or {})

    return read
