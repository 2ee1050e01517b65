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
        ("", "licence-unknown"),
        ("(MIT OR Apache-2.0) AND GPL-3.0-only", "licence-denied"),
        ("MIT OR (Apache-2.0 AND GPL-3.0-only)", ""),
        ("(MIT AND (BSD-3-Clause OR (GPL-3.0-only)))", ""),
        ("MIT AND Zlib OR GPL-3.0-only", "licence-denied"),
        ("MIT and GPL-3.0", "licence-denied"),
        ("mit or GPL-3.0", ""),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "licence-denied"),
        ("Apache-2.0 WITH LLVM-exception", ""),
        ("Apache License, Version 2.0", ""),
        ("MIT License and GNU GPL", "licence-denied"),
        ("MIT License, LGPL", "licence-denied"),
        ("Some Library or Lesser thing (LGPL)", "licence-denied"),
        ("MIT License OR AGPL v3 or later", "licence-denied"),
        ("MIT, LGPL-3.0", "licence-denied"),
        ("MIT/LGPL-3.0", "licence-denied"),
        ("(MIT OR Apache-2.0", ""),
        ("MIT) AND (Zlib", "licence-not-allowed"),
    ],
)
def test_a_licence_is_judged(licence, rule):
    found = LISTS.judged("pip-licenses", "x", "1", licence)
    assert (found.rule if found else "") == rule


def test_without_an_allow_list_what_is_not_denied_is_taken():
    assert Licences(deny=("GPL*",)).judged("t", "x", "1", "UNKNOWN") is None


def test_a_list_may_name_the_licence_without_its_exception():
    lists = Licences(deny=("GPL-2.0-only",))
    told = lists.judged("t", "x", "1", "GPL-2.0-only with Classpath-exception-2.0")
    assert told is not None
    assert told.rule == "licence-denied"


@pytest.mark.parametrize(
    "text", ["(" * 5000 + "GPL" + ")" * 5000, "(a OR b) AND " * 5000 + "GPL", "GPL " * 5000]
)
def test_a_text_as_long_as_it_likes_is_judged_too(text):
    found = Licences(deny=("GPL*",)).judged("t", "x", "1", text)
    assert found is not None
    assert found.rule == "licence-denied"
