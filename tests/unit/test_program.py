"""The decorator, the signals, and the program `fairlead` over a small namespace."""

import copy
import json
import os
import signal
import threading
from collections.abc import Callable

import pytest
from invoke.collection import Collection
from invoke.exceptions import Exit

from fairlead.cli.interrupt import interruptible
from fairlead.cli.verb import COMMON, Run, verb
from fairlead.errors import (
    DeployFailed,
    FairleadError,
    GateRefused,
    HostError,
    Inconclusive,
    LockHeld,
    MixedState,
    RolledBack,
    UsageError,
)
from fairlead.program import Fairlead


class Told:
    """What a command wrote and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def result(self) -> dict:
        return json.loads(self.out.splitlines()[-1])


Start = Callable[..., Told]


@pytest.fixture
def start(capfd, monkeypatch) -> Start:
    """Run `fairlead <words>` over a namespace of the given tasks, in this process."""

    def run(line: str, *tasks: object) -> Told:
        argv = ["fairlead", *line.split()]
        monkeypatch.setattr("sys.argv", argv)
        program = Fairlead(namespace=Collection(*tasks), name="fairlead", binary="fairlead")
        with pytest.raises(SystemExit) as ended:
            program.run(argv)
        out, err = capfd.readouterr()
        return Told(int(ended.value.code or 0), out, err)

    for name in ("NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS", "FAIRLEAD_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return run


@verb(help={"tag": "The release"})
def deploy(
    run: Run, tag: str = "", replicas: int = 2, wait: bool = True, suite: tuple[str, ...] = ("a",)
) -> None:
    """Deploy a release"""
    run.reporter.result(
        {
            "given": vars(run.options),
            "own": [tag, replicas, wait, suite],
            "rest": run.remainder,
        }
    )


@verb(mutates=False)
def rollback(run: Run, list: bool = False) -> None:
    """Return to an earlier release"""
    run.reporter.result({"list": list}, ["listed"])


@verb(name="list")
def list_(run: Run) -> None:
    """List the backups"""


@verb
def release(run: Run, token: str) -> None:
    """Free the lock"""
    run.reporter.result({"token": token})


BACKUPS = Collection("backups", list_)
ALL = (deploy, rollback, release, BACKUPS)


def failing(error: BaseException, *, mutates: bool = True):
    """A task that fails like this."""

    @verb(name="fail", mutates=mutates)
    def fail(run: Run) -> None:
        """Fail"""
        raise error

    return fail


def test_flags_reach_the_body(start):
    told = start(
        "deploy --json --env=staging --tag v2 --replicas=3 --no-wait --service=a,b --service c"
        " --hosts=web1 --suite=x --suite=y,z -v --yes --plan -- ls -la a=b",
        *ALL,
    )
    assert told.code == 0
    assert told.result["own"] == ["v2", 3, False, ["x", "y", "z"]]
    assert told.result["rest"] == ["ls", "-la", "a=b"]
    assert told.result["given"] == {
        "env": "staging",
        "plan": True,
        "json": True,
        "yes": True,
        "service": ["a", "b", "c"],
        "hosts": ["web1"],
        "verbose": True,
    }


def test_flags_that_are_not_given_have_their_defaults(start):
    told = start("deploy --json", *ALL)
    assert told.result["own"] == ["", 2, True, ["a"]]
    assert told.result["given"]["service"] == []


def test_a_flag_named_like_one_of_invoke_reaches_the_task(start):
    told = start("rollback --list --json", *ALL)
    assert told.result["list"] is True


def test_a_task_of_a_collection_and_a_positional(start):
    assert start("backups.list --json", *ALL).result["outcome"] == "done"
    assert start("release abc --json", *ALL).result["token"] == "abc"


@pytest.mark.parametrize("task", [deploy, rollback, release, list_])
def test_every_task_has_the_common_flags(task):
    found = {argument.name: argument for argument in task.get_arguments()}
    for name, (default, text) in COMMON.items():
        assert found[name].help == text
        assert found[name].value in (default, [])


def test_a_task_cannot_redefine_a_common_flag():
    with pytest.raises(TypeError, match="every task has the flags env already"):

        @verb
        def broken(run: Run, env: str = "") -> None:
            """Broken"""


def test_help_for_no_parameter_is_a_fault():
    with pytest.raises(TypeError, match="no parameter: tga"):

        @verb(help={"tga": "x"})
        def broken(run: Run, tag: str = "") -> None:
            """Broken"""


def test_flags_of_two_runs_do_not_mix(start):
    """Invoke copies its arguments before it fills them; ours copy cheaply."""
    first = start("deploy --json --service=a", *ALL).result
    second = start("deploy --json --service=b", *ALL).result
    assert (first["given"]["service"], second["given"]["service"]) == (["a"], ["b"])
    twice = start("deploy --json --tag=a --service=a deploy --json --service=b", *ALL)
    assert (twice.result["own"][0], twice.result["given"]["service"]) == ("", ["b"])
    assert copy.deepcopy(deploy).own == deploy.own


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DeployFailed("x"), 1),
        (UsageError("x"), 2),
        (LockHeld("x"), 3),
        (GateRefused("x"), 4),
        (RolledBack("x"), 5),
        (MixedState("x"), 6),
        (Inconclusive("x"), 7),
    ],
)
def test_an_error_is_told_and_sets_the_exit_code(start, error: FairleadError, code):
    told = start("fail", failing(error))
    assert (told.code, told.out, told.err) == (code, "", "✗ x\n")
    told = start("fail --json", failing(error))
    assert (told.code, told.result["exit_code"]) == (code, code)
    assert told.result["error"]["what"] == "x"


def test_a_bug_leaves_an_unknown_state(start):
    told = start("fail", failing(KeyError("oops")))
    assert told.code == 6
    assert told.err.startswith("✗ this is a bug in fairlead: fail met KeyError: 'oops'\n")
    assert "state: unknown" in told.err
    assert "Traceback" not in told.err


@pytest.mark.parametrize(("line", "mutates"), [("fail", False), ("fail --plan", True)])
def test_a_bug_in_what_only_looks_changed_nothing(start, line, mutates):
    told = start(line, failing(KeyError("oops"), mutates=mutates))
    assert told.code == 1
    assert "nothing was changed" in told.err


def test_a_traceback_is_for_those_who_ask(start, monkeypatch):
    monkeypatch.setenv("FAIRLEAD_DEBUG", "1")
    told = start("fail --json", failing(KeyError("oops")))
    assert "Traceback" in told.err
    assert told.result["outcome"] == "bug"


def test_a_traceback_has_no_secret(start, monkeypatch):
    """Law 10."""
    monkeypatch.setenv("FAIRLEAD_DEBUG", "1")
    monkeypatch.setattr(Run, "redact", lambda self, text: text.replace("hunter2", "•••"))
    told = start("fail", failing(KeyError("hunter2")))
    assert "KeyError: '•••'" in told.err
    assert "hunter2" not in told.err


def test_ctrl_c_is_a_sentence(start):
    told = start("fail", failing(KeyboardInterrupt()))
    assert told.code == 1
    assert told.err.startswith("✗ fail was interrupted by Ctrl-C\n")


def test_sigterm_is_like_ctrl_c(start):
    @verb(mutates=False)
    def wait(run: Run) -> None:
        """Wait"""
        os.kill(os.getpid(), signal.SIGTERM)

    told = start("wait --json", wait)
    assert (told.code, told.result["outcome"]) == (1, "interrupted")
    assert told.result["error"]["what"] == "wait was interrupted by SIGTERM"


def test_a_result_that_is_not_ok_fails(start):
    @verb
    def check(run: Run) -> None:
        """Check"""
        run.reporter.result({}, ["2 faults"], ok=False)

    told = start("check", check)
    assert (told.code, told.out) == (1, "✗ 2 faults\n")


def test_a_body_may_choose_its_exit_code(start):
    @verb
    def check(run: Run) -> int:
        """Check"""
        return 7

    assert start("check --json", check).result["exit_code"] == 7


def test_a_body_may_leave_by_exit(start):
    @verb
    def leave(run: Run) -> None:
        """Leave"""
        raise Exit(code=4)

    assert start("leave --json", leave).result["exit_code"] == 4


def test_invoke_s_dry_is_no_plan(monkeypatch):
    """Under `inv` the flag is taken after any task, and a task would run for real."""
    from invoke.config import Config
    from invoke.context import Context

    monkeypatch.setattr("sys.argv", ["inv"])
    with pytest.raises(Exit) as ended:
        deploy(Context(Config(overrides={"run": {"dry": True}})))
    assert ended.value.code == 2


@verb
def ask(run: Run) -> None:
    """Ask"""
    run.confirm("Remove it?")
    run.reporter.result({}, ["removed"])


def test_without_a_terminal_nobody_is_asked(start):
    """Law 11."""
    told = start("ask", ask)
    assert (told.code, told.out) == (2, "")
    assert "repeat the command with --yes" in told.err


def test_yes_is_an_answer(start):
    assert start("ask --yes", ask).out == "✓ removed\n"


# The program


def test_alone_it_says_what_it_is(start):
    told = start("", *ALL)
    assert told.code == 0
    assert told.out.startswith("fairlead: ")
    for name in ("deploy", "rollback", "backups.list", "release"):
        assert f"\n  {name}" in told.out
    assert told.err == ""


def test_its_version(start):
    from fairlead import __version__

    told = start("--version", *ALL)
    assert (told.code, told.out) == (0, f"fairlead {__version__}\n")


@pytest.mark.parametrize("line", ["deploy --help", "--help deploy", "deploy --env=x -h"])
def test_help_of_a_task_has_its_own_flags_first(start, line):
    told = start(line, *ALL)
    assert told.code == 0
    assert told.out.startswith("fairlead deploy: Deploy a release\n")
    own, common = told.out.split("Flags of every task:")
    for flag in ("--tag=TEXT", "--replicas=NUMBER", "--[no-]wait", "--suite=A,B"):
        assert flag in own
    assert "(default: 2)" in own
    for flag in COMMON:
        assert f"--{flag}" in common


def test_help_works_where_a_positional_is_missing(start):
    assert start("release --help", *ALL).code == 0


MISTAKES = {
    "deply": "no task deply (did you mean deploy?)",
    "backup": "no task backup (did you mean backups.list?)",
    "xyzzy": "no task xyzzy",
    "backups": "backups is a group of tasks: backups.list",
    "deploy --tga=x": "deploy has no flag --tga (did you mean --tag?)",
    "deploy --dry-run": "deploy has no flag --dry-run (did you mean --plan?)",
    "deploy --dry": "deploy has no flag --dry (did you mean --plan?)",
    "deploy --environment=x": "deploy has no flag --environment (did you mean --env?)",
    "deploy -x": "deploy has no flag -x",
    "deploy --env": "--env needs a value",
    "deploy --env --plan": "--env needs a value",
    "deploy --env=a --env=b": "--env is given twice",
    "deploy --plan=yes": "--plan takes no value",
    "deploy --plan=rollback": "--plan takes no value",
    "deploy --replicas=two": "--replicas needs a whole number, not 'two'",
    "deploy staging": "deploy takes no word like staging",
    "deploy rolback": "no task rolback (did you mean rollback?)",
    "release": "release needs <token>",
    "--env=x deploy": "--env is a flag of a task, and none is named before it",
    "--verison": "no flag --verison (did you mean --version?)",
    "--help deply": "no task deply (did you mean deploy?)",
    "--list backup": "no group of tasks backup (did you mean backups?)",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_a_sentence(start, line):
    told = start(line, *ALL)
    assert (told.code, told.out) == (2, "")
    assert told.err.splitlines()[0] == f"✗ {MISTAKES[line]}"


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_with_json_is_a_result(start, line):
    told = start(line + " --json", *ALL)
    assert (told.code, told.err) == (2, "")
    assert [json.loads(one)["type"] for one in told.out.splitlines()] == ["error", "result"]
    assert told.result["exit_code"] == 2
    assert told.result["outcome"] == "usage"


def test_json_after_the_double_dash_is_not_ours(start):
    told = start("deply -- jq --json", *ALL)
    assert (told.code, told.out) == (2, "")


def test_two_tasks_in_a_row(start):
    told = start("rollback backups.list --json", *ALL)
    assert told.code == 0
    assert told.out.startswith("✓ listed\n{")


# Signals


def test_the_second_sigterm_does_not_cut_short_the_clean_up():
    cleaned = []

    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            cleaned.append(True)

    with interruptible(), pytest.raises(KeyboardInterrupt, match="SIGINT"):
        work()
    assert cleaned


def test_a_second_ctrl_c_does():
    with interruptible():
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_handlers_are_given_back():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with interruptible():
        assert signal.getsignal(signal.SIGTERM) is not before[0]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_what_is_ignored_stays_ignored():
    """nohup means it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_the_main_thread_nothing_is_installed():
    found = []

    def work() -> None:
        with interruptible():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.SIG_DFL]


