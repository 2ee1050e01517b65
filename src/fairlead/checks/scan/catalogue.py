"""Which scanners there are, and which of them a tree calls for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from fairlead.checks.gates import KINDS
from fairlead.checks.licence import Licences
from fairlead.checks.lint.radon import Radon
from fairlead.checks.scan.bandit import Bandit
from fairlead.checks.scan.checkov import Checkov
from fairlead.checks.scan.detect_secrets import DetectSecrets
from fairlead.checks.scan.gitleaks import Gitleaks
from fairlead.checks.scan.grype import Grype
from fairlead.checks.scan.licensecheck import Licensecheck
from fairlead.checks.scan.npm_audit import NpmAudit
from fairlead.checks.scan.pip_audit import PipAudit
from fairlead.checks.scan.pip_licenses import PipLicenses
from fairlead.checks.scan.safety import Safety
from fairlead.checks.scan.semgrep import Semgrep
from fairlead.checks.scan.sources import NPM_LOCKS
from fairlead.checks.scan.stage import STAGE
from fairlead.checks.scan.syft import Syft, sbom_files, stem_of
from fairlead.checks.scan.trivy import TrivyConfig, TrivyImage, TrivyPackages
from fairlead.checks.scan.trufflehog import Trufflehog
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.config.scan import Scan
from fairlead.errors import UsageError


@dataclass(frozen=True)
class Chosen:
    """A scanner that will run, and why."""

    tool: Tool
    why: str


def chosen(
    settings: Scan, tree: Tree, *, complexity: int, only: Sequence[str] = (), image: str = ""
) -> tuple[Chosen, ...]:
    """The scanners that run: those of `only`, else of `[scan] tools`, else what the tree calls for.

    only: names of scanners, or of KINDS. An image is scanned beside the tree. complexity: of a
    function that is still fine. Raises UsageError for a name that is no scanner's.
    """
    on_tree = _of_tree(settings, tree, complexity)
    on_image = _of_image(settings, tree.root, image) if image else ()
    asked = _expanded(only, on_tree, tree) or settings.tools
    if not asked:
        called = (Chosen(tool, tool.applies(tree)) for tool in on_tree)
        defaults = (Chosen(tool, f"--image={image}") for tool in on_image if _is_default(tool))
        return (*(one for one in called if one.why), *defaults)
    _refuse_unknown(asked, {*(tool.name for tool in (*on_tree, *on_image)), *NAMES})
    why = "--only" if only else "[scan] tools"
    return tuple(
        Chosen(tool, why)
        for tool in (*on_tree, *on_image)
        if {tool.name, family(tool)} & set(asked)
    )


def _expanded(only: Sequence[str], tools: Iterable[Tool], tree: Tree) -> tuple[str, ...]:
    """The names of scanners; a kind stands for those of it that the tree calls for."""
    kinds = {one for name in only for one in KINDS.get(name, ())}
    called_for = [family(one) for one in tools if family(one) in kinds and one.applies(tree)]
    return (*(name for name in only if name not in KINDS), *called_for)


def family(tool: Tool) -> str:
    """The scanner's name without what it is pointed at: `trivy` of `trivy:image`."""
    return tool.name.partition(":")[0]


NAMES = (
    "bandit", "semgrep", "pip-audit", "safety", "npm-audit", "gitleaks", "trufflehog",
    "detect-secrets", "trivy", "grype", "checkov", "pip-licenses", "licensecheck", "radon", "syft",
)  # fmt: skip


def _of_tree(settings: Scan, tree: Tree, complexity: int) -> tuple[Tool, ...]:
    licences = Licences(settings.licenses.allow, settings.licenses.deny)
    return (
        Bandit(),
        Semgrep(settings.semgrep),
        PipAudit(settings.osv_url),
        Safety(),
        *_npm_audits(tree),
        Gitleaks(STAGE),
        Trufflehog(STAGE),
        DetectSecrets(),
        TrivyPackages(STAGE, settings.trivy),
        TrivyConfig(STAGE),
        Grype(f"dir:{STAGE}"),
        Checkov(STAGE),
        PipLicenses(licences),
        Licensecheck(licences),
        Radon(complexity),
        Syft(f"dir:{STAGE}", sbom_files(tree.root, "tree")),
    )


def _of_image(settings: Scan, root: Path, image: str) -> tuple[Tool, ...]:
    return (
        TrivyImage(image, settings.trivy),
        Grype(image, "grype:image"),
        Syft(image, sbom_files(root, stem_of(image)), "syft:image"),
    )


def _is_default(tool: Tool) -> bool:
    """Of two scanners for the same thing one is enough unless both are asked for."""
    return family(tool) != "grype"


def _npm_audits(tree: Tree) -> Iterable[Tool]:
    """One for each folder with a lock file; one that will say so where there is none."""
    locks = tree.matching(*NPM_LOCKS)
    for path in locks:
        folder, _, lock = path.rpartition("/")
        yield NpmAudit(folder, lock, f"npm-audit:{folder}" if folder else "npm-audit")
    if not locks:
        yield NpmAudit()


def _refuse_unknown(asked: Iterable[str], known: set[str]) -> None:
    for name in asked:
        if name in known:
            continue
        near = get_close_matches(name, sorted(known), 1)
        raise UsageError(
            f"there is no scanner {name!r}" + (f"; did you mean {near[0]}?" if near else ""),
            why=[f"scanners: {', '.join(NAMES)}"],
            state="nothing was run",
            next_step="inv scan --plan  (what would run here, and why)",
        )
