"""inv test"""

from fairlead.cli.run import Run
from fairlead.cli.verb import HOSTS, verb


@verb(
    name="test",
    refuses={"hosts": HOSTS},
    mutates=False,
    help={
        "suite": "Only these suites: --suite=unit,integration",
        "quick": "Only the suites that are quick",
        "coverage": "Measure coverage over all suites, and fail below the threshold",
        "threshold": "Percent that must be covered (default: [test] threshold); implies --coverage",
        "python": "Under these Pythons, each in an environment made by uv: --python=3.11,3.12",
        "shard": "Only one of several parts that take equally long: --shard=1/4",
        "merge": "Run nothing: put the shards of this commit together that are on record",
    },
)
def run_tests(
    run: Run,
    suite: tuple[str, ...] = (),
    quick: bool = False,
    coverage: bool = False,
    threshold: str = "",
    python: tuple[str, ...] = (),
    shard: str = "",
    merge: bool = False,
) -> None:
    """Run the test suites, into one table; words after `--` go to pytest"""
    import os

    from fairlead.checks.suites import request as requests
    from fairlead.checks.suites.session import Suites
    from fairlead.model import Secret
    from fairlead.tasks.shared import joined, tested
    from fairlead.tasks.shared.recording import head, put_on_record
    from fairlead.tasks.shared.service_tests import suites_of_services

    repository = suites_of_services(run) if run.options.service else run.repository()
    if repository is None:
        run.reporter.result({"outcome": "unchanged"}, ["nothing to test: no service changed"])
        return
    limit = tested.threshold(threshold, repository.test.threshold)
    if merge:
        _refuse_beside_merge(suite, quick, python, shard, run.remainder, run.options.service)
        joined.merge(run, coverage or bool(threshold), limit)
        return
    request = requests.request(
        repository,
        suites=suite,
        quick=quick,
        covered=coverage or bool(threshold),
        versions=python,
        shard=shard,
        arguments=run.remainder,
        verbose=run.options.verbose,
    )
    if not request.suites:
        run.reporter.result({"outcome": "nothing-to-do"}, ["nothing to test: no suite is quick"])
        return
    if run.options.plan:
        run.reporter.plan(requests.plan(request), {}, verbose=run.options.verbose)
        return
    requests.check_terminal(request, run.options.json)
    services = repository.test.services.values()
    for env in (*(one.env for one in request.suites), *(one.env for one in services)):
        run.mask({name: Secret(value) for name, value in env.items()})
    before = head(run)
    part = shard if request.only_divided and not run.options.service else ""
    session = Suites(request, run.reporter.event, os.environ, run.redact).run()
    put_on_record(
        run,
        "test",
        [result.verdict for result in session.results],
        before,
        partial=request.partial or not request.whole or bool(run.options.service),
        coverage=session.coverage.percent if session.coverage else None,
        shard=part,
    )
    if part and before.commit and session.coverage and not session.coverage.reason:
        joined.keep_coverage(run, before.commit, part)
    tested.tell(run, request, session, limit)


def _refuse_beside_merge(*asked: object) -> None:
    from fairlead.errors import UsageError

    if any(asked):
        raise UsageError(
            "--merge runs no tests: nothing else is chosen beside it",
            state="nothing was run",
            next_step="inv test --merge, with --coverage or --threshold",
        )
