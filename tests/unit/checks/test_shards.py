"""Shards: every test in exactly one, the same ones every time, and about equally long."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_suites import run, write

from fairlead.checks.suites.plugin.fairlead_shard import TOO_LONG, split
from fairlead.checks.suites.result import Case, Result
from fairlead.checks.suites.shard import Shard, durations, read_shard, remember
from fairlead.checks.verdict import Outcome, Verdict
from fairlead.errors import UsageError

IDS = st.builds("tests/test_{}.py::test_{}".format, st.integers(0, 6), st.integers(0, 30))
SECONDS = st.floats(0, 100, allow_nan=False)


@given(ids=st.lists(IDS, unique=True), known=st.dictionaries(IDS, SECONDS), count=st.integers(1, 9))
def test_shards_are_complete_and_disjoint_whatever_was_recorded(ids, known, count):
    shards = split(ids, known, count)
    assert len(shards) == count
    assert sorted(one for shard in shards for one in shard) == sorted(ids)


@given(
    ids=st.lists(IDS, unique=True),
    known=st.dictionaries(IDS, SECONDS),
    count=st.integers(1, 9),
    random=st.randoms(),
)
def test_the_order_in_which_tests_are_collected_changes_nothing(ids, known, count, random):
    shuffled = random.sample(ids, len(ids))
    assert split(ids, known, count) == split(shuffled, known, count)


@given(known=st.dictionaries(IDS, SECONDS, min_size=1), count=st.integers(1, 9))
def test_no_shard_is_longer_than_a_fair_share_and_one_piece(known, count):
    """The bound of "longest first, to the shard that has least"."""
    loads = [sum(known[one] for one in shard) for shard in split(list(known), known, count)]
    share = sum(known.values()) / count
    files = {}
    for one, seconds in known.items():
        files.setdefault(one.partition("::")[0], []).append(seconds)
    pieces = [[sum(f)] if sum(f) <= TOO_LONG * share else f for f in files.values()]
    longest = max(seconds for piece in pieces for seconds in piece)
    assert max(loads) <= share + longest + 1e-6


def test_a_file_stays_together_unless_it_is_longer_than_a_shard():
    ids = [f"tests/test_{name}.py::test_{n}" for name in "abc" for n in range(4)]
    apart = split(ids, {}, 3)
    assert sorted(len({one.partition("::")[0] for one in shard}) for shard in apart) == [1, 1, 1]
    heavy = {one: 10.0 if "test_a" in one else 1.0 for one in ids}
    holders = [shard for shard in split(ids, heavy, 3) if any("test_a" in one for one in shard)]
    assert len(holders) > 1


FILES = {f"tests/unit/test_{n}.py": "def test_a(): pass\ndef test_b(): pass\n" for n in range(3)}


def test_all_shards_together_run_every_test_once(tmp_path):
    write(tmp_path, FILES)
    timed = {"unit": {f"{file}::test_a": 1.0 for file in FILES}}
    (tmp_path / ".fairlead").mkdir()
    (tmp_path / ".fairlead/durations.json").write_text(json.dumps(timed))
    ran = []
    for number in (1, 2):
        (result,) = run(tmp_path, shard=f"{number}/2").results
        assert result.passed, result.verdict
        ran += [case.id for case in result.cases]
    assert sorted(ran) == sorted(
        f"{file}::{name}" for file in FILES for name in ("test_a", "test_b")
    )
    kept = json.loads((tmp_path / ".fairlead/durations.json").read_text())
    assert kept == timed  # a shard's durations would make the next shard another one


def test_a_whole_run_records_how_long_each_test_took(tmp_path):
    run(write(tmp_path, FILES))
    kept = json.loads((tmp_path / ".fairlead/durations.json").read_text())
    assert set(kept["unit"]) == {f"{file}::{one}" for file in FILES for one in ("test_a", "test_b")}


def test_of_several_pythons_a_suite_has_one_record(tmp_path):
    """A shard looks for the suite's name, whichever Python it runs under."""
    case = Case("tests/test_a.py::test_a", "passed", 2.0)
    (tmp_path / ".fairlead").mkdir()
    under = [Result(f"unit {one}", Verdict("unit", Outcome.PASSED), cases=(case,)) for one in "12"]
    remember(tmp_path, [("unit", one) for one in under])
    assert durations(tmp_path) == {"unit": {case.id: 2.0}}


def test_what_cannot_be_split_belongs_to_one_shard(tmp_path):
    script = "echo '1 passed in 0.1s'"
    declared = '[test.suites.js]\ncommand = "sh js.sh"\n[test.suites.go]\ncommand = "sh js.sh"\n'
    write(tmp_path, {"js.sh": script, "deploy/fairlead.toml": declared})
    rows = [[r.name for r in run(tmp_path, shard=f"{n}/2").results] for n in (1, 2)]
    assert rows == [["js"], ["go"]]


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b", "1/0", "-1/4"])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(UsageError, match="is no shard"):
        read_shard(text)


def test_of_the_next_suite_the_next_part_is_taken():
    assert [str(Shard(3, 4).turned(by)) for by in range(3)] == ["3/4", "4/4", "1/4"]
