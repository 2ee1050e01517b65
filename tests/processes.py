"""What became of a process, seen from outside."""

import time
from pathlib import Path


def has_ended(process: int) -> bool:
    """Whether a process is gone, or only waits for its parent to notice; waited for a minute."""
    for _ in range(1200):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):  # the latter while it is taken away
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False
