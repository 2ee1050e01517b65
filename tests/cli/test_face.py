"""The conventions of the face, as whole commands: over every task, with `inv` and `fairlead`."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from fairlead.cli.verb import COMMON, Verb
from fairlead.tasks import ns

TASKS = tuple(ns.task_names)
PROGRAMS = {
    "inv": (sys.executable, "-m", "invoke"),
    "fairlead": (sys.executable, "-m", "fairlead"),
}


def environ(**more: str) -> dict[str, str]:
    """A bare environment: nothing of the machine that runs the tests steers a command."""
    kept = ("PATH", "HOME", "LANG", "PYTHONPATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | more


@pytest.fixture
def project(tmp_path) -> Path:
    """A project of somebody who uses these tasks through plain `inv`, and nothing else."""
    (tmp_path / "tasks.py").write_text("from fairlead.tasks import ns\n")
    return tmp_path


def run(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    argv = (*PROGRAMS[words[0]], *words[1:])
    return subprocess.run(
        argv,
        cwd=folder,
        env=environ(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_the_same_flags_with_the_same_words(name):
    task = ns[name]
    assert isinstance(task, Verb)
    found = {argument.name: argument for argument in task.get_arguments()}
    for flag, (_, text) in COMMON.items():
        assert found[flag].help == text or flag in task.refuses
    assert found["verbose"].nicknames == ("v",)
    assert [flag for flag, one in found.items() if flag != "verbose" and one.nicknames] == []


@pytest.mark.parametrize("name", TASKS)
def test_every_task_and_every_flag_is_explained(name):
    task = ns[name]
    headline = (task.__doc__ or "").splitlines()[0]
    assert 10 < len(headline) <= 90, headline
    assert not headline.startswith(" ")
    silent = [argument.name for argument in task.get_arguments() if not argument.help]
    assert silent == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_all_tasks_are_listed(project, program):
    told = run(project, program, "--list")
    assert told.returncode == 0, told.stderr
    for name in TASKS:
        assert f"  {name} " in told.stdout
    assert told.stderr == ""


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_help(project, program, name):
    told = run(project, program, name, "--help")
    assert told.returncode == 0, told.stderr
    for flag in COMMON:
        assert f"--{flag}" in told.stdout


@pytest.mark.parametrize("name", TASKS)
def test_every_task_ends_with_a_json_result(project, name):
    """Outside a project: whatever a task makes of that, its last line tells."""
    told = run(project, "fairlead", name, "--json", "--plan")
    *_, last = lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert [line["type"] for line in lines].count("result") == 1
    assert last["type"] == "result"
    assert last["exit_code"] == told.returncode
    assert "Traceback" not in told.stderr
    assert last["outcome"] != "bug", last


@pytest.mark.parametrize("name", TASKS)
def test_no_task_waits_for_an_answer_or_shows_a_traceback(project, name):
    """Law 11: without a terminal nothing waits; stdin here is one that never says anything."""
    reading, writing = os.pipe()
    argv = (*PROGRAMS["fairlead"], name, "--plan")
    told = subprocess.run(
        argv, cwd=project, env=environ(), stdin=reading, capture_output=True, text=True, timeout=30
    )
    os.close(reading)
    os.close(writing)
    assert "Traceback" not in told.stderr
    assert "bug in fairlead" not in told.stderr
    assert "\x1b" not in told.stdout + told.stderr


@pytest.mark.parametrize("json_too", [False, True])
def test_an_unknown_task_is_told_with_the_nearest(project, json_too):
    told = run(project, "fairlead", "depoly", *["--json"] * json_too)
    assert told.returncode == 2
    if json_too:
        assert "did you mean deploy?" in json.loads(told.stdout.splitlines()[-1])["error"]["what"]
        assert told.stderr == ""
    else:
        assert told.stdout == ""
        assert "did you mean deploy?" in told.stderr


def test_outside_a_project_a_person_is_told_what_to_do(project):
    told = run(project, "fairlead", "status")
    assert (told.returncode, told.stdout) == (2, "")
    assert "deploy/fairlead.toml" in told.stderr
    assert "next:" in told.stderr


def test_it_needs_no_tasks_file(tmp_path):
    assert run(tmp_path, "fairlead", "--list").returncode == 0
    assert run(tmp_path, "fairlead").stdout.startswith("fairlead: ")


def test_naming_the_tasks_imports_nothing_heavy():
    """Every command pays for what the tasks import; what few need is imported where it is used."""
    code = (
        "import sys, invoke; before = set(sys.modules);"
        "import fairlead.tasks; print(*(set(sys.modules) - before))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], env=environ(), capture_output=True, text=True, check=True
    )
    added = {name.partition(".")[0] for name in told.stdout.split()}
    assert added == {"fairlead"}
    assert not {name for name in told.stdout.split() if name.startswith("fairlead.rollout")}


@pytest.mark.parametrize("words", [("rollback", "--quick", "--list"), ("rollback", "--list")])
@pytest.mark.parametrize("program", PROGRAMS)
def test_rollback_keeps_its_own_list_flag(project, program, words):
    """`--list` is Invoke's own flag as well; here it must not list the tasks."""
    told = run(project, program, *words)
    assert "deploy" not in told.stdout
    assert told.returncode == 2


