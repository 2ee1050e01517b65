"""licensecheck: the licences of the Python packages that a project asks for."""

from dataclasses import dataclass, field

from fairlead.checks.licence import Licences
from fairlead.checks.scan.judging import (
    A_WHILE,
    counted,
    found,
    json_in,
    listed,
    not_run,
    unreachable,
)
from fairlead.checks.scan.sources import REQUIREMENTS
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict
from fairlead.model import Command
from fairlead.transport.local import Ran

OWN = ("licensecheck.toml", "licensecheck.json", "licensecheck.ini")


@dataclass(frozen=True)
class Licensecheck(Tool):
    """Resolves requirements files, else pyproject.toml, and asks the package index.

    With [scan.licenses] those lists judge; without, it does, against the project's own licence.
    """

    licences: Licences = field(default_factory=Licences)

    name = "licensecheck"
    install = "pip install licensecheck"
    settings = (*OWN, "pyproject.toml")
    lasts = A_WHILE  # it asks the package index
    asks_version = ("--help",)  # it tells its version nowhere else than in its report

    def applies(self, tree: Tree) -> str:
        if own := tree.matching(*OWN):
            return own[0]
        project = tree.root / "pyproject.toml"
        steered = "pyproject.toml" in tree.files and b"[tool.licensecheck]" in project.read_bytes()
        return "pyproject.toml has [tool.licensecheck]" if steered else ""

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return tree.matching(*REQUIREMENTS) or tree.only(["pyproject.toml"]).files

    def command(self, tree: Tree) -> Command:
        files = ("--requirements-paths", *self.examines(tree))
        return Command(("licensecheck", "--format", "json", *files))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        if "{" not in ran.out and (why := unreachable(ran.err)):
            return not_run(self.name, f"no data: the package index cannot be asked ({why})")
        packages = json_in(ran.out)["packages"]
        told = [one for one in packages if _is_known(one["license"])]
        if not told:
            names = listed([one["name"] for one in packages])
            return not_run(self.name, f"it learnt no licence{': ' + names if names else ''}")
        mixes = Licences(deny=("*",))
        judged = (
            (self.licences or mixes).judged(
                self.name,
                one["name"].lower(),
                one["version"],
                one["license"] if one in told else "",
            )
            for one in (packages if self.licences else told)
            if self.licences or not one["licenseCompat"]
        )
        left = [one["name"].lower() for one in packages if one not in told]
        reason = f"no licence known of {listed(left)}" if left else ""
        findings = [one for one in judged if one]
        return found(self.name, findings, counted(len(told), "package"), reason)


def _is_known(licence: str) -> bool:
    """Its `errorCode` does not tell: it is 1 for packages whose licence it did learn."""
    return bool(licence) and not licence.upper().startswith(("UNKNOWN", "NO LICENSE"))
