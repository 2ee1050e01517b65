"""The fault matrix itself: a sample leaves nothing out, and a table is of all parts."""

import pytest

from tests.faults import matrix
from tests.faults.phases import PHASES

CASES = matrix.every()


@pytest.mark.parametrize("seed", range(5))
def test_a_sample_meets_every_fault_and_every_phase(seed):
    """However it is chosen, and each case once."""
    chosen = matrix.sample(seed, 18)
    assert {case.fault for case in chosen} == {case.fault for case in CASES}
    assert {case.phase for case in chosen} == set(PHASES)
    assert len(chosen) == len(set(map(str, chosen)))


def test_what_every_change_is_tried_with_is_there():
    assert [str(case) for case in matrix.chosen("few", 0, 0)] == list(matrix.EVERY_TIME)


def test_no_fault_may_end_as_if_a_person_were_needed():
    """6 is no end of these, whatever the phase; every case says what is."""
    for case in CASES:
        assert set(case.fault.ends.of(case.phase)) <= {-9, 0, 1, 3, 5}, case


def test_runs_in_parts_make_one_table(tmp_path):
    """Of a case that was tried twice, the second time counts."""
    file, (first, second, *_) = tmp_path / "tried", CASES
    for one in (
        matrix.Tried(first, False),
        matrix.Tried(second, True, 2.0, 1, "itself"),
        matrix.Tried(first, True, 7.5, 5, "itself"),
    ):
        matrix.keep(file, one)
    tried = matrix.kept(file)
    assert [(one.case, one.passed) for one in tried] == [(first, True), (second, True)]
    assert f"| **all** | {len(CASES)} | 2 | 2 | 1, 5 | 7.5 s | itself |" in matrix.table(tried)
