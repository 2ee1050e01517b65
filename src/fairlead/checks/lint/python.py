"""What the Python linters have in common: the files, and who is asked when nobody is named."""

from fairlead.checks.lint.settings import asked_in
from fairlead.checks.tree import Tree

PYTHON = ("*.py", "*.pyi")


def sources(tree: Tree) -> tuple[str, ...]:
    """The Python files of the tree."""
    return tree.matching(*PYTHON)


def ruff_settings(tree: Tree) -> str:
    """Where ruff is configured."""
    return asked_in(tree, "ruff.toml", ".ruff.toml", table="tool.ruff")


def black_settings(tree: Tree) -> str:
    """Where black is configured."""
    return asked_in(tree, table="tool.black")


def other_linter(tree: Tree) -> str:
    """Where flake8 or pylint is configured."""
    return flake8_settings(tree) or pylint_settings(tree)


def flake8_settings(tree: Tree) -> str:
    """Where flake8 is configured."""
    return asked_in(tree, ".flake8", section="flake8")


def pylint_settings(tree: Tree) -> str:
    """Where pylint is configured."""
    return asked_in(tree, ".pylintrc", "pylintrc", table="tool.pylint", section="pylint")
