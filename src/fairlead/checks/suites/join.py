"""The shards of one commit, put together: what they found out is what a whole run would have."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from fairlead.checks.records import Entry, Record, record
from fairlead.checks.verdict import Outcome
from fairlead.errors import PreconditionError

ORDER = (Outcome.FINDINGS, Outcome.ERROR, Outcome.NOT_RUN)  # what says most of a suite, first
ALIKE = "give all shards of a commit the same checkout and the same .fairlead/durations.json"


def shards_of(records: Sequence[Record]) -> tuple[Record, ...]:
    """All parts of the newest division, in order. Raises PreconditionError where one is missing."""
    found = {one.shard: one for one in sorted(_parts(records), key=lambda one: one.when)}
    if not found:
        raise _not_whole(
            "no shard of this commit is on record",
            "inv test --shard=1/2, inv test --shard=2/2; in CI hand .fairlead/records on",
        )
    count = max(found.values(), key=lambda one: one.when).shard.partition("/")[2]
    names = [f"{number}/{count}" for number in range(1, int(count) + 1)]
    if missing := [name for name in names if name not in found]:
        raise _not_whole(
            f"not on record of this commit, without uncommitted changes: {', '.join(missing)}",
            f"inv test --shard={missing[0]}",
        )
    return tuple(found[name] for name in names)


def joined(shards: Sequence[Record]) -> Record:
    """The record of the whole, without coverage. Raises PreconditionError unless each test was in
    exactly one of the shards."""
    if len({one.config for one in shards}) > 1:
        raise _not_whole("the shards ran under different configurations", ALIKE)
    tools = dict.fromkeys(entry.tool for one in shards for entry in one.entries)
    entries = tuple(
        _suite([entry for one in shards for entry in one.entries if entry.tool == tool])
        for tool in tools
    )
    whole = record("test", shards[0].commit, True, shards[0].config, ())
    return replace(whole, entries=entries)


def _parts(records: Sequence[Record]) -> list[Record]:
    return [one for one in records if one.verb == "test" and one.shard and one.clean]


def _suite(entries: Sequence[Entry]) -> Entry:
    """A suite of which each shard ran a part; one without a `split` was not divided."""
    if len({one.split for one in entries if one.split}) > 1:
        raise _not_whole(f"the shards did not divide the tests of {entries[0].tool} alike", ALIKE)
    decisive = min(entries, key=_weight)
    counts: Counter[str] = Counter()
    for one in entries:
        counts.update(one.counts)
    tests = sum(int(one.looked_at.split()[0]) for one in entries if one.looked_at)
    return replace(decisive, looked_at=f"{tests} tests", counts=dict(counts), split="")


def _weight(one: Entry) -> int:
    """The worst decides; a shard that got no test of the suite says nothing."""
    empty = one.outcome is Outcome.NOT_RUN and one.split
    weights = (*ORDER, Outcome.PASSED)
    return len(weights) if empty else weights.index(one.outcome)


def _not_whole(what: str, next_step: str) -> PreconditionError:
    return PreconditionError(
        f"the shards make no whole run: {what}", state="nothing was recorded", next_step=next_step
    )
