"""Exit codes with which a struck deploy may end: docs/reference/exit-codes.md, case by case."""

from dataclasses import dataclass

from tests.faults.phases import AFTER, BEFORE, OVER

Codes = tuple[int, ...]


@dataclass(frozen=True)
class Ends:
    """By how far it was: not begun yet, before the switch, after it, looking again, all done.

    The last phase before the switch may be over before the fault has struck.
    """

    look: Codes = (0,)
    before: Codes = (0,)
    after: Codes = (0,)
    verify: Codes = (0,)
    tidy: Codes = (0,)

    def of(self, phase: str) -> Codes:
        if phase in OVER:
            return {"verify": self.verify, "tidy": self.tidy}[phase]
        if phase in AFTER:
            return self.after
        if phase == BEFORE[-1]:
            return (*self.before, *self.after)
        return self.before if phase in BEFORE else self.look


DONE = Ends()  # it waits, asks again, and is done
CUT = Ends(look=(0, 1))  # a first connection that does not come about is not tried again
FAILS = Ends((0, 1), (0, 1), (0, 5))  # or fails: never touched, or every host is back
KILLED = Ends((-9,), (-9,), (-9,), (-9,), (-9,))
