"""Plan or carry out: what `deploy` and `rollback` share."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairlead.cli.run import Run
    from fairlead.rollout.journal import Run as Unfinished
    from fairlead.rollout.outcome import Outcome
    from fairlead.rollout.plan import Plan
    from fairlead.rollout.session import Session
    from fairlead.rollout.situation import Situation


def roll(
    run: "Run",
    session: "Session",
    situation: "Situation",
    plan: "Plan",
    doing: str,
    resumed: "Unfinished | None" = None,
) -> None:
    """Show the plan with --plan; else carry it out and tell what came of it."""
    from fairlead.rollout.outcome import carry_out

    if run.options.plan:
        steps = (*plan.steps, *plan.tidy)
        run.reporter.plan(steps, plan.header, plan.notes, verbose=run.options.verbose)
        run.reporter.result({"outcome": "planned", "release": situation.target.release})
        return
    for note in plan.notes:
        from fairlead.events import Notice

        run.reporter.event(Notice(note))
    live = ", ".join(sorted({s.live_release or "nothing" for s in situation.observed.values()}))
    asked = f"{doing[0].upper()}{doing[1:]} in {session.environment.name}"
    run.approve(f"{asked} (live now: {live})?")
    outcome = carry_out(session, situation, plan, doing, resumed)
    summary = _summary(session, outcome, _next(situation, outcome, doing))
    run.reporter.result(_payload(session, outcome), summary)


def resumed(run: "Run", tag: str, wait: float) -> None:
    """`deploy --resume`: finish what was left unfinished."""
    from fairlead.cli.scope import session
    from fairlead.errors import UsageError
    from fairlead.rollout.patience import patiently
    from fairlead.rollout.resume import plan_resume

    if tag or run.options.service:
        raise UsageError(
            "--resume finishes what was begun, so it takes no --tag and no --service",
            state="nothing was changed",
            next_step="inv deploy --resume",
        )
    with session(run) as opened:

        def attempt() -> None:
            situation, plan, unfinished = plan_resume(opened)
            doing = unfinished.doing if unfinished else f"deploy {situation.target.tag}"
            roll(run, opened, situation, plan, doing, unfinished)

        patiently(opened, wait, attempt, mutates=not run.options.plan)


def taken_back(run: "Run", session: "Session", *, any_: bool) -> bool:
    """Undo a run that was left unfinished, if there is one; whether there was.

    any_: also one that changed nothing that serves, and is no obstacle.
    """
    from fairlead.rollout.outcome import take_back
    from fairlead.rollout.undo import plan_undo

    found = plan_undo(session, any_=any_)
    if found is None:
        return False
    situation, plan, unfinished = found
    if run.options.plan:
        run.reporter.plan(plan.steps, plan.header, plan.notes, verbose=run.options.verbose)
        run.reporter.result({"outcome": "planned", "release": situation.target.release})
        return True
    run.approve(f"Take back `{unfinished.doing}` in {session.environment.name}?")
    outcome = take_back(session, situation, plan, unfinished)
    status = f"inv status --env={session.environment.name}"
    run.reporter.result(_payload(session, outcome), _summary(session, outcome, status))
    return True


def waits(run: "Run", lock_wait: str) -> float:
    """The seconds of --lock-wait. Raises UsageError when it is no duration."""
    from fairlead.config.kinds import duration
    from fairlead.errors import UsageError

    try:
        return duration(lock_wait) if lock_wait else 0.0
    except ValueError as error:
        raise UsageError(
            f"--lock-wait={lock_wait}: {error}",
            state="nothing was changed",
            next_step="--lock-wait=15m, or 30s",
        ) from error


def _payload(session: "Session", outcome: "Outcome") -> dict[str, object]:
    return {
        "outcome": "done",
        "release": outcome.release,
        "previous": list(outcome.previous),
        "digests": dict(outcome.digests),
        "hosts": dict(outcome.hosts),
        "url": session.environment.url,
        "seconds": {name: round(value, 3) for name, value in outcome.seconds.items()},
        "round_trips": outcome.round_trips,
        "warnings": list(outcome.warnings),
        "bypass": outcome.bypass,
    }


def _next(situation: "Situation", outcome: "Outcome", doing: str) -> str:
    """The next command: after a deploy the way back, where there is one."""
    from fairlead.rollout.rollback import without_way_back

    name = situation.environment.name
    if doing.split()[0] != "deploy" or not outcome.previous:
        return f"inv status --env={name}"
    new = without_way_back(situation.observed)
    if not new:
        return f"inv rollback --quick --env={name} takes it back"
    others = ",".join(sorted(set(situation.observed) - set(new)))
    return (
        f"inv rollback --quick --env={name} --hosts={others} takes it back, but not on "
        f"{', '.join(new)}, "
        "where no older release is"
    )


def _summary(session: "Session", outcome: "Outcome", next_step: str) -> list[str]:
    environment = session.environment
    before = f" (was {', '.join(outcome.previous)})" if outcome.previous else ""
    took = sum(outcome.seconds.values())
    live = f"{environment.app} {environment.name}: {outcome.release} is live{before}"
    lines = [f"{live}, after {took:.1f} s"]
    width = max((len(name) for name in outcome.digests), default=0)
    lines += [f"  {name:<{width}}  {digest}" for name, digest in outcome.digests.items()]
    if outcome.bypass:
        lines.append(f"  {outcome.bypass}")
    if environment.url:
        lines.append(f"  {environment.url}")
    lines.append(f"next: {next_step}")
    return lines
