"""Removing backups that the rules no longer keep."""

from fairlead.commands import backup as phrases
from fairlead.model import Step
from fairlead.rollout import preconditions
from fairlead.rollout.backups.now import nothing_new
from fairlead.rollout.backups.retention import Doomed, doomed
from fairlead.rollout.observed import Observed
from fairlead.rollout.outcome import carry_out
from fairlead.rollout.plan import Plan, in_order, step
from fairlead.rollout.session import Session
from fairlead.rollout.situation import Situation


def plan_prune(session: Session) -> tuple[Situation, Plan]:
    """The plan that removes what the rules no longer keep; its notes say what and why."""
    environment = session.environment
    observed = session.fleet.observe()
    preconditions.check_lock(observed)
    found = {
        name: doomed(state, environment.backup, environment.keep_releases)
        for name, state in observed.items()
    }
    situation = Situation(environment, observed, nothing_new(observed), session.layout)
    notes = tuple(
        f"{name}: {one.stamp}: {one.reason}" for name, some in found.items() for one in some
    )
    header = {"environment": environment.name, "kept": _kept(observed, found)}
    return situation, Plan(in_order(_remove(found)), notes=notes, header=header)


def prune_now(session: Session, situation: Situation, plan: Plan) -> None:
    """Carry it out, under the lock. Raises LockHeld, DeployFailed."""
    carry_out(session, situation, plan, "prune")


def _remove(found: dict[str, tuple[Doomed, ...]]) -> Step | None:
    commands = {
        name: (phrases.remove(*(one.stamp for one in some)),)
        for name, some in found.items()
        if some
    }
    return step("prune", "remove backups that are kept no longer", commands)


def _kept(observed: Observed, found: dict[str, tuple[Doomed, ...]]) -> str:
    counts = (
        f"{name} {len([b for b in state.backups if b.dumps]) - len(found[name])}"
        for name, state in observed.items()
    )
    return ", ".join(counts) + " with data"
