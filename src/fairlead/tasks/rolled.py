"""Plan or carry out: what `deploy` and `rollback` share."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairlead.rollout.outcome import Outcome
    from fairlead.rollout.plan import Plan
    from fairlead.rollout.session import Session
    from fairlead.rollout.situation import Situation
    from fairlead.tasks.run import Run


def roll(run: "Run", session: "Session", situation: "Situation", plan: "Plan", doing: str) -> None:
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
    outcome = carry_out(session, situation, plan, doing)
    run.reporter.result(_payload(session, outcome), _summary(session, outcome, doing))


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


def _summary(session: "Session", outcome: "Outcome", doing: str) -> list[str]:
    environment = session.environment
    before = f" (was {', '.join(outcome.previous)})" if outcome.previous else ""
    verb = doing.split()[0]
    took = sum(outcome.seconds.values())
    live = f"{environment.app} {environment.name}: {outcome.release} is live{before}"
    lines = [f"{live}, after {took:.1f} s"]
    width = max(len(name) for name in outcome.digests)
    lines += [f"  {name:<{width}}  {digest}" for name, digest in outcome.digests.items()]
    if outcome.bypass:
        lines.append(f"  {outcome.bypass}")
    if environment.url:
        lines.append(f"  {environment.url}")
    revertible = verb == "deploy" and bool(outcome.previous)
    back = "inv rollback --quick" if revertible else "inv status"
    default = f" --env={environment.name}"
    lines.append(f"next: {back}{default}" + (" takes it back" if revertible else ""))
    return lines
