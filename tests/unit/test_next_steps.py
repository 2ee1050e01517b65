"""Every error that the source raises says what to do next (law 14)."""

import ast
from pathlib import Path

import pytest

import fairlead
from fairlead import errors
from fairlead.errors import FairleadError

HOME = Path(fairlead.__file__).parent

SOURCES = sorted(path for path in HOME.rglob("*.py") if path.name != "errors.py")
KINDS = {
    name
    for name, one in vars(errors).items()
    if isinstance(one, type) and issubclass(one, FairleadError) and name != "ConfigError"
}
"""A ConfigError has a next step of its own."""


def own_kinds(tree: ast.Module) -> set[str]:
    """Errors that a module defines on top of ours and that fill in nothing themselves."""
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id in KINDS for base in node.bases)
        and not any(isinstance(one, ast.FunctionDef) for one in node.body)
    }


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(HOME)))
def test_every_error_says_what_to_do_next(source: Path):
    tree = ast.parse(source.read_text("utf-8"))
    kinds = KINDS | own_kinds(tree)
    silent = [
        f"{source.relative_to(HOME)}:{node.lineno}: {node.func.id}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds
        if not {"next_step", None} & {keyword.arg for keyword in node.keywords}
    ]
    assert silent == []
