"""`--shard=2/4`, and the durations that make shards equally long."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fairlead.checks.folder import own_folder
from fairlead.checks.suites.result import Result
from fairlead.errors import UsageError

FILE = "durations.json"


@dataclass(frozen=True)
class Shard:
    """The number-th of `count` parts; number counts from 1."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def turned(self, by: int) -> "Shard":
        """The shard so many further, after the last the first: so that the first shard does not
        get the longest part, or the only one, of every suite."""
        return Shard((self.number - 1 + by) % self.count + 1, self.count)

    def has(self, index: int) -> bool:
        """Whether the index-th of things that cannot be split falls into this shard."""
        return index % self.count == self.number - 1


def read_shard(text: str) -> Shard | None:
    """`2/4` as a shard, nothing for nothing. Raises UsageError for anything else."""
    if not text:
        return None
    found = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(
            f"--shard={text} is no shard",
            state="nothing was run",
            next_step="--shard=1/4 is the first of four; the others are 2/4, 3/4 and 4/4",
        )
    return Shard(int(found[1]), int(found[2]))


def durations(root: Path) -> dict[str, dict[str, float]]:
    """Suite → test id → seconds, as the last whole runs took them; empty without any."""
    try:
        told = json.loads((own_folder(root, "") / FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def remember(root: Path, results: Iterable[tuple[str, Result]]) -> None:
    """Write down how long the tests of suites that were run whole took; of several Pythons the
    last. results: each with the name of its suite."""
    known = durations(root)
    for suite, result in results:
        timed = {case.id: round(case.seconds, 3) for case in result.cases}
        if timed:
            known[suite] = timed
    _write(own_folder(root, "") / FILE, known)


def hand_over(file: Path, known: Mapping[str, float]) -> None:
    """Write the durations of one suite for the plugin that splits it."""
    _write(file, known)


def _write(file: Path, content: object) -> None:
    """Beside, then renamed: two runs at once never leave half a file."""
    beside = file.with_name(f"{file.name}.new")
    beside.write_text(json.dumps(content, indent=0, sort_keys=True), encoding="utf-8")
    beside.replace(file)
