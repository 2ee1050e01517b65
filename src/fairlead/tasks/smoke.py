"""inv smoke"""

import os

from fairlead.cli.run import Run
from fairlead.cli.verb import verb


@verb(refuses={"service": "the checks of [[smoke]] are about the whole release"}, mutates=False)
def smoke(run: Run) -> None:
    """Ask the live release what it must answer, from here and from its hosts

    Example: `inv smoke --env=production`
    """
    from fairlead.cli.scope import narrowed, session
    from fairlead.rollout.smoking import smoke_client, smoke_hosts, smoke_plan

    test_url = _test_url(os.environ.get("TEST_URL", ""))
    environment = narrowed(run.environment(), run.options.hosts)
    url, only_url = test_url or environment.url, bool(test_url)
    if run.options.plan:
        steps = smoke_plan(environment, url, only_url)
        run.reporter.plan(steps, {"url": url}, verbose=run.options.verbose)
        return
    results = smoke_client(environment, url)
    if not only_url:
        with session(run) as opened:
            results += smoke_hosts(opened)
    rows = [(r.check, r.source, r.outcome, f"{r.seconds:.3f} s", r.why) for r in results]
    run.reporter.table("Smoke checks", ("check", "asked", "outcome", "time", "why"), rows)
    bad = [r for r in results if r.outcome != "passed"]
    passed = len(results) - len(bad)
    text = f"{passed} of {len(results)} checks passed" if results else "no smoke checks: not run"
    run.reporter.result(
        {"outcome": "failed" if bad or not results else "passed", "passed": passed, "url": url},
        [text],
        ok=not bad and bool(results),
    )


def _test_url(given: str) -> str:
    """TEST_URL as it was given. Raises UsageError when nothing can be asked there."""
    from urllib.parse import urlsplit

    from fairlead.errors import UsageError

    try:
        parts = urlsplit(given)
        usable = not given or (parts.scheme in ("http", "https") and bool(parts.hostname))
        _ = parts.port
    except ValueError:
        usable = False
    if usable:
        return given
    raise UsageError(
        "TEST_URL is no URL that can be asked",  # it may hold a password: not shown
        state="nothing was asked",
        next_step="TEST_URL=https://staging.example.com inv smoke",
    )
