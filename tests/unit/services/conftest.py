"""A repository of four services, which a test changes where it wants."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from git_repository import Repo

SERVICES = [
    {"name": "api", "path": "services/api", "depends_on": ["lib"]},
    {"name": "web", "path": "services/web", "depends_on": ["api"]},
    {"name": "jobs", "path": "services/jobs"},
    {"name": "lib", "path": "libs/lib"},
]


@pytest.fixture
def repo(tmp_path: Path) -> Callable[..., Repo]:
    """Make a repository with these services, one file each, and one commit."""

    def make(services: object = SERVICES, **more: object) -> Repo:
        made = Repo(tmp_path / "repository")
        made.root.mkdir()
        made.git("init", "-q", "-b", "main")
        body = {"services": services, **more}
        made.write("services.json", json.dumps(body, indent=1))
        for one in services:
            made.write(f"{one['path']}/code.py")
        made.write("README.md")
        made.commit()
        return made

    return make
