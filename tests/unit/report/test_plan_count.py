"""The line that ends a plan."""

import pytest

from fairlead.model import Command, Step
from fairlead.report.plan import count

ASKED = (Command(("true",)),)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([], "nothing to do"),
        ([Step("copy", "copy", {})], "1 step, here"),
        ([Step("a", "a", {"h": ASKED}), Step("b", "b", {})], "2 steps, 1 command on 1 host"),
    ],
)
def test_work_of_this_machine_is_not_on_no_hosts(steps, told):
    assert count(steps) == told
