"""Where a command's time went, told by the events of its --json output."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

BEFORE = "before the first step"
AFTER = "after the last"


def phases(lines: Sequence[Mapping[str, Any]], started: float, ended: float) -> dict[str, float]:
    """Seconds of each step in order, and of what lies before, between and after them.

    lines: the JSON lines of one run. started, ended: of the process, as time.time() tells.
    """
    spans: dict[str, float] = {}
    last, begun = started, started
    for line in lines:
        at = datetime.fromisoformat(line["time"]).timestamp() if "time" in line else last
        if line["type"] == "phase-started":
            gap = BEFORE if not spans else "between"
            spans[gap] = spans.get(gap, 0.0) + at - last
            begun = at
        elif line["type"] == "phase-finished":
            spans[line["step"]] = at - begun
            last = at
    spans[AFTER] = ended - last
    between = spans.pop("between", 0.0)
    return {**spans, "between steps": between}
