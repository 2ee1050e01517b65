"""Shards put together are a whole run, or are refused."""

from dataclasses import replace

import pytest

from fairlead.checks.records import Entry, Record
from fairlead.checks.suites.join import joined, shards_of
from fairlead.checks.verdict import Outcome
from fairlead.errors import PreconditionError

PASSED, NOT_RUN = Outcome.PASSED, Outcome.NOT_RUN


def shard(name: str, *entries: Entry, when: str = "2026", clean: bool = True) -> Record:
    return Record("test", "c" * 40, clean, "cfg", when, entries, partial=True, shard=name)


def unit(outcome: Outcome = PASSED, split: str = "s", tests: int = 2) -> Entry:
    return Entry("unit", outcome, looked_at=f"{tests} tests" if tests else "", split=split)


def outcome_of(*entries: Entry) -> Outcome:
    (whole,) = joined([shard(f"{n}/9", one) for n, one in enumerate(entries, 1)]).entries
    return whole.outcome


def test_all_shards_are_a_whole_run_of_every_suite():
    js = Entry("js", PASSED)  # runs whole, in one of the shards
    shards = shards_of([shard("2/2", unit(tests=3), js), shard("1/2", unit())])
    assert [one.shard for one in shards] == ["1/2", "2/2"]
    whole = joined(shards)
    assert [(one.tool, one.outcome) for one in whole.entries] == [("unit", PASSED), ("js", PASSED)]
    assert whole.entries[0].looked_at == "5 tests"
    assert (whole.partial, whole.shard, whole.config) == (False, "", "cfg")


def test_the_worst_shard_decides_and_one_without_a_test_says_nothing():
    empty = unit(NOT_RUN, tests=0)
    assert outcome_of(unit(), empty) is PASSED
    assert outcome_of(empty, empty) is NOT_RUN
    assert outcome_of(unit(), unit(NOT_RUN, split="", tests=0)) is NOT_RUN
    assert outcome_of(unit(), unit(Outcome.ERROR), empty) is Outcome.ERROR
    assert outcome_of(unit(), unit(Outcome.FINDINGS)) is Outcome.FINDINGS


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ([], "no shard of this commit is on record"),
        ([shard("1/3"), shard("3/3")], "2/3"),
        ([shard("1/2"), shard("2/2", clean=False)], "2/2"),
        ([shard("1/2", when="1"), shard("2/2", when="1"), shard("1/3", when="2")], "2/3, 3/3"),
    ],
)
def test_a_shard_that_is_missing_is_named(records, why):
    with pytest.raises(PreconditionError, match=why):
        shards_of(records)


def test_shards_that_were_divided_or_configured_otherwise_are_refused():
    """A test may have been in two of them, or in none."""
    with pytest.raises(PreconditionError, match="did not divide the tests of unit alike"):
        joined([shard("1/2", unit()), shard("2/2", unit(split="t"))])
    with pytest.raises(PreconditionError, match="configurations"):
        joined([shard("1/2", unit()), replace(shard("2/2", unit()), config="other")])
