"""Commands in live containers: heard while they run, ended with whoever asked for them."""

import threading
from types import SimpleNamespace

import pytest

from fairlead.errors import HostError
from fairlead.model import Command, Result
from fairlead.rollout.containers import run_exec

COMMANDS = {"web1": (Command(("fl_exec", "api-1", "true")),)}


def session(stream):
    """Hosts that are spoken to by `stream`."""
    redact = lambda text: text.replace("s3cret", "•••")  # noqa: E731
    return SimpleNamespace(fleet=SimpleNamespace(stream=stream), redact=redact)


def test_a_line_is_told_before_the_command_ends():
    """Masked; what sh itself complains of comes last, and the exit code is the command's."""
    heard, in_time = threading.Event(), []

    def stream(name, words, tell, cancel):
        tell("one s3cret")
        in_time.append(heard.wait(5))
        return Result(name, 42, "one\n", "sh: oops\n", 0.0)

    told = []

    def tell(line):
        told.append(line)
        heard.set()

    assert run_exec(session(stream), COMMANDS, tell) == 42
    assert in_time == [True]
    assert told == ["one •••", "sh: oops"]


def test_lines_of_several_hosts_say_whose_they_are():
    def stream(name, words, tell, cancel):
        tell("up")
        return Result(name, 0, "", "", 0.0)

    told = []
    commands = dict.fromkeys(("web1", "web2"), COMMANDS["web1"])
    assert run_exec(session(stream), commands, told.append) == 0
    assert sorted(told) == ["web1 | up", "web2 | up"]


def test_a_host_that_is_lost_is_an_error():
    def stream(name, words, tell, cancel):
        raise HostError(name, "the connection was lost")

    with pytest.raises(HostError, match="the connection was lost"):
        run_exec(session(stream), COMMANDS, print)


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ("@ended\n", "what ran in the container was told to end (SIGTERM, after 10 s SIGKILL)"),
        ("", "what ran in the container may run on, on web1"),
    ],
)
def test_ctrl_c_ends_what_runs_and_says_so(said, note):
    def stream(name, words, tell, cancel):
        tell("one")
        assert cancel.wait(5)
        return Result(name, 143, said, "", 0.0)

    def interrupted(line):
        raise KeyboardInterrupt("SIGINT")

    with pytest.raises(KeyboardInterrupt) as caught:
        run_exec(session(stream), COMMANDS, interrupted)
    assert caught.value.__notes__ == [note]
