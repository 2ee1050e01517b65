"""The table over all tools says what a verdict is worth."""

from fairlead.checks.verdict import Outcome, Verdict
from fairlead.tasks.shared.verdicts import COLUMNS, table


def test_what_was_left_out_is_in_the_table_beside_passed():
    whole = Verdict("bandit", Outcome.PASSED)
    part = Verdict("pip-audit", Outcome.PASSED, reason="skipped 99 packages: a, b, c and 96 more")
    silent = Verdict("trivy", Outcome.NOT_RUN, reason="no database")
    columns, rows = table([whole, part, silent])
    assert columns == (*COLUMNS, "left out")
    assert [row[-1] for row in rows] == [None, part.reason, None]


def test_where_nothing_was_left_out_no_column_says_so():
    columns, rows = table([Verdict("bandit", Outcome.PASSED), Verdict("trivy", Outcome.ERROR)])
    assert columns == COLUMNS
    assert {len(row) for row in rows} == {len(COLUMNS)}
