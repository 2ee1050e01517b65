"""A backup apart from any deploy: `backups.take`."""

from dataclasses import replace

from fairlead.errors import PreconditionError
from fairlead.rollout import manifest, preconditions
from fairlead.rollout.backups.take import backup_step, new_stamp
from fairlead.rollout.observed import Observed
from fairlead.rollout.plan import Plan, in_order
from fairlead.rollout.session import Session
from fairlead.rollout.situation import Situation
from fairlead.rollout.target import Target


def plan_backup(session: Session) -> tuple[Situation, Plan]:
    """The plan that backs up what is live and its data; nothing that serves is touched.

    Raises PreconditionError when nothing is live, LockHeld when somebody is at work.
    """
    observed = session.fleet.observe()
    preconditions.check_lock(observed)
    preconditions.check_hosts(session.environment, observed)
    target = replace(nothing_new(observed), stamp=new_stamp(observed), dump=True)
    situation = Situation(session.environment, observed, target, session.layout)
    plan = Plan(
        in_order(backup_step(situation)),
        header={"environment": session.environment.name, "live now": target.release},
        audit={"backup": target.stamp},
    )
    return situation, plan


def nothing_new(observed: Observed) -> Target:
    """The release that is live, as a target that changes nothing on any host."""
    for state in observed.values():
        kept = state.kept(state.live_release) if state.live_release else None
        if kept:
            images = manifest.images(kept.manifest)
            return Target(kept.id, kept.sequence, kept.tag, images, {})
    raise PreconditionError(
        "nothing is live here, so there is nothing to back up",
        state="nothing was changed",
        next_step="inv status",
    )
