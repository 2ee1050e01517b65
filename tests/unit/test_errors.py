"""The tree of errors: exit codes are a promise to scripts, sentences one to people."""

import inspect

import pytest

from fairlead import errors
from fairlead.errors import ConfigError, FairleadError, HostError, Problem

EXIT_CODES = {
    "FairleadError": 1,
    "PreconditionError": 1,
    "HostError": 1,
    "DeployFailed": 1,
    "UsageError": 2,
    "ConfigError": 2,
    "LockHeld": 3,
    "GateRefused": 4,
    "RolledBack": 5,
    "MixedState": 6,
    "Inconclusive": 7,
}


def all_errors() -> dict[str, type[FairleadError]]:
    found = inspect.getmembers(errors, inspect.isclass)
    return {name: one for name, one in found if issubclass(one, FairleadError)}


def test_exit_codes_are_pinned():
    """Every error has the exit code that scripts rely on, and there is no other error."""
    assert {name: one.exit_code for name, one in all_errors().items()} == EXIT_CODES


def test_only_the_general_failures_share_a_kind():
    """`kind` tells errors apart in JSON, so that no two with a code of their own share one."""
    kinds = [one.kind for one in all_errors().values() if one.kind != "failed"]
    assert len(kinds) == len(set(kinds))


def test_an_error_carries_what_a_person_needs():
    """What failed is the exception's text; why, state and next step go beside it."""
    error = FairleadError("it broke", why=["line"], state="old serves", next_step="inv status")
    assert (str(error), error.what) == ("it broke", "it broke")
    assert (error.why, error.state, error.next_step) == (("line",), "old serves", "inv status")


def test_a_host_error_begins_with_the_host():
    """A person with four hosts sees first which one it is."""
    error = HostError("web1", "cannot be reached", state="nothing was changed")
    assert error.what == "web1: cannot be reached"
    assert (error.host, error.state) == ("web1", "nothing was changed")


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("a.toml", "x", "is wrong"), "a.toml: x: is wrong"),
        (Problem("a.toml", "x", "is wrong", 3), "a.toml:3: x: is wrong"),
        (
            Problem("a.toml", "x", "unknown key", 3, "y"),
            "a.toml:3: x: unknown key (did you mean `y`?)",
        ),
    ],
)
def test_a_problem_tells_place_fault_and_likely_remedy(problem, text):
    """A problem of a file is one line: file, line if known, path, fault, nearest key if any."""
    assert str(problem) == text


def test_a_config_error_lists_every_problem():
    """All problems of a run are told at once, counted in words that fit their number."""
    one, two = Problem("a", "x", "bad"), Problem("a", "y", "bad")
    assert ConfigError([one]).what == "configuration: 1 problem"
    error = ConfigError([one, two])
    assert error.what == "configuration: 2 problems"
    assert error.why == ("a: x: bad", "a: y: bad")
    assert error.state == "no host was contacted; nothing was changed"
