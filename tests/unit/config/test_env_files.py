"""Lines of .env files, as Compose's users write them."""

import pytest

from fairlead.config.env_files import EnvFiles


def read(tmp_path, text, name=".env"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    env = EnvFiles(tmp_path)
    env.add(name)
    return env


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("K=v", "v"),
        ("export K=v", "v"),
        ("K = v ", "v"),
        ("K=v # comment", "v"),
        ("K=v#no", "v#no"),
        ('K="a # b"', "a # b"),
        ('K="a\\nb"', "a\nb"),
        ("K='a\nb'", "a\nb"),
        ("K=", ""),
        ("K=a=b", "a=b"),
        ("K=pa$$w0rd$x", "pa$$w0rd$x"),
        ("\ufeffK=v", "v"),
        ("# K=no\n\nK=v\r\n", "v"),
        ("A=1\nK=${A}2", "12"),
        ("A=1\nK=${B:-3}", "3"),
        ("A=1\nK='${A}'", "${A}"),
        ("dotted.key=1\nK=v", "v"),
    ],
)
def test_a_line_gives_a_value(tmp_path, line, value):
    env = read(tmp_path, line)
    assert env.problems == []
    assert env.values["K"] == value


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("A=1\n\nno line\n", "line 3", 3),
        ("A=1\n1A=2\n", "line 2", 2),
        ("A='open\n", "line 1", 1),
        ("A=1\nB=${NOWHERE}\n", "B", 2),
        ("A=${HOME}\n", "A", 1),
        ("A=\0\n", "file", None),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(tmp_path, text, path, line):
    (problem,) = read(tmp_path, text).problems
    assert (problem.file, problem.path, problem.line) == (".env", path, line)


def test_a_problem_does_not_show_the_line(tmp_path):
    (problem,) = read(tmp_path, "PASSWORD hunter2\n").problems
    assert "hunter2" not in str(problem)


def test_a_folder_of_that_name_is_a_problem(tmp_path):
    (tmp_path / ".env").mkdir()
    env = EnvFiles(tmp_path)
    env.add(".env")
    assert "cannot be read" in env.problems[0].message
