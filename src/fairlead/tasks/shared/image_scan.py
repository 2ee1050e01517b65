"""Images that are scanned: the one of `scan --image`, and what `build` made, before it counts."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from fairlead.errors import FairleadError

if TYPE_CHECKING:
    from fairlead.checks.scan.scanning import Scanned
    from fairlead.checks.verdict import Verdict
    from fairlead.cli.run import Run
    from fairlead.images.identity import Identity
    from fairlead.images.registry import Registry


PASSED = "passed"


class ScanFailed(FairleadError):
    """An image has what `[scan]` does not let pass; it is neither recorded nor pushed."""

    kind = "scan"


def image_scan(run: "Run", commit: str) -> Callable[[Sequence[str], str], str]:
    """A function of (names in the local engine, digest) that gives "passed" or why not run.

    The names are those of the images that the digest means, one a platform; it passed when each
    did. What goes on record of a tool is the worst it said of any.

    Raises ConfigError at once for exclusions that cannot be read: no image is built in vain.

    commit: what the images are built from, as their label says it. Verdicts go on record for the
    gate `image`. ScanFailed is raised with the findings. One image is scanned at a time: scanners
    share their files.
    """
    from threading import Lock

    from fairlead.config.exclusions import load_exclusions
    from fairlead.images.identity import Identity
    from fairlead.tasks.shared.recording import put_image_on_record

    lock = Lock()
    load_exclusions(run.repository().root)

    def scan_all(names: Sequence[str], digest: str) -> str:
        with lock:
            found = [_scanned(run, name) for name in names]
        days = [one.until for one in found if one.until]
        image = Identity(names[0], digest, commit)
        put_image_on_record(run, _worst(found), image, until=min(days, default=""))
        said = [_judged(one, name) for one, name in zip(found, names, strict=True)]
        return next((one for one in said if one != PASSED), PASSED)

    return scan_all


def _worst(found: "Iterable[Scanned]") -> "list[Verdict]":
    """One verdict a tool, of the image about which it said the worst."""
    from fairlead.checks.verdict import Outcome

    order = (Outcome.PASSED, Outcome.NOT_RUN, Outcome.ERROR, Outcome.FINDINGS)
    worst: dict[str, Verdict] = {}
    for verdict in (verdict for one in found for verdict in one.on_record):
        before = worst.setdefault(verdict.tool, verdict)
        if order.index(verdict.outcome) > order.index(before.outcome):
            worst[verdict.tool] = verdict
    return list(worst.values())


def _scanned(run: "Run", reference: str) -> "Scanned":
    import datetime

    from fairlead.checks.cache import Memory
    from fairlead.checks.programs import Programs
    from fairlead.checks.scan.catalogue import chosen
    from fairlead.checks.scan.scanning import Means, scan
    from fairlead.checks.tree import read_tree
    from fairlead.config.exclusions import load_exclusions
    from fairlead.tasks.shared.scanned import is_of_image

    repository = run.repository()
    root, settings = repository.root, repository.scan
    tree = read_tree(root).without(settings.exclude)
    called = chosen(settings, tree, complexity=repository.lint.complexity, image=reference)
    tools = [one.tool for one in called if is_of_image(one.tool.name)]
    means = Means(Programs(root, memory=Memory(root)), None, lambda event: None)
    today = datetime.datetime.now(datetime.UTC).date()
    return scan(tools, tree, settings, load_exclusions(root), today, means)


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
    return f"not run: {'; '.join(silent)}" if silent else PASSED


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
