"""The last look of a run: what came of it is told by what is seen then, so it is no hasty one."""

import time
from collections.abc import Mapping

from fairlead.errors import FairleadError
from fairlead.rollout.fleet import Fleet
from fairlead.rollout.observed import HostState, Observed

COMES_BACK = 15.0  # seconds; a dockerd that was killed answers after 3 to 5


def last_look(
    fleet: Fleet, before: Observed | None = None
) -> Mapping[str, HostState | FairleadError]:
    """The hosts as they are. One that does not answer, as its engine is just being restarted, is
    given COMES_BACK to do so.

    before: an earlier look, by which this one only asks what runs and which slot is live.
    """
    give_up = time.monotonic() + COMES_BACK
    while True:
        seen = fleet.look(before)
        if not any(isinstance(state, FairleadError) for state in seen.values()):
            return seen
        if time.monotonic() > give_up:
            return seen
        time.sleep(1.0)
