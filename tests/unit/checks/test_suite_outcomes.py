"""Law 8 for suites: what a suite reports decides; nothing run is not-run, not finished an error."""

import pytest
from small_suites import result_of, run, write

from fairlead.checks.verdict import Outcome
from fairlead.events import HostFinished, PhaseFinished
from tests.processes import has_ended

PASSES = "def test_it(): pass\n"


def test_a_suite_whose_tests_pass(tmp_path):
    result = result_of(tmp_path, PASSES)
    assert (result.verdict.outcome, result.verdict.reason) == (Outcome.PASSED, "")
    assert (result.counts.passed, result.counts.failed, result.counts.skipped) == (1, 0, 0)
    assert (tmp_path / ".fairlead/reports/junit-unit.xml").exists()
    assert (tmp_path / ".fairlead/.gitignore").read_text() == "*\n"


def test_a_failed_test_is_named_with_the_line_that_failed(tmp_path):
    result = result_of(
        tmp_path,
        """\
        import pytest

        @pytest.mark.parametrize("n", [1, 2])
        class TestSums:
            def test_sum(self, n):
                doubled = n + n
                assert doubled == 4, "no four"
        """,
    )
    assert result.verdict.outcome is Outcome.FINDINGS
    (finding,) = result.verdict.findings
    assert (finding.place, finding.rule) == ("tests/unit/test_it.py:7", "test_sum[1]")
    assert finding.message == "AssertionError: no four"
    assert [case.id for case in result.cases] == [
        "tests/unit/test_it.py::TestSums::test_sum[1]",
        "tests/unit/test_it.py::TestSums::test_sum[2]",
    ]


@pytest.mark.parametrize(
    ("test", "outcome", "reason"),
    [
        ("def helper(): pass", Outcome.NOT_RUN, "no tests in tests/unit"),
        (
            "import pytest\n@pytest.mark.skip\ndef test_it(): pass",
            Outcome.NOT_RUN,
            "all its 1 tests were skipped",
        ),
        ("import os\ndef test_it(): os._exit(0)", Outcome.ERROR, "exit 0 without a report"),
        ("import os\ndef test_it(): os._exit(3)", Outcome.ERROR, "exit 3 without a report"),
        (
            "import os\ndef test_it(): os.kill(os.getpid(), 11)",
            Outcome.ERROR,
            "killed by signal 11",
        ),
        ("import nowhere\ndef test_it(): pass", Outcome.ERROR, "exit 2 with 1 failed tests"),
    ],
    ids=["no tests", "all skipped", "left with 0", "left with 3", "crashed", "not importable"],
)
def test_a_suite_that_ran_nothing_or_did_not_finish(tmp_path, test, outcome, reason):
    result = result_of(tmp_path, test)
    assert result.verdict.outcome is outcome
    assert reason in result.verdict.reason
    assert not result.passed


def test_a_suite_that_hangs_is_ended_with_its_children(tmp_path):
    hangs = """\
        import pathlib, subprocess, time
        def test_it():
            child = subprocess.Popen(["sleep", "600"])
            pathlib.Path("child").write_text(str(child.pid))
            time.sleep(600)
        """
    result = result_of(tmp_path, hangs, 'timeout = "4s"')
    assert result.verdict.outcome is Outcome.ERROR
    assert result.verdict.reason == "took longer than 4 s and was stopped"
    child = int((tmp_path / "child").read_text())
    assert has_ended(child)


