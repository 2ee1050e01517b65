"""Images that are scanned: the one of `scan --image`, and what `build` made, before it counts."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from fairlead.errors import FairleadError

if TYPE_CHECKING:
    from fairlead.checks.scan.scanning import Scanned
    from fairlead.cli.run import Run
    from fairlead.images.identity import Identity
    from fairlead.images.registry import Registry


class ScanFailed(FairleadError):
    """An image has what `[scan]` does not let pass; it is neither recorded nor pushed."""

    kind = "scan"


def image_scan(run: "Run", commit: str) -> Callable[[str, str], str]:
    """A function of (name in the local engine, digest) that gives "passed" or why not run.

    Raises ConfigError at once for exclusions that cannot be read: no image is built in vain.

    commit: what the images are built from, as their label says it. Verdicts go on record for the
    gate `image`. ScanFailed is raised with the findings. One image is scanned at a time: scanners
    share their files.
    """
    from threading import Lock

    from fairlead.config.exclusions import load_exclusions
    from fairlead.images.identity import Identity

    lock = Lock()
    load_exclusions(run.repository().root)

    def scan_one(name: str, digest: str) -> str:
        with lock:
            return _judged(_scanned(run, Identity(name, digest, commit)), name)

    return scan_one


def _scanned(run: "Run", image: "Identity") -> "Scanned":
    import datetime

    from fairlead.checks.cache import Memory
    from fairlead.checks.programs import Programs
    from fairlead.checks.scan.catalogue import chosen
    from fairlead.checks.scan.scanning import Means, scan
    from fairlead.checks.tree import read_tree
    from fairlead.config.exclusions import load_exclusions
    from fairlead.tasks.shared.recording import put_image_on_record
    from fairlead.tasks.shared.scanned import is_of_image

    repository = run.repository()
    root, settings = repository.root, repository.scan
    tree = read_tree(root).without(settings.exclude)
    called = chosen(settings, tree, complexity=repository.lint.complexity, image=image.reference)
    tools = [one.tool for one in called if is_of_image(one.tool.name)]
    means = Means(Programs(root, memory=Memory(root)), None, lambda event: None)
    today = datetime.datetime.now(datetime.UTC).date()
    found = scan(tools, tree, settings, load_exclusions(root), today, means)
    put_image_on_record(run, found.on_record, image, until=found.until)
    return found


def _judged(found: "Scanned", name: str) -> str:
    from fairlead.checks.scan.judging import counted

    if found.failing:
        listed = [str(fault.finding.message) for fault in found.failing[:10]]
        raise ScanFailed(
            f"the scan of image {name} has {counted(len(found.failing), 'finding')} of "
            f"severity {found.fail_on} or worse",
            why=listed,
            state="it was built, but neither recorded nor pushed",
            next_step="fix them, or judge them in the exclusions that `inv scan` names",
        )
    silent = [f"{one.tool}: {one.reason}" for one in found.without_answer]
    return f"not run: {'; '.join(silent)}" if silent else "passed"


def identified(run: "Run", image: str) -> "Identity":
    """What --image means now. Raises PreconditionError when no engine and no registry has it."""
    import os

    from fairlead.config import find_root
    from fairlead.config.building import load_building
    from fairlead.config.connection import Registry as Settings
    from fairlead.errors import UsageError
    from fairlead.images.identity import identify
    from fairlead.rollout.registries import registry_for

    def registry(server: str) -> "Registry":
        try:
            building = load_building(find_root(run.cwd), run.options.env, os.environ)
        except UsageError:  # no project: what Docker's own login says will do
            return registry_for(Settings(), server)
        run.mask({}, building.registry.password)
        return registry_for(building.registry, server)

    return identify(image, registry)
