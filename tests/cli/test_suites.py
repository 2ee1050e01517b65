"""`test`, as a whole command on small repositories with real pytest."""

import json
import os
import pty
import shutil
import subprocess
import sys
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.processes import has_ended
from tests.tools import BIN, ROOT, needs

PROGRAM = (sys.executable, "-m", "fairlead", "test")
PASSES = "def test_it(): pass\n"


@pytest.fixture
def project(tmp_path) -> Path:
    """Two suites, one of which has a test that fails."""
    files = {
        "deploy/fairlead.toml": "",
        "pytest.ini": "[pytest]\n",
        "shop.py": "def price(n):\n    return 2 * n\n\ndef never():\n    return 0\n",
        "tests/unit/test_price.py": "import shop\ndef test_price(): assert shop.price(2) == 4\n",
        "tests/e2e/test_shop.py": "import shop\ndef test_it():\n    assert shop.price(1) == 3\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def environ(**more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | more


def run(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (*PROGRAM, *words),
        cwd=folder,
        env=environ(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_one_table_the_failed_tests_and_a_verdict(project):
    told = run(project)
    assert told.returncode == 1
    lines = [" ".join(line.split()) for line in told.stdout.splitlines()]
    assert lines[1] == "suite outcome passed failed skipped time"
    assert lines[2].startswith("unit passed 1 0 0 ")
    assert lines[3].startswith("e2e findings 0 1 0 ")
    assert "tests/e2e/test_shop.py:3 test_it assert 2 == 3 (e2e, high)" in lines
    assert lines[-1] == "✗ 1 test passed, 1 failed"
    assert "AssertionError" in (project / ".fairlead/reports/e2e.log").read_text()


def test_scripts_get_the_same_as_data(project):
    told = run(project, "--json", "--suite=unit", "--coverage", "--threshold=50")
    *_, last = [json.loads(line) for line in told.stdout.splitlines()]
    assert (told.returncode, told.stderr) == (0, "")
    (suite,) = last["suites"]
    assert (suite["suite"], suite["outcome"], suite["passed"]) == ("unit", "passed", 1)
    assert last["coverage"]["percent"] == 75.0
    assert last["whole"] is False


@pytest.mark.parametrize(("threshold", "code"), [("75", 0), ("75.01", 1)])
def test_the_threshold_is_kept_or_missed_by_how_much_and_where(project, threshold, code):
    told = run(project, "--suite=unit", f"--threshold={threshold}")
    assert told.returncode == code
    *_, last = told.stdout.splitlines()
    if code:
        assert "coverage 75.00 % is 0.01 points below the threshold of 75.01 %" in last
        assert "1 more line would do; most are missing in shop.py (1 missing)" in last
    else:
        assert last.strip() == "coverage 75.00 %, threshold 75 %"


def test_a_secret_of_a_suite_is_in_nothing_that_is_told_or_left(project):
    """Expanded from the environment into the suite's own, printed by its test, and failing it."""
    secret = "Zx8kQ2" + "vLw93hTn5R"
    declared = '[test.suites.unit]\npath = "tests/unit"\nenv = { API_TOKEN = "${CI_TOKEN}" }\n'
    (project / "deploy/fairlead.toml").write_text(declared)
    (project / "tests/unit/test_price.py").write_text(
        "import os\ndef test_it():\n"
        "    print(os.environ['API_TOKEN'])\n"
        "    assert os.environ['API_TOKEN'] == 'a < b'\n"
    )
    told = run(project, "--json", CI_TOKEN=secret)
    assert told.returncode == 1
    assert "== 'a < b'" in told.stdout
    left = [file.read_text() for file in (project / ".fairlead/reports").glob("*.*")]
    assert len(left) >= 2
    assert not any(secret in text for text in (told.stdout, told.stderr, *left))


def test_actions_marks_the_line_and_gets_the_table(project, tmp_path):
    summary = tmp_path / "summary"
    told = run(project, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    assert "::error title=e2e test_it,file=tests/e2e/test_shop.py,line=3::" in told.stderr
    assert "| e2e | findings | 0 | 1 | 0 |" in summary.read_text()
    assert "\x1b" not in told.stdout + told.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--suite=unti",), "did you mean `unit`?"),
        (("--shard=5/4",), "is no shard"),
        (("--threshold=lots",), "is no percentage"),
        (("--threshold=101",), "is no percentage"),
        (("--python=3",), "is no version of Python"),
        (("--quick", "--suite=e2e"), "none of the suites is quick"),
        (("--suite=unit", "--", "--pdb"), "a debugger needs a terminal"),
        (("--", "--pdb"), "a debugger is for one suite at a time"),
        (("--suite=unit", "--", "tests/e2e/test_shop.py"), "no suite has"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is(project, words, said):
    told = run(project, *words)
    assert (told.returncode, told.stdout) == (2, "")
    assert said in told.stderr
    assert not (project / ".fairlead").exists()


def test_a_shard_runs_its_part(project):
    (project / "tests/e2e/test_shop.py").unlink()
    (project / "tests/unit/test_more.py").write_text(PASSES)
    told = [result_of(run(project, f"--shard={one}/2", "--json")) for one in (1, 2)]
    assert [one["suites"][0]["passed"] for one in told] == [1, 1]


def test_the_tests_of_node_are_counted(project):
    """Node's own runner: by its summary, and by its report where the command asks for one."""
    needs("node")
    (project / "sum.test.js").write_text(
        'const test = require("node:test"), assert = require("node:assert");\n'
        'test("adds", () => assert.equal(1 + 1, 2));\n'
        'test("takes away", () => assert.equal(2 - 1, 1));\n'
    )
    (project / "bad.test.js").write_text(
        'require("node:test")("never", () => { throw new Error("it is broken"); });\n'
    )
    reported = "node --test --test-reporter=junit --test-reporter-destination={junit}"
    (project / "deploy/fairlead.toml").write_text(
        '[test.suites.js]\ncommand = "node --test sum.test.js"\n'
        '[test.suites.none]\ncommand = "node --test no-such.test.js"\n'
        f'[test.suites.report]\ncommand = "{reported} sum.test.js bad.test.js"\n'
    )
    suites = {one["suite"]: one for one in result_of(run(project, "--json"))["suites"]}
    outcomes = {name: one["outcome"] for name, one in suites.items()}
    assert outcomes["js"] == "passed"
    assert outcomes["none"] != "passed"
    assert outcomes["report"] == "findings"
    counts = [(suites[name]["passed"], suites[name]["failed"]) for name in ("js", "report")]
    assert counts == [(2, 0), (2, 1)]


@pytest.mark.timeout(200)
def test_the_shards_of_a_commit_are_put_together(project):
    """CI hands .fairlead/records on. Then gates have a whole run, and its coverage."""
    (project / "shop.py").write_text("def one():\n    return 1\n\ndef two():\n    return 2\n")
    (project / "tests/unit/test_price.py").write_text("import shop\ndef test_a(): shop.one()\n")
    (project / "tests/e2e/test_shop.py").write_text("import shop\ndef test_b(): shop.two()\n")
    (project / ".gitignore").write_text("__pycache__/\n.pytest_cache/\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        subprocess.run(["git", *who, *words], cwd=project, check=True)
    parts = [result_of(run(project, f"--shard={n}/2", "--coverage", "--json")) for n in (1, 2)]
    assert [one["coverage"]["percent"] for one in parts] == [75.0, 75.0]
    (project / ".fairlead/.gitignore").unlink()  # an artifact of CI is the records alone
    told = result_of(run(project, "--merge", "--coverage", "--json"))
    assert (told["outcome"], told["coverage"]["percent"]) == ("passed", 100.0)
    (whole,) = project.glob(".fairlead/records/*/test-coverage.json")
    record = json.loads(whole.read_text())
    assert (record["clean"], record["partial"], record["coverage"]) == (True, False, 100.0)
    assert [one["outcome"] for one in record["entries"]] == ["passed", "passed"]
    assert run(project, "--merge", "--shard=1/2").returncode == 2
    next(project.glob(".fairlead/records/*/test-shard-2-of-2-partial.json")).unlink()
    missing = run(project, "--merge")
    assert (missing.returncode, "2/2" in missing.stderr) == (1, True)


@pytest.mark.timeout(120)
def test_another_python_is_made_by_uv(project):
    """The one that runs us, as the only one that is on every machine; what it needs is ours."""
    needs("uv")
    wheel = borrowed(project)
    (project / "deploy/fairlead.toml").write_text(f'[test]\ninstall = ["./{wheel.name}"]\n')
    version = f"3.{sys.version_info.minor}"
    path = {"PATH": f"{BIN}:{os.environ['PATH']}"}
    told = result_of(run(project, "--suite=unit", f"--python={version}", "--json", **path))
    (suite,) = told["suites"]
    assert (suite["suite"], suite["outcome"]) == (f"unit {version}", "passed"), told
    assert (project / f".fairlead/venvs/{version}/bin/python").exists()
    gone = result_of(run(project, "--suite=unit", "--python=3.99", "--json", **path))
    assert gone["suites"][0]["outcome"] == "not-run"
    assert "uv venv" in gone["suites"][0]["reason"]


@pytest.mark.timeout(120)
def test_two_pythons_are_judged_one_by_one(project):
    """The same suite under each: it fails under one of them, and is told of both."""
    needs("uv")
    own, other = f"3.{sys.version_info.minor}", another_python()
    if other is None:
        pytest.skip("no other Python of 3.11 or newer on this machine")
    wheel = borrowed(project)
    (project / "deploy/fairlead.toml").write_text(f'[test]\ninstall = ["./{wheel.name}"]\n')
    only_ours = f"import sys\ndef test_it(): assert sys.version_info[1] == {own[2:]}\n"
    (project / "tests/unit/test_python.py").write_text(only_ours)
    path = {"PATH": f"{other.parent}:{BIN}:{os.environ['PATH']}"}
    version = other.name.removeprefix("python")
    done = run(project, "--suite=unit", f"--python={own},{version}", "--json", **path)
    assert {one["suite"]: (one["outcome"], one["passed"]) for one in result_of(done)["suites"]} == {
        f"unit {own}": ("passed", 2), f"unit {version}": ("findings", 1),
    }  # fmt: skip
    assert done.returncode == 1


def another_python() -> Path | None:
    """One that is not ours, of PATH or of pyenv."""
    for minor in {11, 12, 13} - {sys.version_info.minor}:
        name = f"python3.{minor}"
        places = [*Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/{name}"), shutil.which(name)]
        for program in filter(None, places):
            if subprocess.run([program, "--version"], capture_output=True).returncode == 0:
                return Path(program)
    return None


def result_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return json.loads(done.stdout.splitlines()[-1])


def borrowed(folder: Path) -> Path:
    """A wheel that brings nothing but a pointer to the packages of the Python that runs us."""
    wheel = folder / "borrowed-1-py3-none-any.whl"
    about = "Metadata-Version: 2.1\nName: borrowed\nVersion: 1\n"
    kind = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with ZipFile(wheel, "w") as archive:
        archive.writestr("borrowed.pth", f"{Path(pytest.__file__).parents[1]}\n")
        archive.writestr("borrowed-1.dist-info/METADATA", about)
        archive.writestr("borrowed-1.dist-info/WHEEL", kind)
        archive.writestr("borrowed-1.dist-info/RECORD", "")
    return wheel


@pytest.mark.parametrize(("covered", "code"), [(79, 1), (80, 0)])
def test_of_100_lines_80_are_enough_and_79_are_not(project, covered, code):
    """The threshold that holds where none is declared, and the whole run."""
    missing = "".join(f"    x = {n}\n" for n in range(100 - covered))
    shop = "".join(f"a{n} = {n}\n" for n in range(covered - 1))
    (project / "shop.py").write_text(f"{shop}def never():\n{missing}")
    for test in ("unit/test_price.py", "e2e/test_shop.py"):
        (project / "tests" / test).write_text("import shop\ndef test_it(): assert shop.a1 == 1\n")
    told = run(project, "--coverage")
    assert told.returncode == code, told.stdout
    *_, last = told.stdout.splitlines()
    assert last.strip().startswith(f"coverage {covered}.00 %")


@pytest.mark.timeout(200)
def test_the_examples_coverage_is_held_against_thresholds_around_it(tmp_path):
    """Of the suite that needs no service: at the threshold is enough, a hair below it is not."""
    example = tmp_path / "agentic"
    shutil.copytree(ROOT / "examples/agentic", example, ignore=shutil.ignore_patterns(".*"))
    flags = ("--suite=unit", "--json")
    told = result_of(run(example, *flags, "--threshold=0"))
    assert told["outcome"] == "passed", told
    measured = told["coverage"]
    share = Fraction(100 * (measured["lines"] - measured["missing"]), measured["lines"])
    at, above = floor(share * 10000), floor(share * 10000) + 1
    assert run(example, *flags, f"--threshold={at / 10000:.4f}").returncode == 0
    assert run(example, *flags, f"--threshold={above / 10000:.4f}").returncode == 1


def test_a_plan_runs_nothing(project):
    told = run(project, "--plan", "--verbose", "--python=3.12", "--shard=1/2")
    assert told.returncode == 0
    assert "uv venv" in told.stdout
    assert "-p fairlead_shard" in told.stdout
    assert not (project / ".fairlead").exists()


def test_the_debugger_has_the_terminal(project):
    """`p` in pdb answers on it, and `c` goes on to the end of the tests."""
    ours, theirs = pty.openpty()
    asked = subprocess.Popen(
        (*PROGRAM, "--suite=e2e", "--", "--pdb"),
        cwd=project,
        env=environ(TERM="xterm"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    seen, answers = b"", [b"p 'six' * 2\n", b"c\n"]
    try:
        while piece := os.read(ours, 4096):
            seen += piece
            if seen.rstrip().endswith(b"(Pdb)") and answers:
                os.write(ours, answers.pop(0))
    except OSError:
        pass  # how Linux says that the other end is closed
    os.close(ours)
    assert asked.wait(20) == 1
    assert b"sixsix" in seen
    assert b"e2e" in seen.rpartition(b"Tests")[2]


def test_ctrl_c_ends_the_suites_with_all_they_started(project):
    hangs = """\
import pathlib, subprocess, time
def test_it():
    child = subprocess.Popen(["sleep", "600"])
    pathlib.Path("child").write_text(str(child.pid))
    time.sleep(600)
"""
    (project / "tests/unit/test_price.py").write_text(hangs)
    asked = subprocess.Popen(
        (*PROGRAM, "--suite=unit"),
        cwd=project,
        env=environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    child = project / "child"
    while not (child.exists() and child.read_text()):
        assert asked.poll() is None
    asked.send_signal(2)
    _, err = asked.communicate(timeout=30)
    assert asked.returncode == 1
    assert "test was interrupted by Ctrl-C" in err
    assert "nothing was changed" in err
    assert has_ended(int(child.read_text()))


def test_the_suites_of_services_are_their_test_commands(project):
    services = [
        {"name": "api", "path": "api", "test_command": "pytest tests"},
        {"name": "web", "path": "web", "test_command": "sh test.sh"},
        {"name": "models", "path": "models"},
    ]
    files = {
        "services.json": json.dumps(services),
        "api/tests/test_api.py": PASSES,
        "web/test.sh": "echo 'Tests: 3 passed, 3 total'\n",
        "models/a.py": "",
    }
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    told = run(project, "--service=api,web,models")
    assert told.returncode == 0, told.stdout + told.stderr
    rows = [line.split()[:3] for line in told.stdout.splitlines()]
    assert ["api", "passed", "1"] in rows
    assert ["web", "passed", "3"] in rows
    told = run(project, "--service=models")
    assert (told.returncode, told.stdout) == (2, "")
    assert "no tests are declared for models" in told.stderr
