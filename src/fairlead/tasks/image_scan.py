"""What `build` has scanned of an image before it is recorded: the scanners of `scan --image`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from fairlead.errors import FairleadError

if TYPE_CHECKING:
    from fairlead.checks.scan.scanning import Scanned
    from fairlead.tasks.run import Run


class ScanFailed(FairleadError):
    """An image has what `[scan]` does not let pass; it is neither recorded nor pushed."""

    kind = "scan"


def image_scan(run: "Run") -> Callable[[str, str], str]:
    """A function of (name in the local engine, digest) that gives "passed" or why not run.

    Its verdicts go on record for the gate `image`. It raises ScanFailed with the findings. One
    image is scanned at a time: scanners share their files.
    """
    from threading import Lock

    lock = Lock()

    def scan_one(name: str, digest: str) -> str:
        with lock:
            return _judged(_scanned(run, name, digest), digest)

    return scan_one


def _scanned(run: "Run", name: str, digest: str) -> "Scanned":
    import datetime

    from fairlead.checks.cache import Memory
    from fairlead.checks.programs import Programs
    from fairlead.checks.scan.catalogue import chosen
    from fairlead.checks.scan.scanning import Means, scan
    from fairlead.checks.tree import read_tree
    from fairlead.config.exclusions import load_exclusions
    from fairlead.tasks.recording import put_on_record

    repository = run.repository()
    root, settings = repository.root, repository.scan
    tree = read_tree(root).without(settings.exclude)
    called = chosen(settings, tree, complexity=repository.lint.complexity, image=name)
    tools = [one.tool for one in called if one.tool.name.endswith(":image")]
    means = Means(Programs(root, memory=Memory(root)), None, lambda event: None)
    today = datetime.datetime.now(datetime.UTC).date()
    found = scan(tools, tree, settings, load_exclusions(root), today, means)
    put_on_record(run, "scan-image", found.on_record, image=digest)
    return found


def _judged(found: "Scanned", digest: str) -> str:
    if found.failing:
        listed = [str(fault.finding.message) for fault in found.failing[:10]]
        raise ScanFailed(
            f"the scan of image {digest[:19]} has {len(found.failing)} findings that are "
            f"{found.fail_on} or worse",
            why=listed,
            state="it was built, but neither recorded nor pushed",
            next_step="mend them, or judge them in the exclusions that `inv scan` names",
        )
    silent = [f"{one.tool}: {one.reason}" for one in found.without_answer]
    return f"not run: {'; '.join(silent)}" if silent else "passed"
