"""A pytest plugin, loaded into the suite by name: keeps the tests of one shard.

It runs in the project's own Python, whatever that has installed: nothing but pytest's hooks and the
standard library. FAIRLEAD_SHARD is `2/4`; FAIRLEAD_DURATIONS a JSON file, test id → seconds;
FAIRLEAD_SHARE the file in which it writes how many tests there were, how many it kept, and a hash
over how they were divided.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

UNKNOWN = 0.1  # s a test is taken to last when none was ever timed
TOO_LONG = 1.01  # of a fair share: a file that takes longer is split


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Deselect what belongs to other shards."""
    number, _, count = os.environ["FAIRLEAD_SHARD"].partition("/")
    with open(os.environ["FAIRLEAD_DURATIONS"], encoding="utf-8") as stream:
        durations = json.load(stream)
    shards = split([item.nodeid for item in items], durations, int(count))
    mine = shards[int(number) - 1]
    total = len(items)
    others = [item for item in items if item.nodeid not in mine]
    items[:] = [item for item in items if item.nodeid in mine]
    if others:
        config.hook.pytest_deselected(items=others)
    with open(os.environ["FAIRLEAD_SHARE"], "w", encoding="utf-8") as stream:
        json.dump({"collected": total, "kept": len(items), "split": digest(shards)}, stream)


def digest(shards: Sequence[set[str]]) -> str:
    """The same for all shards that were divided alike."""
    text = json.dumps([sorted(one) for one in shards])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:24]


def split(ids: Sequence[str], durations: Mapping[str, float], count: int) -> list[set[str]]:
    """The ids in `count` shards that take about as long: each in exactly one.

    Tests of a file stay together, unless the file alone takes longer than a shard should. The
    longest comes first, each to the shard that has least so far. Depends on nothing but its
    arguments, and not on the order of ids.
    """
    known = [durations[one] for one in ids if one in durations]
    usual = sum(known) / len(known) if known else UNKNOWN
    seconds = {one: durations.get(one, usual) for one in sorted(ids)}
    share = sum(seconds.values()) / count
    shards: list[set[str]] = [set() for _ in range(count)]
    loads = [0.0] * count
    pieces = [(sum(seconds[one] for one in piece), piece) for piece in _pieces(seconds, share)]
    for length, piece in sorted(pieces, key=lambda one: (-one[0], one[1])):
        least = min(range(count), key=lambda index: (loads[index], len(shards[index]), index))
        shards[least].update(piece)
        loads[least] += length
    return shards


def _pieces(seconds: Mapping[str, float], share: float) -> Iterable[list[str]]:
    """Files as lists of their tests; one that is longer than a share as single tests."""
    files: dict[str, list[str]] = {}
    for one in seconds:
        files.setdefault(one.partition("::")[0], []).append(one)
    for ids in files.values():
        if sum(seconds[one] for one in ids) > TOO_LONG * share:
            yield from ([one] for one in ids)
        else:
            yield ids
