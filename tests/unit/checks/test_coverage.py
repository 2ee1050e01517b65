"""Coverage over all suites, and the exact edge of its threshold."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_suites import run, write

from fairlead.checks.suites.coverage import Coverage, FileCoverage, percent


def module(covered: int, missing: int) -> str:
    """A module of 100 statements, so many of which are run."""
    lines = [f"a{n} = {n}\n" for n in range(covered - 2)]
    return "".join(lines) + "def never():\n" + "    x = 0\n" * missing + "z = 1\n"


@pytest.mark.parametrize(("covered", "reached"), [(79, False), (80, True)])
def test_at_the_threshold_is_enough_and_a_line_less_is_not(tmp_path, covered, reached):
    files = {
        "shop/__init__.py": module(covered, 100 - covered),
        "tests/unit/test_it.py": "import shop\ndef test_it(): assert shop.z\n",
    }
    session = run(write(tmp_path, files), covered=True)
    assert session.passed
    found = session.coverage
    assert (found.total, found.missing, found.reason) == (100, 100 - covered, "")
    assert found.reaches(80.0) is reached
    assert found.shown(80.0) == f"{covered}.00"
    assert found.files[0].path == "shop/__init__.py"
    assert (tmp_path / ".fairlead/reports/coverage.xml").exists()
    assert (tmp_path / ".fairlead/reports/htmlcov/index.html").exists()


def test_suites_add_up_also_what_they_start(tmp_path):
    """Each covers a half, one of them in a process of its own."""
    files = {
        "shop/__init__.py": "def left():\n    return 1\ndef right():\n    return 2\n",
        "tests/unit/test_left.py": "import shop\ndef test_it(): shop.left()\n",
        "tests/e2e/test_right.py": "import subprocess, sys\ndef test_it():\n"
        "    subprocess.run([sys.executable, '-c', 'import shop; shop.right()'], check=True)\n",
    }
    session = run(write(tmp_path, files), covered=True)
    assert session.passed
    assert session.coverage.missing == 0
    assert dict(session.coverage.suites) == {"unit": 75.0, "e2e": 75.0}
    assert [result.coverage for result in session.results] == [75.0, 75.0]


def test_the_project_s_own_configuration_holds(tmp_path):
    files = {
        "pyproject.toml": "[tool.coverage.run]\nbranch = true\nsource = ['shop']\n",
        "shop/__init__.py": "def f(n):\n    if n:\n        return 1\n    return 2\n",
        "tests/unit/test_it.py": "import shop\ndef test_it(): shop.f(1)\n",
    }
    found = run(write(tmp_path, files), covered=True).coverage
    assert (found.total, found.missing) == (6, 2)  # a line and a branch


def test_no_suite_that_is_measured_is_no_coverage(tmp_path):
    files = {"run.sh": "echo '1 passed in 0.1s'"}
    files["deploy/fairlead.toml"] = '[test.suites.js]\ncommand = "sh run.sh"\n'
    session = run(write(tmp_path, files), covered=True)
    assert session.coverage.reason == "no suite left coverage data"
    assert not session.coverage.reaches(0.0)


def of(total: int, missing: int) -> Coverage:
    return Coverage(total, missing, (FileCoverage("a.py", total, missing),))


@given(total=st.integers(1, 10**6), data=st.data())
def test_what_is_shown_never_looks_like_a_threshold_that_was_missed(total, data):
    missing = data.draw(st.integers(0, total))
    threshold = data.draw(st.sampled_from([50.0, 79.5, 80.0, 85.0, 100.0]))
    found = of(total, missing)
    alike = Fraction(found.shown(threshold)) == Fraction(str(threshold))
    assert alike == (found.exact == Fraction(str(threshold)))


@given(total=st.integers(1, 10**4), data=st.data())
def test_the_lines_it_asks_for_are_enough_and_one_less_is_not(total, data):
    missing = data.draw(st.integers(0, total))
    threshold = data.draw(st.sampled_from([50.0, 79.5, 80.0, 100.0]))
    more = of(total, missing).lines_short_of(threshold)
    assert of(total, missing - more).reaches(threshold)
    assert more == 0 or not of(total, missing - more + 1).reaches(threshold)


def test_decimals_are_added_where_two_would_lie():
    assert percent(Fraction(799999, 10000), Fraction(80)) == "79.9999"
    assert percent(Fraction(80), Fraction(80)) == "80.00"
