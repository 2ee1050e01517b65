"""`--lock-wait`: whoever finds the environment locked waits for it, and tells for whom."""

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeVar

from fairlead.errors import LockHeld, PreconditionError
from fairlead.events import HostProgress, PhaseFinished, PhaseStarted
from fairlead.rollout.lock import holders, our_turn
from fairlead.rollout.session import Session

T = TypeVar("T")

SHORTEST, LONGEST = 0.5, 5.0  # s between two looks, each longer than the one before
STEP = "lock-wait"


class ChangedMeanwhile(PreconditionError):
    """Somebody else changed the hosts between the plan and the lock."""


class LockLost(LockHeld):
    """The lock was ours and is another's by now; waiting and repeating would undo their work."""


def patiently(
    session: Session, seconds: float, attempt: Callable[[], T], *, mutates: bool = True
) -> T:
    """What `attempt` returns, once it is not refused because others are at work.

    It is tried again as often as the lock gets free, with a plan of its own each time, until
    `seconds` are over; then its refusal is raised. Who has waited takes the lock before it plans:
    of many who wait one plans, and none in vain. Unless it `mutates`, nobody is locked out for it.
    """
    deadline = time.monotonic() + seconds
    with ExitStack() as turn:
        while True:
            try:
                return attempt()
            except (LockHeld, ChangedMeanwhile) as refusal:
                if isinstance(refusal, LockLost) or time.monotonic() >= deadline:
                    raise
                turn.close()
                _wait(session, deadline, refusal, turn if mutates else None)


def _wait(
    session: Session,
    deadline: float,
    refusal: LockHeld | ChangedMeanwhile,
    turn: ExitStack | None,
) -> None:
    """Until no host is locked any more, and all are ours for this `turn`, or it is too late."""
    fleet, listen = session.fleet, session.listen
    began = time.monotonic()
    listen(PhaseStarted(STEP, f"wait: {refusal.what}", fleet.hosts))
    pause = SHORTEST
    while time.monotonic() < deadline:
        left = deadline - time.monotonic()
        time.sleep(min(left, pause * random.uniform(0.5, 1.5)))  # noqa: S311 (jitter)
        held = [(name, lock) for name, lock in holders(fleet).items() if lock and not lock.expired]
        if not held and (turn is None or _taken(session, turn)):
            break
        for name, lock in held[:1]:
            waited = int(time.monotonic() - began)
            listen(HostProgress(STEP, name, "seconds", waited, 0, f"{lock.who}: {lock.doing}"))
        pause = min(pause * 1.5, LONGEST)
    listen(PhaseFinished(STEP, True, time.monotonic() - began))


def _taken(session: Session, turn: ExitStack) -> bool:
    """Take the lock for this turn; False when somebody was quicker."""
    try:
        turn.enter_context(our_turn(session.fleet, session.environment.lock_lease))
    except LockHeld:
        return False
    return True
