"""Start: what every command costs before it does anything."""

import tempfile
from pathlib import Path

from figures import Figure, Measure, Target, alternate
from processes import PYTHON, ROOT, program, timed

BARE = "inv --list, empty tasks.py"


def measure(runs: int | None, host: str) -> Measure:
    with tempfile.TemporaryDirectory() as name:
        empty = Path(name)
        (empty / "tasks.py").write_text("")
        work = {
            "fairlead --list": timed([program("fairlead"), "--list"]),
            "inv --list, our tasks.py": timed([program("inv"), "--list"], ROOT),
            BARE: timed([program("inv"), "--list"], empty, code=1),  # it has no tasks
            "python -c pass": timed([PYTHON, "-c", "pass"]),
        }
        seconds = alternate(runs or 21, work)
    roles = ("ours", "ours", "peer", "limit")
    return Measure(
        "start",
        "start of the program, whole process",
        tuple(Figure(n, s, r) for (n, s), r in zip(seconds.items(), roles, strict=True)),
        (Target("fairlead --list", 1.25, BARE), Target("inv --list, our tasks.py", 1.25, BARE)),
    )