def test_a_task_hides_no_collection_and_no_collection_a_task():
    """A module of fairlead.tasks has the name of a task elsewhere: `lock.release`, `release.…`."""
    from fairlead.tasks import ns as verbs

    assert {"lock.release", "lock.status", "release.notes"} <= set(verbs.task_names)
    assert not [name for name in verbs.task_names if name.count(".") > 1]


@pytest.mark.parametrize("error", [HostError, LockHeld, MixedState, RolledBack, DeployFailed])
def test_the_next_command_is_for_the_environment_that_was_given(start, error):
    """Without --env it would be the default one that a tired person looks at."""
    told = start("fail --env=production", failing(unlucky(error)))
    assert "next:  fairlead rollback --env=production --to=v1, or" in told.err
    assert "fairlead status --env=production" in told.err


def unlucky(kind: type[FairleadError]) -> FairleadError:
    words = ("web1", "x") if kind is HostError else ("x",)
    return kind(*words, next_step="inv rollback --to=v1, or inv status")


def test_a_group_of_tasks_leads_to_its_list_and_not_to_one_that_changes_something(start):
    told = start("backups", *ALL)
    assert "next:  fairlead --list backups\n" in told.err


def test_help_names_commands_as_they_are_typed_here(start):
    @verb
    def console(run: Run) -> None:
        """Open it: inv console

        Then: inv status shows it.
        """

    assert "Open it: fairlead console" in start("", console).out
    told = start("console --help", console).out
    assert "Open it: fairlead console" in told
    assert "Then: fairlead status" in told
