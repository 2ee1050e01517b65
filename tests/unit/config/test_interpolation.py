"""`${NAME}` and `${NAME:-default}`, and nothing else, is replaced."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.config.interpolation import UnresolvedError, expand

VALUES = {"A": "1", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("${A}", "1"),
        ("x${A}y${A}", "x1y1"),
        ("${EMPTY}", ""),
        ("${EMPTY:-d}", "d"),
        ("${NONE:-d e}", "d e"),
        ("${NONE:-}", ""),
        ("$A", "$A"),
        ("$$", "$"),
        ("$${A}", "${A}"),
        ("$$${A}", "$1"),
        ("a$", "a$"),
    ],
)
def test_references_are_replaced(text, expanded):
    assert expand(text, VALUES.get) == expanded


@pytest.mark.parametrize(
    "text", ["${NONE}", "${", "${A", "${}", "${A B}", "${A-x}", "${A:-${B}}", "${1}", "${A:?x}"]
)
def test_what_is_no_reference_or_not_set_is_told(text):
    with pytest.raises(UnresolvedError):
        expand(text, VALUES.get)


def test_dollars_may_be_left_alone():
    assert expand("pa$$word${A}", VALUES.get, dollars=False) == "pa$$word1"


@given(st.text())
def test_doubled_dollars_give_any_text_back(text):
    assert expand(text.replace("$", "$$"), VALUES.get) == text


@given(st.text())
def test_a_value_is_not_expanded_again(value):
    assert expand("${X}", {"X": value}.get) == value