GARBAGE = "<testsuites><testcase"
COMMANDS = {
    "said so": ("echo '3 passed, 1 skipped in 0.12s'", Outcome.PASSED, ""),
    "Jest": ("echo 'Tests:       1 failed, 2 passed, 3 total'; exit 1", Outcome.FINDINGS, ""),
    "contradicts itself": ("echo '3 passed in 0.12s'; exit 1", Outcome.ERROR, "exit 1 with 0"),
    "failed, exit 0": ("echo '1 failed in 0.1s'", Outcome.ERROR, "exit 0 with 1 failed"),
    "silent": ("true", Outcome.NOT_RUN, "it told of no test"),
    "broken": ("echo 'make: *** no rule' >&2; exit 2", Outcome.ERROR, "make: *** no rule"),
    "garbage": (f"echo '{GARBAGE}' > $1", Outcome.ERROR, "junit-unit.xml is no XML"),
    "no report": ("echo '<html/>' > $1", Outcome.ERROR, "is no JUnit report"),
    "report": ("echo '<testsuite><testcase name=\"a\"/></testsuite>' > $1", Outcome.PASSED, ""),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_suite_with_a_command_of_its_own_is_judged_by_what_it_tells(tmp_path, name):
    script, outcome, reason = COMMANDS[name]
    write(
        tmp_path,
        {
            "run.sh": script,
            "deploy/fairlead.toml": '[test.suites.unit]\ncommand = "sh run.sh {junit}"',
        },
    )
    (result,) = run(tmp_path).results
    assert result.verdict.outcome is outcome
    assert reason in result.verdict.reason


def test_what_is_not_installed_is_not_run(tmp_path):
    write(
        tmp_path,
        {
            "deploy/fairlead.toml": '[test.suites.js]\ncommand = "no-such-npm test"\n'
            '[test.suites.unit]\npath = "tests"\n[test]\ninterpreter = "bare/bin/python"',
            "tests/test_it.py": PASSES,
        },
    )
    import venv

    venv.create(tmp_path / "bare", with_pip=False)
    js, unit = run(tmp_path).results
    assert (js.verdict.outcome, js.verdict.reason) == (
        Outcome.NOT_RUN,
        "there is no program no-such-npm",
    )
    assert unit.verdict.outcome is Outcome.NOT_RUN
    assert "has no pytest" in unit.verdict.reason


def test_a_report_of_an_earlier_run_is_not_taken_for_this_one_s(tmp_path):
    assert result_of(tmp_path, PASSES).passed
    result = result_of(tmp_path, "import os\ndef test_it(): os._exit(0)")
    assert result.verdict.outcome is Outcome.ERROR


def test_suites_side_by_side_and_alone_all_get_their_row(tmp_path):
    names = ("unit", "property", "e2e")
    files = {f"tests/{name}/test_{name}.py": PASSES for name in names}
    files["tests/e2e/test_e2e.py"] = "def test_it(): assert False"
    events = []
    session = run(write(tmp_path, files), events)
    assert [result.name for result in session.results] == ["unit", "property", "e2e"]
    assert not session.passed
    told = {event.host: event.ok for event in events if isinstance(event, HostFinished)}
    assert told == {"unit": True, "property": True, "e2e": False}
    assert [event.ok for event in events if isinstance(event, PhaseFinished)] == [False]


def test_of_several_suites_those_without_a_chosen_test_do_not_count(tmp_path):
    files = {"tests/unit/test_a.py": PASSES, "tests/e2e/test_b.py": "def test_other(): pass"}
    session = run(write(tmp_path, files), arguments=("-k", "test_it"))
    unit, e2e = session.results
    assert (unit.passed, e2e.passed, e2e.unselected) == (True, False, True)
    assert e2e.verdict.outcome is Outcome.NOT_RUN
    assert session.passed
    assert not run(tmp_path, arguments=("-k", "nothing")).passed


def test_a_named_test_is_all_that_runs(tmp_path):
    files = {
        "tests/unit/test_a.py": PASSES + "def test_more(): pass\n",
        "tests/e2e/test_b.py": PASSES,
    }
    session = run(write(tmp_path, files), arguments=("tests/unit/test_a.py::test_more", "-v"))
    (result,) = session.results
    assert [case.id for case in result.cases] == ["tests/unit/test_a.py::test_more"]
    assert not (tmp_path / ".fairlead/durations.json").exists()  # not a whole run


def test_a_service_that_cannot_be_had_leaves_the_suite_not_run(tmp_path, monkeypatch):
    """Nothing is mocked: there is no engine and no server on this PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    result = result_of(tmp_path, PASSES, 'services = ["redis"]')
    assert result.verdict.outcome is Outcome.NOT_RUN
    assert result.verdict.reason == (
        "service redis: docker is not installed; no redis-server on this machine"
    )


def test_a_service_nobody_knows_has_to_be_described(tmp_path):
    result = result_of(tmp_path, PASSES, 'services = ["minio"]')
    assert result.verdict.outcome is Outcome.NOT_RUN
    assert "[test.services.minio] has to name its image and its port" in result.verdict.reason


def test_a_suite_whose_folder_is_not_there_is_not_run(tmp_path):
    result = result_of(tmp_path, PASSES, 'cwd = "frontend"')
    assert result.verdict.outcome is Outcome.NOT_RUN
    assert result.verdict.reason == "there is no folder frontend"
