"""inv backups.…"""

from fairlead.tasks.run import Run
from fairlead.tasks.verb import verb


@verb(name="list", mutates=False)
def list_(run: Run) -> None:
    """List the backups on each host, and the release each one holds"""
    from fairlead.commands import host
    from fairlead.model import Step
    from fairlead.tasks.scope import session

    with session(run) as opened:
        if run.options.plan:
            words = {name: (host.observe(),) for name in opened.fleet.hosts}
            run.reporter.plan([Step("observe", "look at the hosts", words)], {})
            return
        rows = [
            (name, backup.stamp, backup.release, backup.sequence)
            for name, state in opened.fleet.observe().items()
            for backup in state.backups
        ]
        columns = ("host", "backup", "release", "taken before deploy")
        run.reporter.table(f"Backups in {opened.environment.name}", columns, rows)
        run.reporter.result({"outcome": "listed", "backups": sorted({row[1] for row in rows})})
