"""inv lock.…"""

from typing import TYPE_CHECKING

from fairlead.cli.run import Run
from fairlead.cli.verb import verb

if TYPE_CHECKING:
    from fairlead.rollout.observed import LockHolder


@verb(refuses={"service": "a lock is for a whole environment"}, name="status", mutates=False)
def status_(run: Run) -> int:
    """Show who holds the lock on each host; exit code 3 when somebody does

    Example: `inv lock.status --env=production`
    """
    from fairlead.cli.scope import session
    from fairlead.errors import LockHeld
    from fairlead.model import Step
    from fairlead.rollout.lock import holders, looking

    with session(run) as opened:
        if run.options.plan:
            step = Step("lock.status", "ask who holds the lock", looking(opened.fleet))
            run.reporter.plan([step], {})
            return 0
        rows: list[tuple[object, ...]] = []
        held = False
        for name, lock in holders(opened.fleet).items():
            held = held or bool(lock and not lock.expired)
            rows.append(
                (name, lock.who, lock.since, lock.doing, _left(lock), lock.token)
                if lock
                else (name, "free", None, None, None, None)
            )
        columns = ("host", "held by", "since", "doing", "lease ends in", "token")
        run.reporter.table(f"Lock of {opened.environment.name}", columns, rows)
        run.reporter.result({"outcome": "held" if held else "free"}, ok=not held)
        return LockHeld.exit_code if held else 0


def _left(lock: "LockHolder") -> str:
    return "until it ends" if lock.released else f"{lock.seconds_left} s"


@verb(
    refuses={"service": "a lock is for a whole environment"},
    help={
        "token": "Only the lock with this token, as lock.status shows it",
        "force": "Whoever holds it, for this reason; it is audited",
    },
)
def release(run: Run, token: str = "", force: str = "") -> None:
    """Free the lock of somebody who is gone: the one with a token, or whoever's with a reason

    Example: `inv lock.release --env=production --force="Ada left for good"`
    """
    from fairlead.cli.scope import session
    from fairlead.errors import UsageError
    from fairlead.model import Step
    from fairlead.rollout.lock import breaking, freed

    if bool(token) == bool(force.strip()):
        raise UsageError(
            'lock.release needs either --token=<of lock.status> or --force="reason"',
            state="nothing was changed",
            next_step="inv lock.status",
        )
    with session(run) as opened:
        words = breaking(opened.fleet, force.strip() or "released by its token", token)
        if run.options.plan:
            step = Step("lock.release", "free the lock", words)
            run.reporter.plan([step], {}, verbose=run.options.verbose)
            return
        run.confirm(f"Free the lock of {opened.environment.name}, whoever is at work there?")
        told = freed(opened.fleet, words)
        run.reporter.result({"outcome": "freed", "hosts": list(words)}, told or ["it was free"])
