"""pip-licenses: the licences of installed Python packages."""

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from fairlead.checks.licence import Licences
from fairlead.checks.lint.settings import pyproject
from fairlead.checks.scan.judging import NEVER, counted, found, not_run
from fairlead.checks.scan.sources import PYTHON_PROJECT
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict
from fairlead.model import Command
from fairlead.transport.local import Ran


@dataclass(frozen=True)
class PipLicenses(Tool):
    """Reads the project's .venv, else the environment that is activated, else the one that runs us
    if the project is installed there: of any other it would tell nothing about the project."""

    licences: Licences = field(default_factory=Licences)

    name = "pip-licenses"
    install = "pip install pip-licenses"
    needs_files = False
    lasts = NEVER  # what is installed changes with no file of the tree, and it is quick

    def applies(self, tree: Tree) -> str:
        python = tree.matching(*PYTHON_PROJECT)
        return "[scan.licenses] and " + python[0] if self.licences and python else ""

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return tree.matching(*PYTHON_PROJECT)

    def command(self, tree: Tree) -> Command:
        python = _python(tree) or sys.executable  # which is not judged then
        return Command(("pip-licenses", "--format=json", "--python", python))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        packages = json.loads(ran.out)
        if not self.licences:
            return not_run(self.name, "nothing to judge by: declare [scan.licenses]")
        if not packages:
            return not_run(self.name, "nothing is installed")
        judged = [
            self.licences.judged(self.name, one["Name"], one["Version"], one["License"])
            for one in packages
        ]
        if not _python(tree):
            why = "the project is installed in no environment: python -m venv .venv, and install it"
            return not_run(self.name, why)
        return found(self.name, [one for one in judged if one], counted(len(packages), "package"))


def _python(tree: Tree) -> str:
    """The interpreter of the project's environment; empty where none is known to be that."""
    activated = Path(os.environ.get("VIRTUAL_ENV") or "/nonexistent")
    for own in (tree.root / ".venv", activated):
        if (own / "bin/python").exists():
            return str(own / "bin/python")
    project = pyproject(tree, "project.name")
    return sys.executable if isinstance(project, str) and _is_installed(project) else ""


def _is_installed(project: str) -> bool:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        distribution(project)
    except (PackageNotFoundError, ValueError):
        return False
    return True
