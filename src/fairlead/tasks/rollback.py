"""inv rollback"""

from typing import TYPE_CHECKING

from fairlead.cli.run import Run
from fairlead.cli.verb import verb

if TYPE_CHECKING:
    from fairlead.rollout.session import Session


@verb(
    refuses={"service": "a release is rolled back whole"},
    help={
        "quick": "Go to the last proven release before the live one",
        "to": "Go to this release, tag or backup (timestamp)",
        "with_data": "Restore its data, too, from the backup that belongs to it",
        "list": "Show what there is to go back to",
        "lock_wait": "Wait up to this long for another's lock, e.g. 15m (default: do not wait)",
    },
)
def rollback(
    run: Run,
    quick: bool = False,
    to: str = "",
    with_data: bool = False,
    list: bool = False,
    lock_wait: str = "",
) -> None:
    """Go back to an older release: its images, its env, its compose file

    Without a flag: takes back a deploy that was left unfinished. Migrations are not run backwards.

    Example: `inv rollback --quick --env=production`
    """
    from fairlead.cli.scope import session
    from fairlead.config import validate_release_reference
    from fairlead.errors import UsageError
    from fairlead.rollout.patience import patiently
    from fairlead.rollout.rollback import plan_rollback
    from fairlead.tasks.shared.rolled import roll, taken_back, waits

    unclear = UsageError(
        "rollback needs exactly one of --quick, --to=<timestamp, release or tag> and --list, "
        "unless a deploy was left unfinished",
        state="nothing was changed",
        next_step="inv rollback --list",
    )
    if sum((quick, bool(to), list)) > 1:
        raise unclear
    wait = waits(run, lock_wait)
    if to:
        validate_release_reference(to)
    with session(run) as opened:
        if list:
            _show(run, opened)
            return

        def attempt() -> None:
            if not to and not with_data and taken_back(run, opened, any_=not quick):
                return
            if not to and not quick:
                raise unclear
            situation, plan = plan_rollback(opened, to, with_data=with_data)
            roll(run, opened, situation, plan, f"rollback to {situation.target.release}")

        patiently(opened, wait, attempt, mutates=not run.options.plan)


def _show(run: Run, opened: "Session") -> None:
    from fairlead.rollout.rollback import candidates

    found = candidates(opened.fleet.observe())
    rows = [
        (c.release, c.tag, c.status, "live" if c.live else "", c.created, " ".join(c.stamps))
        for c in found
    ]
    columns = ("release", "tag", "status", "live", "created", "backups")
    name = opened.environment.name
    run.reporter.table(f"Releases kept in {name}", columns, rows)
    run.reporter.result({"outcome": "listed", "releases": [c.release for c in found]})
