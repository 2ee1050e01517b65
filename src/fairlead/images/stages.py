"""BuildKit's plain progress, line by line, as stages of a build."""

import re
from collections import deque
from dataclasses import dataclass, field

from fairlead.events import HostProgress

_STEP = re.compile(r"#(\d+) \[(.+?)\] (.*)")
_COUNTED = re.compile(r"(?:(?P<where>.*) )?(?P<done>\d+)/(?P<total>\d+)")
_EXPORT = re.compile(r"#\d+ ((?:exporting to|exporting cache|importing cache) .*)")
KEPT = 40  # last lines, for the report of a failure


@dataclass
class Stages:
    """One build's progress. feed() takes its lines in order; `tail` is what it said last.

    uncached: why the layers could not be kept in a cache, which fails no build.
    """

    name: str
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT))
    cached: int = 0
    steps: int = 0
    uncached: str = ""
    exporting: set[str] = field(default_factory=set)

    def feed(self, line: str) -> HostProgress | None:
        """What the line says of progress, if anything."""
        if line.strip():
            self.tail.append(line)
        if found := re.match(r"#(\d+) exporting cache", line):
            self.exporting.add(found[1])
        found = re.fullmatch(r"#(\d+) ERROR: (.*)", line)
        if found and found[1] in self.exporting:
            self.uncached = found[2]
        if re.fullmatch(r"#\d+ CACHED", line):
            self.cached += 1
        if found := _STEP.fullmatch(line):
            return self._stage(found[2], found[3])
        if found := _EXPORT.fullmatch(line):
            return HostProgress("build", self.name, found[1][:60], 0, 0)
        return None

    def _stage(self, place: str, instruction: str) -> HostProgress | None:
        counted = _COUNTED.fullmatch(place)
        if not counted:
            return None
        self.steps += 1
        where = counted["where"] or ""
        text = f"{where} {' '.join(instruction.split())}".strip()
        done, total = int(counted["done"]), int(counted["total"])
        return HostProgress("build", self.name, "stages", done, total, text[:60])

    def failure(self) -> list[str]:
        """The last lines that say why, without BuildKit's timing noise."""
        lines = [re.sub(r"^#\d+ (\d+\.\d+ )?", "", line) for line in self.tail]
        told = [line for line in lines if line and not line.startswith(("DONE", "CACHED", "---"))]
        return told[-12:]
