"""Does every module of the project's packages import, in an interpreter that knows nothing yet?"""

import json
from pathlib import Path
from typing import Any

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.lint.packages import Package, packages
from fairlead.checks.lint.parsing import inside
from fairlead.checks.lint.python import sources
from fairlead.checks.lint.settings import PYPROJECT, asked_in
from fairlead.checks.sweep import failed
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict, concluded
from fairlead.model import Command
from fairlead.transport.local import Ran

SCRIPT = Path(__file__).with_name("import_each.py")


class Imports(Tool):
    """One interpreter for each package, the project's own; see import_each.py.

    Looks at the whole tree if any Python of it is looked at: what changed breaks its importers.
    """

    name = "imports"
    install = "make the project's environment: python -m venv .venv"
    settings = (PYPROJECT, "setup.py", "setup.cfg")

    def applies(self, tree: Tree) -> str:
        project = asked_in(tree, "setup.py", table="project", section="metadata")
        names = ", ".join(one.name for one in packages(tree.all))
        return f"{project}, and there is {names}" if project and names else ""

    def examines(self, tree: Tree) -> tuple[str, ...]:
        """Python of the whole tree, and what else is in the packages: a module may read it."""
        folders = tuple(f"{one.base}/{one.name}/".removeprefix("./") for one in packages(tree.all))
        if not sources(tree) or not folders:
            return ()
        inside = (file for file in tree.all.files if file.startswith(folders))
        return tuple(sorted({*sources(tree.all), *inside}))

    def command(self, tree: Tree) -> Command:
        told = json.dumps([_described(one) for one in packages(tree.all)])
        argv = ("python", "-I", "-B", str(SCRIPT))
        return Command(argv, stdin=told.encode(), stdin_note="the modules' names")

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        if ran.code:
            return failed(self.name, ran)
        said = json.loads(ran.out)
        findings: dict[object, Finding] = {}
        for one in said["failed"]:  # what fails in one module fails in all that import it
            cause = (one["path"], one["line"], one["message"]) if one["path"] else one["module"]
            findings.setdefault(cause, self._finding(tree, one))
        return concluded(self.name, findings.values(), int(said["modules"]), "module")

    def _finding(self, tree: Tree, raw: dict[str, Any]) -> Finding:
        return Finding(
            self.name,
            raw["error"],
            Severity.HIGH,
            f"{raw['module']} cannot be imported: {raw['message']}",
            inside(tree, raw["path"]) if raw["path"] else "",
            raw["line"],
        )


def _described(package: Package) -> dict[str, Any]:
    return {"base": package.base, "name": package.name, "modules": package.modules()}
