"""Which suites there are, which are meant, and what they print when they sum up."""

import json

import pytest
from small_suites import write

from fairlead.checks.suites.choice import choose, known_suites
from fairlead.checks.suites.matrix import check, install_words
from fairlead.checks.suites.request import plan, request
from fairlead.checks.suites.result import Counts
from fairlead.checks.suites.summaries import counts
from fairlead.config import load_repository
from fairlead.errors import UsageError


def names(root, wanted=(), quick=False):
    return [suite.name for suite in choose(known_suites(load_repository(root, {})), wanted, quick)]


def test_suites_are_found_by_their_folders(tmp_path):
    folders = ("unit", "integration", "api", "security", "property", "e2e")
    write(tmp_path, {f"tests/{one}/test_a.py": "" for one in folders})
    (tmp_path / "package.json").write_text(json.dumps({"scripts": {"test": "jest"}}))
    found = ["unit", "integration", "http-api", "security", "property", "e2e", "js"]
    assert names(tmp_path) == found
    assert names(tmp_path, quick=True) == ["unit", "property"]
    assert names(tmp_path, ("e2e", "unit")) == ["unit", "e2e"]


def test_a_plain_folder_of_tests_is_one_suite(tmp_path):
    write(tmp_path, {"tests/test_a.py": ""})
    never = 'echo "Error: no test specified" && exit 1'
    (tmp_path / "package.json").write_text(json.dumps({"scripts": {"test": never}}))
    assert names(tmp_path) == ["tests"]


def test_what_is_declared_is_all_there_is(tmp_path):
    declared = '[test.suites.smoke]\npath = "checks"\n'
    write(tmp_path, {"tests/unit/test_a.py": "", "deploy/fairlead.toml": declared})
    assert names(tmp_path) == ["smoke"]
    assert names(tmp_path, quick=True) == []
    with pytest.raises(UsageError, match="none of the suites is quick"):
        names(tmp_path, ("smoke",), quick=True)
    with pytest.raises(UsageError, match="did you mean `smoke`"):
        names(tmp_path, ("smok",))


def test_all_suites_are_the_whole_by_whatever_flag(tmp_path):
    declared = "".join(f"[test.suites.{one}]\nquick = true\n" for one in ("unit", "cli"))
    write(tmp_path, {"deploy/fairlead.toml": declared})
    repository = load_repository(tmp_path, {})
    assert not request(repository, quick=True).partial
    assert not request(repository, suites=("unit", "cli")).partial
    assert request(repository, suites=("cli",)).partial


def test_without_any_test_that_is_said(tmp_path):
    with pytest.raises(UsageError, match="no test suites"):
        names(write(tmp_path, {}))


@pytest.mark.parametrize(
    ("words", "places"),
    [
        (("tests/unit",), ("tests/unit",)),
        (("-x", "tests/unit"), ("tests/unit",)),
        (("--lf", "tests/unit"), ("tests/unit",)),
        (("--tb=short", "tests/unit"), ("tests/unit",)),
        (("--ignore", "tests/unit"), ()),
        (("--deselect", "tests/unit/test_a.py::test_a"), ()),
        (("-k", "tests"), ()),
    ],
)
def test_a_value_of_an_option_is_no_place(tmp_path, words, places):
    write(tmp_path, {"tests/unit/test_a.py": ""})
    asked = request(load_repository(tmp_path, {}), arguments=words)
    assert asked.places == places
    assert asked.wishes.arguments == tuple(word for word in words if word not in places)


SUMMARIES = {
    "== 1 failed, 2 passed, 3 skipped, 1 warning in 0.12s ==": Counts(2, 1, 3),
    "5 passed in 61.20s (0:01:01)": Counts(5),
    "2 passed, 1 error in 0.5s": Counts(2, 1),
    "Tests:       1 failed, 2 skipped, 3 passed, 6 total": Counts(3, 1, 2),
    "      Tests  1 failed | 4 passed (5)": Counts(4, 1),
    "  3 passing (5ms)\n  1 pending\n  2 failing": Counts(3, 2, 1),
    "# tests 4\n# pass 3\n# fail 0\n# cancelled 1\n# skipped 0\n# todo 0": Counts(3, 1),
    "ℹ pass 3\nℹ fail 1\nℹ skipped 2": Counts(3, 1, 2),
    "Ran 5 tests in 0.003s\n\nFAILED (failures=1, errors=1, skipped=1)": Counts(2, 2, 1),
    "Ran 5 tests in 0.003s\n\nOK": Counts(5),
    "Tests: 1 passed, 1 total\n(next workspace)\nTests: 2 passed, 2 total": Counts(3),
    "all good": None,
    "3 passed my desk today": None,
}


@pytest.mark.parametrize("text", SUMMARIES)
def test_summaries_of_the_usual_programs_are_understood(text):
    assert counts(f"noise\n{text}\n") == SUMMARIES[text]


def test_a_plan_says_what_would_run(tmp_path):
    write(tmp_path, {"tests/unit/test_a.py": "", "requirements.txt": ""})
    environment, suite = plan(request(load_repository(tmp_path, {}), versions=("3.12",)))
    make, install = environment.commands["here"]
    assert make.argv[:2] == ("uv", "venv")
    assert install.argv[-4:] == ("-r", "requirements.txt", "pytest", "coverage>=7.10")
    assert suite.title == "suite unit 3.12"
    assert suite.commands["here"][0].argv[0].endswith(".fairlead/venvs/3.12/bin/python")


PROJECT = '[project]\nname = "a"\nversion = "1"\n'


@pytest.mark.parametrize(
    ("pyproject", "first"),
    [
        (PROJECT, ("-e", ".")),
        (
            PROJECT + '[project.optional-dependencies]\ndev = ["x"]\ntest = ["y"]\n',
            ("-e", ".[test]"),
        ),
        (PROJECT + '[dependency-groups]\ndev = ["x"]\n', ("-e", ".", "--group", "dev")),
        ("", ()),
    ],
)
def test_what_is_installed_follows_from_the_project(tmp_path, pyproject, first):
    (tmp_path / "pyproject.toml").write_text(pyproject)
    assert install_words(tmp_path, ()) == (*first, "pytest", "coverage>=7.10")
    assert install_words(tmp_path, ("-r", "all.txt")) == ("-r", "all.txt")


def test_what_is_no_version_is_refused():
    check(("3.11", "3.13.1"))
    with pytest.raises(UsageError, match="no version of Python"):
        check(("3.11", "--evil"))
