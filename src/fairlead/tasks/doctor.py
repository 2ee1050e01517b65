"""inv doctor"""

from typing import TYPE_CHECKING

from fairlead.cli.run import Run
from fairlead.cli.verb import verb

if TYPE_CHECKING:
    from fairlead.rollout.checkup import Check


@verb(refuses={"service": "it checks all that is declared"}, mutates=False)
def doctor(run: Run) -> None:
    """Check this machine, the configuration and every host, and show how to fix what is wrong

    Example: `inv doctor --env=staging`
    """
    from fairlead.cli.scope import session
    from fairlead.errors import ConfigError
    from fairlead.rollout import doctor as look

    notes: list[str] = []
    try:
        run.environment(values=True)
        with session(run) as opened:
            about, references = look.project(opened.environment)
            if run.options.plan:
                run.reporter.plan(look.plan(opened, references), {})
                return
            checks = [*look.this_machine(), *about]
            found, notes = look.hosts(opened, references)
            checks += found
    except ConfigError as error:
        checks = [*look.this_machine(), *look.unreadable(error)]
    tell(run, checks, notes)


def tell(run: Run, checks: "list[Check]", notes: list[str]) -> None:
    """One line a check, then each failure with its fix."""
    rows = [(check.name, check.where, check.outcome, check.what) for check in checks]
    run.reporter.table("Check-up", ("check", "where", "outcome", "what"), rows, notes)
    bad = [check for check in checks if check.failed]
    unseen = sum(check.outcome == "not-run" for check in checks)
    good = len(checks) - len(bad) - unseen
    text = f"{good} of {len(checks)} checks passed"
    text += f", {len(bad)} failed" * bool(bad) + f", {unseen} not run" * bool(unseen)
    lines = [f"{check.name} {check.where}: {check.what}\n    {check.fix}" for check in bad]
    payload = {
        "outcome": "passed" if good == len(checks) else "failed",
        "failures": [vars(check) for check in bad],
        "not_run": unseen,
    }
    run.reporter.result(payload, [text, *lines], ok=good == len(checks))
