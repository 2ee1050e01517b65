"""Allow and deny lists over what packages say of their licences."""

import pytest

from fairlead.checks.licence import Licences

LISTS = Licences(allow=("MIT*", "BSD*", "Apache*"), deny=("*GPL*", "*Affero*"))


@pytest.mark.parametrize(
    ("licence", "rule"),
    [
        ("MIT", ""),
        ("mit license", ""),
        ("BSD-3-Clause AND MIT", ""),
        ("(MIT OR GPL-2.0-only)", ""),
        ("GPL-3.0-only", "licence-denied"),
        ("MIT AND AGPL-3.0-only", "licence-denied"),
        ("GPL-2.0-only OR Zlib", "licence-denied"),
        ("BSD License; GNU Affero General Public License v3", "licence-denied"),
        ("Zlib", "licence-not-allowed"),
        ("MIT AND Zlib", "licence-not-allowed"),
        ("UNKNOWN", "licence-unknown"),
    ],
)
def test_a_licence_is_judged(licence, rule):
    found = LISTS.judged("pip-licenses", "x", "1", licence)
    assert (found.rule if found else "") == rule


def test_without_an_allow_list_what_is_not_denied_is_taken():
    assert Licences(deny=("GPL*",)).judged("t", "x", "1", "UNKNOWN") is None
