"""The suites of a repository that declares none, from how its folders are named."""

import json
from collections.abc import Iterator
from pathlib import Path

from fairlead.config.suites import Suite

FOLDERS = {
    "unit": ("unit",),
    "integration": ("integration",),
    "http-api": ("http", "api", "http_api"),
    "security": ("security",),
    "property": ("property",),
    "e2e": ("e2e",),
}
"""Suite → the folders of tests/ that it may live in."""

QUICK = ("unit", "property")
ALONGSIDE = ("unit", "property", "js")
"""Suites that by their nature share nothing with others: they may run beside them."""


def detect(root: Path) -> tuple[Suite, ...]:
    """tests/unit, tests/integration, … as suites of those names, or tests/ as `tests`; and `js`."""
    python = tuple(_by_folder(root))
    if not python and (root / "tests").is_dir():
        python = (Suite("tests", path="tests", quick=True),)
    return (*python, *_js(root))


def _by_folder(root: Path) -> Iterator[Suite]:
    for name, folders in FOLDERS.items():
        for folder in folders:
            if any((root / "tests" / folder).rglob("*.py")):
                path = f"tests/{folder}"
                yield Suite(name, path=path, quick=name in QUICK, parallel=name in ALONGSIDE)
                break


def _js(root: Path) -> Iterator[Suite]:
    """`npm test`, unless it is the one that npm itself writes to say that there is none."""
    try:
        script = json.loads((root / "package.json").read_text("utf-8"))["scripts"]["test"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if "no test specified" not in str(script):
        env = {"CI": "true"}  # Jest and Vitest would watch files otherwise
        yield Suite("js", command=("npm", "test"), env=env, parallel=True, coverage=False)
