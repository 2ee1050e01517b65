"""What `scan` runs and what it leaves: the plan, the scan, its files, its verdict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairlead.checks.scan.catalogue import Chosen
    from fairlead.checks.scan.scanning import Scanned
    from fairlead.checks.tree import Tree
    from fairlead.cli.run import Run
    from fairlead.config.exclusions import Exclusion
    from fairlead.config.local import Repository
    from fairlead.config.scan import Scan
    from fairlead.images.identity import Identity
    from fairlead.transport.git import Head


@dataclass(frozen=True)
class ScanRequest:
    """A scan that was asked for, everything checked before anything runs."""

    repository: "Repository"
    settings: "Scan"
    exclusions: "tuple[Exclusion, ...]"
    tree: "Tree"
    chosen: "tuple[Chosen, ...]"
    only: tuple[str, ...]
    use_cache: bool

    @classmethod
    def of(
        cls,
        run: "Run",
        only: tuple[str, ...],
        image: str | None,
        osv_url: str | None,
        *,
        history: bool,
        no_cache: bool,
    ) -> "ScanRequest":
        """Read the configuration and the tree. Raises ConfigError and UsageError."""
        from fairlead.checks.scan.catalogue import Chosen, chosen
        from fairlead.checks.scan.gitleaks_history import GitleaksHistory, needs_whole_history
        from fairlead.cli.subject import subject
        from fairlead.config.exclusions import load_exclusions

        _refuse(image, osv_url)
        repository = run.repository()
        settings = repository.scan
        if osv_url:
            settings = replace(settings, osv_url=osv_url)
        exclusions = load_exclusions(repository.root)
        tree, _ = subject(run, changed=False, exclude=settings.exclude)
        tools = chosen(
            settings, tree, complexity=repository.lint.complexity, only=only, image=image or ""
        )
        if history:
            needs_whole_history(repository.root)
            tools = (*tools, Chosen(GitleaksHistory(), "--history"))
        return cls(repository, settings, exclusions, tree, tools, only, not no_cache)

    @property
    def is_partial(self) -> bool:
        """Whether something was left out that a gate would ask for."""
        asked_elsewhere = self.settings != self.repository.scan  # --osv-url
        return bool(self.only or self.tree.narrowed or asked_elsewhere)


def _refuse(image: str | None, osv_url: str | None) -> None:
    """Raise UsageError for what cannot be meant: a CI job's variable may be empty."""
    from fairlead.errors import UsageError

    if image is not None and (not image or image.startswith("-")):
        raise UsageError(
            f"--image needs an image, not {image!r}",
            state="nothing was run",
            next_step="--image=registry.example.com/app:v2.5.0",
        )
    if osv_url is not None and not osv_url.startswith(("http://", "https://")):
        raise UsageError(
            f"--osv-url needs an http URL, not {osv_url!r}",
            state="nothing was run",
            next_step="--osv-url=https://osv.example.com, or leave it out",
        )


def is_of_image(scanner: str) -> bool:
    """Whether a scanner, by its name, looks at the image and not at the tree."""
    return scanner.endswith(":image")


def scan_plan(run: "Run", request: ScanRequest) -> None:
    """Tell which scanners would run, and why."""
    from fairlead.checks.naming import family
    from fairlead.checks.scan.catalogue import NAMES

    rows = [
        (one.tool.name, one.why, " ".join(one.tool.command(request.tree).argv[:6]))
        for one in request.chosen
    ]
    called = {family(one.tool) for one in request.chosen}
    left = [name for name in NAMES if name not in called]
    note = f"not called for here (--only names them): {', '.join(left)}"
    run.reporter.table("Scanners", ("scanner", "why", "command"), rows, [note] if left else [])
    run.reporter.result({"outcome": "planned", "scanners": [row[0] for row in rows]})


