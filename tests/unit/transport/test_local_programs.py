"""Programs on this machine: what they say, and that nothing of them stays behind."""

import os
import threading

import pytest

from fairlead.model import Command
from fairlead.transport.local import run_local
from tests.processes import has_ended


def shell(script: str, timeout: float = 20.0) -> Command:
    return Command(("sh", "-c", script), timeout=timeout)


def test_it_tells_exit_code_and_both_streams(tmp_path):
    ran = run_local(shell("pwd; echo wrong >&2; exit 3"), cwd=tmp_path)
    assert (ran.code, ran.out, ran.err) == (3, f"{tmp_path}\n", "wrong\n")
    assert not ran.ok


def test_lines_come_as_they_are_printed():
    lines: list[str] = []
    run_local(shell("echo one; echo two"), on_line=lines.append)
    assert lines == ["one", "two"]


def test_stdin_reaches_the_program_even_when_it_does_not_read_it():
    assert run_local(Command(("cat",), stdin=b"secret")).out == "secret"
    assert run_local(Command(("true",), stdin=b"x" * 1_000_000)).ok


def test_a_program_that_is_not_there_is_missing():
    ran = run_local(Command(("no-such-program-anywhere",)))
    assert ran.missing
    assert not ran.ok


def test_odd_bytes_are_replaced():
    assert run_local(shell(r"printf 'a\377b'")).out == "a\ufffdb"


@pytest.mark.parametrize("trap", ["", "trap '' TERM; "], ids=["polite", "deaf"])
def test_at_its_timeout_it_ends_with_its_children(trap):
    ran = run_local(shell(f"{trap}sh -c '{trap}sleep 60' & echo $!; wait", timeout=1.0))
    assert ran.stopped == "timeout"
    assert has_ended(int(ran.out))


@pytest.mark.parametrize("trap", ["", "trap : TERM; "], ids=["polite", "deaf"])
def test_at_its_timeout_a_child_in_a_session_of_its_own_ends_too(trap):
    """A server that a suite starts like that would be ended by nobody."""
    server = f"{trap}echo $$; exec >/dev/null 2>&1; while :; do sleep 300; done"
    ran = run_local(shell(f"setsid sh -c '{server}' & wait", timeout=1.0))
    assert ran.stopped == "timeout"
    assert has_ended(int(ran.out))


def test_a_child_left_in_the_background_does_not_outlive_it():
    ran = run_local(shell("sleep 60 >/dev/null 2>&1 & echo $!"))
    assert ran.ok
    assert has_ended(int(ran.out))


def test_it_can_be_cancelled():
    cancel = threading.Event()
    threading.Timer(0.2, cancel.set).start()
    assert run_local(shell("sleep 60"), cancel=cancel).stopped == "interrupted"


def test_its_environment_is_what_it_is_given():
    ran = run_local(shell("echo $FLAG"), environ={"FLAG": "up", "PATH": os.environ["PATH"]})
    assert ran.out == "up\n"