def test_invoke_s_dry_never_deploys(project):
    told = run(project, "inv", "deploy", "--tag=v1", "--dry")
    assert (told.returncode, told.stdout) == (2, "")
    assert "--plan shows what would run" in told.stderr


def test_a_reader_that_leaves_early_breaks_nothing(project):
    shell = f"{' '.join(PROGRAMS['fairlead'])} --list | head -1"
    told = subprocess.run(
        ["sh", "-c", shell], cwd=project, env=environ(), capture_output=True, text=True, timeout=60
    )
    assert told.stderr == ""


def test_a_reader_that_is_gone_gets_no_traceback(project):
    reading, writing = os.pipe()
    os.close(reading)
    argv = (*PROGRAMS["fairlead"], "deploy", "--help")
    told = subprocess.run(
        argv, cwd=project, env=environ(), stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    assert (told.returncode, told.stderr) == (0, "")


SMALL = """
import time
from invoke import Collection
from fairlead.cli.verb import Run, verb

@verb
def remove(run: Run) -> None:
    "Remove something"
    run.confirm("Remove it?")
    run.reporter.result({}, ["removed"])

@verb
def wait(run: Run) -> None:
    "Wait for a signal"
    run.reporter.text(["waiting"])
    time.sleep(30)

ns = Collection(remove, wait)
"""


@pytest.fixture
def small(tmp_path) -> Path:
    (tmp_path / "tasks.py").write_text(SMALL)
    return tmp_path


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ("y\n", 0, "removed"),
        ("Yes\n", 0, "removed"),
        ("n\n", 4, "not confirmed"),
        ("\n", 4, "not confirmed"),
        ("\x04", 4, "not confirmed"),
    ],
)
def test_on_a_terminal_a_person_is_asked(small, answer, code, said):
    ended, seen = on_a_terminal(small, answer, "remove")
    assert ended == code
    assert said in seen


def test_with_json_nobody_is_asked_even_there(small):
    ended, seen = on_a_terminal(small, "", "remove", "--json")
    assert ended == 2
    assert "[y/N]" not in seen


def on_a_terminal(folder: Path, answer: str, *words: str) -> tuple[int, str]:
    """The exit code and the screen of `inv …` on a terminal, where a question gets this answer."""
    master, slave = pty.openpty()
    asked = subprocess.Popen(
        (*PROGRAMS["inv"], *words),
        cwd=folder,
        env=environ(TERM="xterm"),
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    seen = b""
    try:
        while piece := os.read(master, 4096):
            seen += piece
            if piece.endswith(b"[y/N] "):
                os.write(master, answer.encode())
    except OSError:
        pass  # how Linux says that the other end is closed
    os.close(master)
    return asked.wait(20), seen.decode()


@pytest.mark.parametrize("signal_name", ["INT", "TERM", "HUP"])
def test_a_signal_ends_a_task_with_a_sentence(small, signal_name):
    import signal

    number = getattr(signal, f"SIG{signal_name}")
    told = subprocess.Popen(
        (*PROGRAMS["inv"], "wait"),
        cwd=small,
        env=environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # nohup ignores one of them
    )
    assert told.stdout is not None
    assert told.stdout.readline() == "waiting\n"
    told.send_signal(number)
    out, err = told.communicate(timeout=20)
    assert (told.returncode, out) == (1, "")
    assert "✗ wait was interrupted by" in err
    assert "Traceback" not in err
