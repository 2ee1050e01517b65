"""Every key is found on its own line, whatever stands around it."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.config.reference import reference
from fairlead.config.toml_lines import key_lines, line_of

TEXT = '''\
a = 1  # b = 2
"quoted key" = "x = 1"
multi = """
not = "a key"
[nor.a.table]
"""
raw = \'\'\'
# no comment
\'\'\'
list = [
  "one",  # ]
  [2, { three = 3 }],
]
after.dotted = true

[table]
key = "# no comment"
  [table."with.dot".inner]
  key = 'a"b'
[[array]]
name = 1
[array.sub]
x = 1
[[array]]
name = 2
[array.sub]
x = 2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 1),
        (("quoted key",), 2),
        (("multi",), 3),
        (("raw",), 7),
        (("list",), 10),
        (("after", "dotted"), 14),
        (("table",), 16),
        (("table", "key"), 17),
        (("table", "with.dot", "inner", "key"), 19),
        (("array", 0, "name"), 21),
        (("array", 0, "sub", "x"), 23),
        (("array", 1, "name"), 25),
        (("array", 1, "sub", "x"), 27),
    ],
)
def test_keys_are_on_their_lines(path, line):
    tomllib.loads(TEXT)
    assert key_lines(TEXT)[path] == line


def test_nothing_inside_a_value_is_a_key():
    assert not {"not", "nor", "three", "b"} & {path[0] for path in key_lines(TEXT)}


def test_what_has_no_line_has_that_of_what_is_around_it():
    lines = key_lines("[a]\nb = { c = 1 }\n")
    assert line_of(("a", "b", "c"), lines) == 2
    assert line_of(("a", "z"), lines) == 1
    assert line_of(("z",), lines) is None


def test_every_key_of_the_reference_is_where_it_says():
    written = reference().splitlines()
    for path, line in key_lines(reference()).items():
        names = [str(part) for part in path if isinstance(part, str)]
        assert names[-1] in written[line - 1]


VALUES = st.sampled_from(
    ['"""\nx = 1\n"""', "'''\n[y]\n'''", "[\n1,\n# z = 2\n]", '"#"', "{ a = 1 }"]
)


@given(st.lists(st.tuples(st.booleans(), VALUES, st.sampled_from(["", "\n", "# k = 1\n"]))))
def test_any_sequence_of_keys_and_tables_is_followed(statements):
    text, expected, table = "", {}, ()
    for index, (header, value, between) in enumerate(statements):
        text += between
        line = text.count("\n") + 1
        if header:
            table = (f"t{index}",)
            text += f"[t{index}]\n"
            expected[table] = line
        else:
            text += f"k{index} = {value}\n"
            expected[(*table, f"k{index}")] = line
    tomllib.loads(text)
    assert key_lines(text) == expected
