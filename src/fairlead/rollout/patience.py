"""`--lock-wait`: whoever finds the environment locked waits for it, and tells for whom."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from fairlead.errors import LockHeld, PreconditionError
from fairlead.events import HostProgress, Listener, PhaseFinished, PhaseStarted
from fairlead.rollout.fleet import Fleet
from fairlead.rollout.lock import holders

T = TypeVar("T")

SHORTEST, LONGEST = 0.5, 5.0  # s between two looks, each longer than the one before
STEP = "lock-wait"


class ChangedMeanwhile(PreconditionError):
    """Somebody else changed the hosts between the plan and the lock."""


class LockLost(LockHeld):
    """The lock was ours and is another's by now; waiting and repeating would undo their work."""


def patiently(fleet: Fleet, listen: Listener, seconds: float, attempt: Callable[[], T]) -> T:
    """What `attempt` returns, once it is not refused because others are at work.

    It is tried again as often as the lock gets free, with a plan of its own each time, until
    `seconds` are over; then its refusal is raised. Pauses are random, so that of many who wait not
    all come back at once.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except (LockHeld, ChangedMeanwhile) as refusal:
            if isinstance(refusal, LockLost) or time.monotonic() >= deadline:
                raise
            _wait(fleet, listen, deadline, refusal)


def _wait(
    fleet: Fleet, listen: Listener, deadline: float, refusal: LockHeld | ChangedMeanwhile
) -> None:
    """Until no host is locked any more, or it is too late."""
    began = time.monotonic()
    listen(PhaseStarted(STEP, f"wait: {refusal.what}", fleet.hosts))
    pause = SHORTEST
    while time.monotonic() < deadline:
        left = deadline - time.monotonic()
        time.sleep(min(left, pause * random.uniform(0.5, 1.5)))  # noqa: S311 (jitter)
        held = [(name, lock) for name, lock in holders(fleet).items() if lock and not lock.expired]
        if not held:
            break
        name, lock = held[0]
        waited = int(time.monotonic() - began)
        listen(HostProgress(STEP, name, "seconds", waited, 0, f"{lock.who}: {lock.doing}"))
        pause = min(pause * 1.5, LONGEST)
    listen(PhaseFinished(STEP, True, time.monotonic() - began))
