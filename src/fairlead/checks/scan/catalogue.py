"""Which scanners there are, and which of them a tree calls for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fairlead.checks.gates import KINDS, OF_IMAGES
from fairlead.checks.licence import Licences
from fairlead.checks.lint.radon import Radon
from fairlead.checks.naming import expanded, family, refuse_unknown
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
from fairlead.checks.scan.sources import MANIFESTS, NPM_LOCKS
from fairlead.checks.scan.stage import STAGE
from fairlead.checks.scan.syft import Syft, sbom_files, stem_of
from fairlead.checks.scan.trivy import OTHERS, TrivyConfig, TrivyImage, TrivyPackages
from fairlead.checks.scan.trufflehog import Trufflehog
from fairlead.checks.tool import Tool
from fairlead.checks.tree import Tree
from fairlead.config.scan import Scan
from fairlead.errors import UsageError

NEXT = "inv scan --plan  (what would run here, and why)"


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
    tools = (*on_tree, *on_image)
    listed = () if image else settings.tools  # an image calls for scanners of its own
    asked = expanded(only, KINDS, tools, tree, listed) if only else settings.tools
    known = {*(tool.name for tool in tools), *NAMES}
    refuse_unknown(asked, known, "scanner", shown=NAMES, next_step=NEXT)
    why = "--only" if only else "[scan] tools"
    declared = only or asked
    return (
        *(_asked(on_tree, asked, why, on_image, tree) if declared else _called_for(on_tree, tree)),
        *_for_image(on_image, asked, image, strict=bool(only)),
    )


def _called_for(tools: Iterable[Tool], tree: Tree) -> Iterator[Chosen]:
    """Those that files of the tree call for."""
    for tool in tools:
        if why := tool.applies(tree):
            yield Chosen(tool, why)


def _asked(
    tools: Iterable[Tool], asked: Sequence[str], why: str, on_image: Sequence[Tool], tree: Tree
) -> Iterator[Chosen]:
    """Those that are asked for. One that is asked to look at an image need not look at a tree that
    does not call for it."""
    also_image = set(map(family, on_image))
    for tool in tools:
        named = tool.name in asked or family(tool) in asked
        if named and (family(tool) not in also_image or tool.applies(tree)):
            yield Chosen(tool, why)


def _for_image(
    tools: Sequence[Tool], asked: Sequence[str], image: str, strict: bool
) -> Iterator[Chosen]:
    """Those of the image that are asked for, else the usual ones: an image is never passed over.

    strict: refuse instead, for a person named scanners and none of them can do it.
    """
    named = [tool for tool in tools if tool.name in asked or family(tool) in asked]
    if tools and strict and not named:
        raise UsageError(
            f"none of {', '.join(asked)} scans images",
            why=[f"scanners of images: {', '.join(map(family, tools))}"],
            state="nothing was run",
            next_step="name one of them in --only, or leave --only out",
        )
    usual = [tool for tool in tools if family(tool) != "grype"]  # trivy does the same
    yield from (Chosen(tool, f"--image={image}") for tool in named or usual)


def unread(scanners: Iterable[Chosen], tree: Tree) -> tuple[str, ...]:
    """The files that name dependencies, and that none of the scanners looks up.

    A pyproject.toml is read where a file beside it that says more is.
    """
    read: set[str] = set()
    for tool in (one.tool for one in scanners if _looks_up(one.tool)):
        read |= set(tree.matching(*OTHERS) if family(tool) in OF_IMAGES else tool.examines(tree))
    folders = {file.rpartition("/")[0] for file in read}
    left = (file for file in tree.matching(*MANIFESTS) if file not in read)
    return tuple(
        file
        for file in left
        if not file.endswith("pyproject.toml")
        or (file.rpartition("/")[0] not in folders and _asks_for_packages(tree.root / file))
    )


def _looks_up(tool: Tool) -> bool:
    """Whether it looks up what is known of packages of the tree."""
    return family(tool) in KINDS["dependencies"] and not tool.name.endswith((":config", ":image"))


def _asks_for_packages(project: Path) -> bool:
    return b"dependencies" in project.read_bytes()


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


def _npm_audits(tree: Tree) -> Iterable[Tool]:
    """One for each folder with a lock file; one that will say so where there is none."""
    locks = tree.matching(*NPM_LOCKS)
    for path in locks:
        folder, _, lock = path.rpartition("/")
        yield NpmAudit(folder, lock, f"npm-audit:{folder}" if folder else "npm-audit")
    if not locks:
        yield NpmAudit()
