"""Who was at work on the hosts, and when: by the journals, with the times of their files."""

import itertools
import threading
from dataclasses import dataclass

from tests.lab.hosts import Host
from tests.lab.project import Project

EVERY = 3.0  # seconds; a host keeps twenty runs, so none is missed
# RUN, when it had the lock (its header), and when its last sign was written; only runs with a step.
TOLD = (
    "cd {base}/journal 2>/dev/null || exit 0; for run in */; do run=${{run%/}};"
    ' ls -d "$run"/[0-9]* >/dev/null 2>&1 || continue;'
    ' echo "$run $(stat -c %.Y "$run/header")'
    ' $(find "$run" -type f -printf "%T@\\n" | sort -n | tail -1)"; done'
)


@dataclass(frozen=True)
class Turn:
    """One run at work on one host, from its lock to its last sign (this machine's clock, s)."""

    run: str
    host: str
    began: float
    ended: float


class Turns:
    """The turns on an application's hosts, collected as long as the block lasts."""

    def __init__(self, app: Project) -> None:
        self._app = app
        self._seen: dict[tuple[str, str], Turn] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._collect, daemon=True)

    def __enter__(self) -> "Turns":
        self._before = {key for host in self._app.hosts for key in self._read(host)}
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._stop.set()
        self._thread.join()
        self._look()

    def one_at_a_time(self) -> int:
        """No run had begun on any host before the one before it was over on all; how many runs."""
        whole: dict[str, tuple[float, float]] = {}
        for turn in self._seen.values():
            began, ended = whole.get(turn.run, (turn.began, turn.ended))
            whole[turn.run] = (min(began, turn.began), max(ended, turn.ended))
        ordered = sorted(whole.items(), key=lambda one: one[1])
        for (run, (_, ended)), (later, (began, _)) in itertools.pairwise(ordered):
            assert ended <= began, f"{later} began {ended - began:.3f} s before {run} had ended"
        return len(ordered)

    def _collect(self) -> None:
        while not self._stop.wait(EVERY):
            self._look()

    def _look(self) -> None:
        for host in self._app.hosts:
            found = self._read(host)
            self._seen |= {key: turn for key, turn in found.items() if key not in self._before}

    def _read(self, host: Host) -> dict[tuple[str, str], Turn]:
        out = host.must(TOLD.format(base=self._app.base))
        rows = [line.split() for line in out.splitlines()]
        return {
            (host.name, run): Turn(run, host.name, float(began), float(ended))
            for run, began, ended in (row for row in rows if len(row) == 3)
        }
