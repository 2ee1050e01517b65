"""Which shell functions a script carries: those it calls, at whatever depth, and no others."""

import re
import subprocess
from importlib.resources import files

import pytest

from fairlead.commands.functions import FUNCTION_FILES, functions

SOURCE = "".join(files("fairlead.commands").joinpath(n).read_text("utf-8") for n in FUNCTION_FILES)
NAMES = re.findall(r"^(fl_\w+)\(\)", SOURCE, re.MULTILINE)


def defined(text):
    return re.findall(r"^(fl_\w+)\(\)", text, re.MULTILINE)


def test_no_function_is_defined_twice():
    assert len(NAMES) == len(set(NAMES))


def test_a_text_that_calls_nothing_carries_no_function():
    """What stands outside functions always comes along: a host's exports never reach Compose."""
    assert defined(functions("docker ps")) == []
    assert "unset COMPOSE_FILE" in functions("docker ps")


def test_what_a_function_calls_comes_along_and_nothing_else():
    assert set(defined(functions("fl_owned"))) == {
        *("fl_owned", "fl_lock_read", "fl_uptime", "fl_fail"),
    }


def test_a_function_that_is_handed_on_as_a_word_comes_along():
    """`fl_router_locked fl_switch_now …`: called by name, from a variable."""
    assert "fl_switch_now" in defined(functions("fl_switch blue"))


@pytest.mark.parametrize("name", NAMES)
def test_every_function_comes_whole(name):
    """Cut out of its file, each is still a shell text, and still defines what it is called."""
    text = functions(name)
    assert name in defined(text)
    done = subprocess.run(["sh", "-n"], input=text.encode(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_all_of_them_are_the_source():
    """Nothing is lost on the way but comments and empty lines."""
    kept = [line for line in SOURCE.splitlines() if not re.match(r"\s*(#|$)", line)]
    kept = [re.sub(r"^(fl_\w+\(\) [{(]) # .*", r"\1", line) for line in kept]
    assert sorted(functions(" ".join(NAMES)).splitlines()) == sorted(kept)
