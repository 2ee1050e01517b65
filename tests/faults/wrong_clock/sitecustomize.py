"""On PYTHONPATH, the program reads a clock that is WRONG_BY seconds off; steady clocks stay.

A machine's clock cannot be set in a container, and libfaketime stops Python's timed waits.
"""

import datetime
import os
import time

WRONG_BY = float(os.environ["WRONG_BY"])
right = time.time


class WrongDatetime(datetime.datetime):
    """datetime, `now` of which is off."""

    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(seconds=WRONG_BY)


time.time = lambda: right() + WRONG_BY
datetime.datetime = WrongDatetime
