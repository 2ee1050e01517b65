"""Commands made into one script: what is planned is what runs, word by word."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import fairlead.commands
from fairlead.commands.functions import FUNCTION_FILES
from fairlead.commands.script import script
from fairlead.model import Command
from scripts import assigned, split_script

WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
NASTY = ("$(touch pwned)", "`id`", "';exit 9;'", 'a"b', "-n", "", "two\nlines", "~", "*", "\\", "é")


def run(shell, *commands, **variables):
    """A script run on a host."""
    whole = script(commands, {"FL_TOKEN": "", **variables})
    done = subprocess.run(
        [*shell.argv, *whole.argv[1:]],
        input=whole.stdin or b"",
        cwd=shell.own,
        **shell.options(),
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def echo(*words):
    return Command(("printf", "<%s>", *words))


@pytest.mark.parametrize("word", NASTY)
def test_a_word_arrives_as_it_is(shell, word):
    """Quotes, substitutions, newlines and semicolons are text to the command, nothing else."""
    code, out, _ = run(shell, echo("a", word, "z"))
    assert (code, out.partition("@run 0\n")[2]) == (0, f"<a><{word}><z>")
    assert not (shell.own / "pwned").exists()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(WORDS, min_size=1, max_size=4), value=WORDS)
def test_any_words_and_variables_arrive_as_they_are(shell, words, value):
    """Whatever is in a tag, a path or a name, the host sees it unchanged."""
    _, out, _ = run(shell, echo(*words), Command(("sh", "-c", 'printf "%s" "$0"', value)))
    expected = "".join(f"<{word}>" for word in words)
    assert out.partition("@run 0\n")[2] == f"{expected}@run 1\n{value}"


@example([["two\nlines", "echo @run 7"]])
@given(st.lists(st.lists(WORDS, min_size=1, max_size=4), min_size=1, max_size=4))
def test_a_script_holds_exactly_its_commands(argvs):
    """Taken apart again, a script is the commands it was made of: what is shown is what runs."""
    commands = [Command(("do", *argv)) for argv in argvs]
    if "echo @run" not in str(argvs):
        assert split_script(script(commands, {})) == [command.argv for command in commands]


def test_variables_are_quoted(shell):
    """A value with blanks and quotes is assigned, not run."""
    value = "it's $(touch pwned); a"
    _, out, _ = run(shell, Command(("eval", 'printf %s "$FL_BASE"')), FL_BASE=value)
    assert out.endswith(value)
    assert assigned(script((echo(),), {"FL_BASE": value}), "FL_BASE") == value


def test_it_stops_at_the_first_failure(shell):
    """What comes after a failed command does not run, and its exit code is the script's."""
    code, out, _ = run(shell, echo("1"), Command(("sh", "-c", "exit 7")), echo("3"))
    assert code == 7
    assert "@run 1" in out
    assert "<3>" not in out


def test_an_unset_variable_is_a_failure(shell):
    """A misspelt variable in a function never becomes `rm -rf /`."""
    code, _, err = run(shell, Command(("eval", 'echo "$FL_BSAE"')))
    assert code != 0
    assert "FL_BSAE" in err


def test_it_tells_its_process_group_first(shell):
    """The first line is the id by which the whole script can be ended."""
    _, out, _ = run(shell, Command(("eval", "echo $$")))
    first, _, last = out.strip().splitlines()
    assert first == f"@pid {last}"


def test_only_the_reader_gets_stdin(shell):
    """One command reads what is sent; the others read nothing, and take nothing away."""
    reader = Command(("cat",), stdin=b"sent\n", stdin_note="text")
    code, out, _ = run(shell, Command(("cat",)), reader, Command(("cat",)))
    assert (code, out.partition("@run 0\n")[2]) == (0, "@run 1\nsent\n@run 2\n")


def test_two_readers_are_a_mistake():
    """One channel has one stdin: a step that needs two is refused when it is made."""
    reader = Command(("cat",), stdin=b"x")
    with pytest.raises(ValueError, match="one script has one stdin"):
        script((reader, reader), {})


def test_the_note_and_the_time_come_along():
    """A script may take as long as its commands together; its stdin is described, not shown."""
    reader = Command(("cat",), stdin=b"secret", stdin_note="the env file", timeout=5)
    whole = script((reader, Command(("true",), timeout=7)), {})
    assert (whole.timeout, whole.stdin, whole.stdin_note) == (12, b"secret", "the env file")
    assert "secret" not in repr(whole)


def test_a_cut_connection_does_not_stop_it(shell, tmp_path):
    """A step goes on to its end though nobody listens any more."""
    shell.base.mkdir()
    end = Command(("touch", str(shell.base / "end")))
    whole = script((Command(("sleep", "0.2")), end), {})
    started = subprocess.Popen(
        [*shell.argv, *whole.argv[1:]],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=shell.environ,
    )
    started.stdout.close()
    started.wait(timeout=10)
    assert (shell.base / "end").exists()


def test_the_functions_are_posix_shell_without_warnings():
    """What hosts run is free of what shellcheck warns of."""
    folder = Path(fairlead.commands.__file__).parent
    names = [str(path) for path in folder.glob("*.sh")]
    assert {Path(name).name for name in names} >= set(FUNCTION_FILES)
    shellcheck = shutil.which("shellcheck") or str(Path(sys.executable).with_name("shellcheck"))
    done = subprocess.run(
        [shellcheck, "--shell=sh", "--severity=warning", "--exclude=SC2034", *names],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
