"""`inv test --merge`: the shards of a commit that are on record, told and kept as one whole run."""

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairlead.checks.records import Record
    from fairlead.checks.suites.coverage import Coverage
    from fairlead.cli.run import Run

COLUMNS = ("suite", "outcome", "looked at", "reason")


def merge(run: "Run", covered: bool, limit: float) -> None:
    """Put the shards of the commit that is checked out together; nothing is run.

    covered: their coverage, too, held against the limit (per cent). Raises PreconditionError
    where they make no whole.
    """
    from fairlead.checks.records import keep, recorded
    from fairlead.checks.suites.join import joined, shards_of
    from fairlead.events import Notice
    from fairlead.tasks.shared.recording import head, opens_nothing

    if run.options.plan:
        run.reporter.result({"outcome": "planned"}, ["the shards on record would be put together"])
        return
    root, here = run.repository().root, head(run)
    shards = shards_of(recorded(root, here.commit) if here.commit else ())
    measured = _coverage(run, shards) if covered else None
    share = measured.percent if measured else None
    whole = replace(joined(shards), clean=here.clean, coverage=share)
    keep(root, whole)
    if not here.clean and (said := opens_nothing(run, here)):
        run.reporter.event(Notice(said))
    _tell(run, whole, measured, len(shards), limit)


def keep_coverage(run: "Run", commit: str, shard: str) -> None:
    """Lay the coverage data of a shard that has just run beside its record."""
    import shutil

    from fairlead.checks.records import coverage_file
    from fairlead.checks.suites.coverage import combined_file
    from fairlead.events import Notice

    root = run.repository().root
    try:
        shutil.copyfile(combined_file(root), coverage_file(root, commit, shard))
    except OSError as error:
        said = f"the coverage of this shard could not be kept: {error}"
        run.reporter.event(Notice(said, "warning"))


def _coverage(run: "Run", shards: "tuple[Record, ...]") -> "Coverage":
    from fairlead.checks.folder import own_folder
    from fairlead.checks.records import coverage_file
    from fairlead.checks.suites import matrix
    from fairlead.checks.suites.coverage import Coverage, combine_files

    repository = run.repository()
    files = [coverage_file(repository.root, one.commit, one.shard) for one in shards]
    if missing := [one.shard for one, file in zip(shards, files, strict=True) if not file.exists()]:
        return Coverage(reason=f"shards without --coverage: {', '.join(missing)}")
    tests = repository.test
    python = matrix.present(repository.root, tests.interpreter).python
    reports = own_folder(repository.root, "reports")
    return combine_files(repository.root, python, tests.source, files, reports)


def _tell(
    run: "Run", whole: "Record", measured: "Coverage | None", count: int, limit: float
) -> None:
    from fairlead.checks.suites.join import ORDER
    from fairlead.checks.verdict import Outcome
    from fairlead.tasks.shared import tested

    rows = [(one.tool, one.outcome, one.looked_at, one.reason or None) for one in whole.entries]
    run.reporter.table("Tests", COLUMNS, rows)
    outcomes = {one.outcome for one in whole.entries}
    passed = outcomes == {Outcome.PASSED}
    lines = [f"{count} shards of {whole.commit[:12]} put together"]
    payload: dict[str, object] = {
        "suites": [{"suite": one.tool, "outcome": one.outcome} for one in whole.entries],
        "whole": True,
    }
    if measured is not None:
        if not measured.reason:
            tested.show_files(run, measured)
        lines.append(tested.coverage_sentence(measured, limit))
        payload["coverage"] = tested.coverage_data(measured, limit)
        passed = passed and measured.reaches(limit)
    worst = next((one for one in ORDER if one in outcomes), Outcome.FINDINGS)
    payload["outcome"] = "passed" if passed else str(worst)
    run.reporter.result(payload, lines, ok=passed)
