"""Which settings a project has for a tool: files of its own, or tables in shared ones."""

import re
import tomllib
from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as ParserError
from typing import Any

from fairlead.checks.tree import Tree

PYPROJECT = "pyproject.toml"
SHARED = ("setup.cfg", "tox.ini")


def asked_in(tree: Tree, *files: str, table: str = "", section: str = "") -> str:
    """Where the root of the tree configures a tool: `.flake8`, `pyproject.toml has [tool.black]`.

    files: names of its own. table: dotted, of pyproject.toml. section: of setup.cfg and tox.ini.
    Empty when nothing does.
    """
    there = set(tree.all.files)
    own = next((name for name in files if name in there), "")
    if own:
        return own
    if table and pyproject(tree, table) is not None:
        return f"{PYPROJECT} has [{table}]"
    shared = (name for name in SHARED if section and name in there)
    return next((f"{name} has [{section}]" for name in shared if _has(tree, name, section)), "")


def pyproject(tree: Tree, table: str) -> Any:
    """A table of pyproject.toml; None when it is not there or the file cannot be read."""
    if PYPROJECT not in tree.all.files:
        return None
    try:
        value: Any = tomllib.loads((tree.root / PYPROJECT).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    for part in table.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def section(tree: Tree, file: str, name: str) -> Mapping[str, str]:
    """A section of a file in the style of setup.cfg; empty when it is not there or unreadable."""
    parser = ConfigParser(interpolation=None)
    try:
        parser.read(tree.root / file, "utf-8")
    except (ParserError, OSError, UnicodeError):
        return {}
    return parser[name] if parser.has_section(name) else {}


def _has(tree: Tree, name: str, section: str) -> bool:
    try:
        text = (tree.root / name).read_text("utf-8")
    except (OSError, UnicodeError):
        return False
    return bool(re.search(rf"^\[{re.escape(section)}[]:]", text, re.MULTILINE))