def scanned(run: "Run", request: ScanRequest, image: "Identity | None" = None) -> None:
    """Scan, leave the files, tell what was found. image: the one of the request."""
    import datetime

    from fairlead.checks.cache import Cache, Memory
    from fairlead.checks.programs import Programs
    from fairlead.checks.scan.scanning import Means, scan
    from fairlead.tasks.shared.recording import head
    from fairlead.tasks.shared.reports import leave

    root, before = request.repository.root, head(run)
    memory = Memory(root)
    cache = Cache(memory) if request.use_cache else None
    means = Means(Programs(root, memory=memory), cache, run.reporter.event)
    tools = [one.tool for one in request.chosen]
    today = datetime.datetime.now(datetime.UTC).date()
    result = scan(tools, request.tree, request.settings, request.exclusions, today, means)
    files = leave(
        run.reporter,
        root,
        "scan",
        result.verdicts,
        result.sifted,
        [*_remarks(result)],
        security=True,
    )
    notes = _record(run, request, result, before, image)
    _tell(run, request, result, files, notes)


def _record(
    run: "Run",
    request: ScanRequest,
    result: "Scanned",
    before: "Head",
    image: "Identity | None",
) -> list[str]:
    """Put on record what was found out about the tree, and about the image; why not, if not."""
    from fairlead.tasks.shared.recording import put_image_on_record, put_on_record

    of_image = [one for one in result.on_record if is_of_image(one.tool)]
    of_tree = [one for one in result.on_record if not is_of_image(one.tool)]
    put_on_record(run, "scan", of_tree, before, partial=request.is_partial, until=result.until)
    if image is None or not of_image:
        return []
    why_not = put_image_on_record(
        run, of_image, image, partial=bool(request.only), until=result.until
    )
    return [f"{image.reference}: {why_not}"] if why_not else []


def _tell(
    run: "Run",
    request: ScanRequest,
    result: "Scanned",
    files: dict[str, str],
    notes: Sequence[str],
) -> None:
    from fairlead.tasks.shared.verdicts import data, table

    every = run.options.verbose or run.options.json
    shown = result.sifted.kept if every else result.failing
    run.reporter.findings([fault.finding for fault in shown])
    run.reporter.table(
        "Scan",
        *table(result.verdicts),
        [*notes, *_notes(result, whole=not request.is_partial), *_unread(request)],
    )
    summary = [_verdict(result), *_remarks(result)]
    summary += [f"  {'  '.join(files.values())}"] if files else []
    payload = {
        "outcome": "nothing-to-do" if result.had_nothing else str(result.outcome),
        "failing": len(result.failing),
        "excluded": len(result.sifted.excluded),
        "tools": [data(verdict) for verdict in result.verdicts],
        "files": files,
    }
    run.reporter.result(payload, summary, ok=result.ok)


def _verdict(result: "Scanned") -> str:
    from fairlead.checks.scan.judging import counted

    failing = len(result.failing)
    milder = len(result.sifted.kept) - failing
    if not result.verdicts:
        return "nothing was scanned: no scanner is called for here"
    if result.had_nothing:
        return "nothing to scan: no scanner takes in any of these files"
    bad = f"{counted(failing, 'finding')} of {result.fail_on} or worse"
    found = bad + f", {milder} milder (-v shows them)" * bool(milder)
    silent = len(result.without_answer)
    return found + (
        f"; {silent} of {len(result.verdicts)} scanners gave no answer" if silent else ""
    )


def _remarks(result: "Scanned") -> Iterator[str]:
    """What a person has to act on, besides the findings."""
    from fairlead.config.exclusions import EXCLUSIONS

    for verdict in result.without_answer:
        yield f"{verdict.tool}: {verdict.outcome}: {verdict.reason}"
    for one in result.sifted.expired:
        yield f"{EXCLUSIONS}: {one.what} expired on {one.expires}; fix it, or judge it anew"
    if result.without_answer:
        yield "[scan] tools in deploy/fairlead.toml names the scanners that are needed here"


def _unread(request: ScanRequest) -> Iterator[str]:
    """What of a whole tree no scanner looked up; that it has no finding says nothing."""
    from fairlead.checks.scan.catalogue import unread
    from fairlead.checks.scan.judging import listed

    if not request.is_partial and (files := unread(request.chosen, request.tree)):
        yield f"dependencies that no scanner looked up: {listed(files)}"


def _notes(result: "Scanned", whole: bool) -> Sequence[str]:
    """whole: every scanner ran, so that an exclusion that covers nothing is known to be idle."""
    from fairlead.config.exclusions import EXCLUSIONS

    unused = [f"{EXCLUSIONS}: {one.what} covers nothing" for one in result.sifted.unused if whole]
    count = len(result.sifted.excluded)
    return [*([f"{count} excluded by {EXCLUSIONS}"] if count else []), *unused]
