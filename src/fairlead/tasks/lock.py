"""inv lock.…"""

from fairlead.tasks.run import Run
from fairlead.tasks.verb import verb


@verb(name="status", mutates=False)
def status_(run: Run) -> int:
    """Tell who holds the lock on each host; exit code 3 when somebody does"""
    from fairlead.commands import host
    from fairlead.errors import LockHeld
    from fairlead.model import Step
    from fairlead.tasks.scope import session

    with session(run) as opened:
        if run.options.plan:
            words = {name: (host.observe(),) for name in opened.fleet.hosts}
            run.reporter.plan([Step("observe", "look at the hosts", words)], {})
            return 0
        rows: list[tuple[object, ...]] = []
        held = False
        for name, state in opened.fleet.observe().items():
            lock = state.lock
            held = held or bool(lock and not lock.expired)
            rows.append(
                (name, lock.who, lock.since, lock.doing, f"{lock.seconds_left} s")
                if lock
                else (name, "free", None, None, None)
            )
        columns = ("host", "held by", "since", "doing", "lease ends in")
        run.reporter.table(f"Lock of {opened.environment.name}", columns, rows)
        run.reporter.result({"outcome": "held" if held else "free"}, ok=not held)
        return LockHeld.exit_code if held else 0


@verb
def release(run: Run) -> None:
    """Free the lock on every host, whoever holds it"""
    from fairlead.commands import host
    from fairlead.model import Step
    from fairlead.rollout.fleet import all_results
    from fairlead.tasks.scope import session

    with session(run) as opened:
        words = {name: (host.break_lock(),) for name in opened.fleet.hosts}
        if run.options.plan:
            step = Step("lock.release", "free the lock", words)
            run.reporter.plan([step], {}, verbose=run.options.verbose)
            return
        run.confirm(f"Free the lock of {opened.environment.name}, whoever is at work there?")
        freed = []
        for name, result in all_results(opened.fleet.ask(words)).items():
            for line in result.out.splitlines():
                if line.startswith("@held\t"):
                    freed.append(f"{name}: was held by {line.split(chr(9))[1]}")
        run.reporter.result({"outcome": "freed", "hosts": list(words)}, freed or ["it was free"])
