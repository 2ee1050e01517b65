"""How far a suite is, from the lines that it prints."""

import re

from fairlead.events import HostOutput, HostProgress, Listener

SHARE = re.compile(r"\[ *(\d+)%\]$")


class Progress:
    """Called with each line: pytest ends some with `[ 42%]`. verbose: passes every line on.

    Tells of each tenth of the way, and not of the end: that is told with what came of it.
    """

    def __init__(self, step: str, suite: str, listener: Listener, *, verbose: bool) -> None:
        self._step = step
        self._suite = suite
        self._listener = listener
        self._verbose = verbose
        self._tenths = 0

    def __call__(self, line: str) -> None:
        if self._verbose:
            self._listener(HostOutput(self._step, self._suite, line))
        elif found := SHARE.search(line.rstrip()):
            tenths = int(found[1]) // 10
            if self._tenths < tenths < 10:
                self._tenths = tenths
                what, note = "tests", f"{found[1]} %"
                self._listener(HostProgress(self._step, self._suite, what, 0, 0, note))
