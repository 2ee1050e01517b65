"""inv status"""

from fairlead.cli.run import Run
from fairlead.cli.verb import verb


@verb(refuses={"service": "it shows all that a host serves"}, mutates=False)
def status(run: Run) -> int | None:
    """Show what is live on each host, what stands by, who holds the lock

    Example: `inv status --env=production`
    """
    from fairlead.cli.scope import session
    from fairlead.errors import FairleadError
    from fairlead.model import Step
    from fairlead.rollout.status import describe, overall

    with session(run) as opened:
        if run.options.plan:
            from fairlead.commands import host

            words = {name: (host.observe(),) for name in opened.fleet.hosts}
            run.reporter.plan([Step("observe", "look at the hosts", words)], {})
            return None
        seen = opened.fleet.look()
        rows, notes = describe(opened.environment, seen)
        columns = ("host", "serves", "slot", "containers", "idle slot", "lock")
        title = f"{opened.environment.app} {opened.environment.name}"
        run.reporter.table(title, columns, rows, notes)
        verdict = overall(seen)
        for error in seen.values():
            if isinstance(error, FairleadError):
                run.reporter.error(error)
        run.reporter.result(verdict.payload, [verdict.sentence], ok=verdict.exit_code == 0)
        return verdict.exit_code
