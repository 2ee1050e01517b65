"""Which linters run on a tree, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from fairlead.checks.lint.actionlint import Actionlint, NodeActionlint
from fairlead.checks.lint.black import Black
from fairlead.checks.lint.eslint import Eslint
from fairlead.checks.lint.fixer import Fixer
from fairlead.checks.lint.flake8 import Flake8
from fairlead.checks.lint.hadolint import Hadolint
from fairlead.checks.lint.imports import Imports
from fairlead.checks.lint.isort import Isort
from fairlead.checks.lint.mypy import Mypy
from fairlead.checks.lint.pylint import Pylint
from fairlead.checks.lint.radon import Radon
from fairlead.checks.lint.ruff import Ruff, RuffFormat
from fairlead.checks.lint.shellcheck import Shellcheck
from fairlead.checks.lint.yamllint import Yamllint
from fairlead.checks.naming import expanded, refuse_unknown
from fairlead.checks.programs import Programs
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree

NEXT = "inv lint --plan  (those that this repository calls for)"
KINDS = {
    "format": ("isort", "black", "ruff-format"),
    "types": ("mypy",),
    "yaml": ("yamllint",),
}
"""Names that stand for several linters: of these, those that are declared, else those that the
tree calls for."""


@dataclass(frozen=True)
class Choice:
    """tools: those that run. why: of each. absent: those that would run if they were installed."""

    tools: tuple[Tool, ...]
    why: dict[str, str]
    absent: tuple[Tool, ...] = ()

    @property
    def left_out(self) -> tuple[str, ...]:
        """What could run too, why, and what it takes."""
        return tuple(f"{one.name} ({self.why[one.name]}): {one.install}" for one in self.absent)

    def fixers(self, tree: Tree) -> tuple[Fixer, ...]:
        """Those that can fix files of the tree, in the order in which it is safe."""
        able = (tool for tool in self.tools if isinstance(tool, Fixer))
        return tuple(tool for tool in able if tool.examines(tree))


def linters(complexity: int) -> dict[str, Tool]:
    """The adapters by name. complexity: the highest of a function that is no finding.

    Those that fix come first, in the order in which that is safe: what removes and sorts imports
    before what lays out the lines.
    """
    tools: Sequence[Tool] = (
        Ruff(),
        Isort(),
        Black(),
        RuffFormat(),
        Eslint(),
        Flake8(),
        Mypy(),
        Pylint(),
        Radon(complexity),
        Imports(),
        Yamllint(),
        Hadolint(),
        Shellcheck(),
        Actionlint(),
        NodeActionlint(),
    )
    return {tool.name: tool for tool in tools}


def choose(
    tree: Tree,
    programs: Programs,
    *,
    declared: Sequence[str] = (),
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    complexity: int = 10,
) -> Choice:
    """The linters for a tree: `only`, else those declared, else what the tree calls for; without
    those of `skip`.

    only, skip: names of linters, or of KINDS. Of a narrowed tree those are left out that none of
    its files concerns. Raises UsageError for a name that there is no linter of.
    """
    known = linters(complexity)
    refuse = partial(refuse_unknown, what="linter", shown=(*known,), next_step=NEXT)
    refuse(declared, known, where="deploy/fairlead.toml: [lint] tools")
    refuse(only, {*known, *KINDS}, where="--only")
    refuse(skip, {*known, *KINDS}, where="--skip")
    named = expanded(only, KINDS, known.values(), tree, declared) if only else declared
    skipped = {one for name in skip for one in KINDS.get(name, (name,))}
    why = {
        name: ("named by --only" if only else "[lint] tools") if named else tool.applies(tree)
        for name, tool in known.items()
        if name not in skipped and (name in named or not (only or named))
    }
    chosen = [known[name] for name, reason in why.items() if reason]
    if tree.narrowed:
        chosen = [tool for tool in chosen if tool.examines(tree)]
    absent = [] if only or named else [tool for tool in chosen if _absent(tool, tree, programs)]
    return Choice(tuple(tool for tool in chosen if tool not in absent), why, tuple(absent))


def _absent(tool: Tool, tree: Tree, programs: Programs) -> bool:
    if not tool.optional(tree):
        return False
    return programs.find(tool.command(tree).argv[0], tool.folder(tree)) is None
