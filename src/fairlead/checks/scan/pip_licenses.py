"""pip-licenses: the licences of installed Python packages."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

from fairlead.checks.licence import Licences
from fairlead.checks.scan.judging import counted, found, not_run
from fairlead.checks.scan.sources import PYTHON_PROJECT
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict
from fairlead.model import Command
from fairlead.transport.local import Ran


@dataclass(frozen=True)
class PipLicenses(Tool):
    """Reads the project's .venv, or the environment that runs us where there is none."""

    licences: Licences = field(default_factory=Licences)

    name = "pip-licenses"
    install = "pip install pip-licenses"
    needs_files = False
    lasts = 3600.0  # what is installed may change with no file of the tree

    def applies(self, tree: Tree) -> str:
        python = tree.matching(*PYTHON_PROJECT)
        return "[scan.licenses] and " + python[0] if self.licences and python else ""

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return tree.matching(*PYTHON_PROJECT)

    def command(self, tree: Tree) -> Command:
        own = tree.root / ".venv/bin/python"
        python = own if own.exists() else Path(sys.executable)
        return Command(("pip-licenses", "--format=json", "--python", str(python)))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        packages = json.loads(ran.out)
        if not self.licences:
            return not_run(self.name, "nothing to judge by: declare [scan.licenses]")
        if not packages:
            return not_run(self.name, "nothing is installed")
        judged = (
            self.licences.judged(self.name, one["Name"], one["Version"], one["License"])
            for one in packages
        )
        return found(self.name, [one for one in judged if one], counted(len(packages), "package"))
