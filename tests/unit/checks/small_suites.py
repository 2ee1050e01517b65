"""Small repositories with suites that end in every way a suite can end."""

import os
import textwrap
from pathlib import Path
from typing import Any

from fairlead.checks.suites.request import request
from fairlead.checks.suites.result import Result
from fairlead.checks.suites.session import Session, Suites
from fairlead.config import load_repository
from fairlead.events import Event


def write(root: Path, files: dict[str, str]) -> Path:
    """The files under root; a repository of their own, whatever is around it."""
    (root / "deploy").mkdir(exist_ok=True)
    (root / "deploy/fairlead.toml").touch()
    (root / "pytest.ini").write_text("[pytest]\n")
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text))
    return root


def run(root: Path, events: list[Event] | None = None, **asked: Any) -> Session:
    """Run the suites of a repository as `inv test` does, with its real pytest."""
    told: list[Event] = [] if events is None else events
    wanted = request(load_repository(root, {}), **asked)
    clean = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    clean["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # a quicker start
    return Suites(wanted, told.append, clean).run()


def result_of(root: Path, test: str, config: str = "", **asked: Any) -> Result:
    """What came of one suite `unit` that consists of this test file."""
    declared = f'[test.suites.unit]\npath = "tests/unit"\n{config}'
    write(root, {"tests/unit/test_it.py": test, "deploy/fairlead.toml": declared})
    (result,) = run(root, **asked).results
    return result
