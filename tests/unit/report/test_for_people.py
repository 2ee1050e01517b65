"""Errors, tables, results and plans as a person reads them, with or without a terminal."""

from pathlib import Path

from fairlead.errors import ConfigError, DeployFailed, Problem, RolledBack, UsageError
from fairlead.events import HostFinished
from fairlead.model import Command, Step
from fairlead.report.layout import duration


def test_an_error_says_what_why_state_and_next(listen):
    heard = listen()
    heard.reporter.error(
        DeployFailed(
            "host2: api did not become healthy within 60s",
            why=["/health answered 301 to /login", "last lines:\n  boom"],
            state="0006-v2.4.0 is serving on all hosts",
            next_step="inv logs --env=staging --service=api",
            docs="reference/exit-codes.md#1",
        )
    )
    assert heard.err.lines == [
        "✗ host2: api did not become healthy within 60s",
        "    /health answered 301 to /login",
        "    last lines:",
        "      boom",
        "  state: 0006-v2.4.0 is serving on all hosts",
        "  next:  inv logs --env=staging --service=api",
        "  docs:  docs/reference/exit-codes.md#1",
    ]
    assert heard.out.text == ""
    assert not heard.reporter.ok


def test_an_error_without_details_is_one_line(listen):
    heard = listen()
    heard.reporter.error(UsageError("--env needs a value"))
    assert heard.err.lines == ["✗ --env needs a value"]


def test_every_fault_of_a_configuration_is_shown(listen):
    heard = listen()
    problem = Problem("deploy/fairlead.toml", "services.api.prot", "unknown key", 12, "port")
    heard.reporter.error(ConfigError([problem, problem]))
    assert heard.err.lines[0] == "✗ configuration: 2 problems"
    assert heard.err.lines[1] == (
        "    deploy/fairlead.toml:12: services.api.prot: unknown key (did you mean `port`?)"
    )


def test_failures_are_repeated_last_when_several_hosts_failed(listen):
    heard = listen()
    for host in ("web1", "web2", "web3"):
        heard.reporter.event(HostFinished("start", host, host == "web1", 2.0, "exited with 137"))
    heard.reporter.error(RolledBack("two hosts failed", next_step="inv status"))
    assert heard.err.lines[-3:] == [
        "  next:  inv status",
        "✗ start web2: exited with 137",
        "✗ start web3: exited with 137",
    ]


def test_one_failed_host_is_not_repeated(listen):
    heard = listen()
    heard.reporter.event(HostFinished("start", "web2", False, 2.0, "exited with 137"))
    heard.reporter.error(RolledBack("web2 failed"))
    assert heard.err.lines[-1] == "✗ web2 failed"


def test_commands_are_named_as_they_were_typed(listen):
    error = UsageError("no task `deply`", next_step="inv deploy, or inv --list")
    by_inv, by_fairlead = listen(), listen(program="fairlead")
    by_inv.reporter.error(error)
    by_fairlead.reporter.error(error)
    by_fairlead.reporter.result({}, ["live", "next: inv rollback --quick"])
    assert "next:  inv deploy, or inv --list" in by_inv.err.text
    assert "next:  fairlead deploy, or fairlead --list" in by_fairlead.err.text
    assert "next: fairlead rollback --quick" in by_fairlead.out.text


def test_text_that_only_looks_like_a_command_is_left_alone(listen):
    heard = listen(program="fairlead")
    heard.reporter.error(UsageError("/usr/bin/inv deploy, inventory and my-inv deploy"))
    assert heard.err.lines == ["✗ /usr/bin/inv deploy, inventory and my-inv deploy"]


def test_a_table_is_aligned_and_goes_to_stdout(listen):
    heard = listen()
    rows = [["web1", "0007-v2.5.0", 2], ["staging-2", None, 10]]
    heard.reporter.table("Hosts", ["host", "release", "replicas"], rows, ["web2 is away"])
    assert heard.out.lines == [
        "Hosts",
        "  host       release      replicas",
        "  web1       0007-v2.5.0  2",
        "  staging-2               10",
        "  web2 is away",
    ]
    assert heard.err.text == ""


def test_an_empty_table_still_names_its_columns(listen):
    heard = listen()
    heard.reporter.table("", ["host", "release"], [])
    assert heard.out.lines == ["  host  release"]


def test_a_result_is_a_marked_sentence_and_what_belongs_to_it(listen):
    heard = listen()
    heard.reporter.result({"release": "7"}, ["0007 is live", "next: inv rollback --quick"])
    heard.reporter.result({}, ["2 checks failed"], ok=False)
    assert heard.out.lines == [
        "✓ 0007 is live",
        "  next: inv rollback --quick",
        "✗ 2 checks failed",
    ]
    assert not heard.reporter.ok


def steps() -> list[Step]:
    pull = (Command(("docker", "pull", "r/api@sha256:1")),)
    upload = Command(("fl_upload", "it's"), stdin=b"x", stdin_note="12 files, 3 kB")
    return [
        Step("pull", "Pull api", {"web1": pull, "web2": pull}),
        Step(
            "upload",
            "Upload 0007",
            {"web1": (upload,), "web2": (upload, Command(("true",)))},
            undo={"web1": (Command(("rm", "-r", "a b")),)},
        ),
    ]


HEADER = {"release": "0007-v2.5.0", "strategy": "blue-green"}


def test_a_plan_is_one_line_a_step_and_a_count(listen):
    heard = listen()
    heard.reporter.plan(steps(), HEADER, ["ports of api are reset"])
    assert heard.out.lines == [
        "release   0007-v2.5.0",
        "strategy  blue-green",
        "",
        "  1  Pull api     [web1, web2]",
        "  2  Upload 0007  [web1, web2]",
        "",
        "note: ports of api are reset",
        "",
        "2 steps, 5 commands on 2 hosts; undo prepared for 1",
    ]


def test_a_verbose_plan_shows_each_command_as_a_shell_takes_it(listen):
    heard = listen()
    heard.reporter.plan(steps(), {}, (), verbose=True)
    assert heard.out.lines == [
        "  1  Pull api     [web1, web2]",
        "       $ docker pull r/api@sha256:1",
        "  2  Upload 0007  [web1, web2]",
        "       web1 $ fl_upload 'it'\"'\"'s' < 12 files, 3 kB",
        "       web2 $ fl_upload 'it'\"'\"'s' < 12 files, 3 kB",
        "       web2 $ true",
        "       undo web1 $ rm -r 'a b'",
        "",
        "2 steps, 5 commands on 2 hosts; undo prepared for 1",
    ]


def test_a_command_of_several_lines_is_printed_byte_for_byte(listen):
    heard = listen()
    script = Step("run", "Run", {"web1": (Command(("sh", "-c", "a\n\tb  # ✓\n")),)})
    heard.reporter.plan([script], {}, (), verbose=True)
    assert "$ sh -c 'a\n\tb  # ✓\n'\n" in heard.out.text


def test_an_empty_plan_says_so(listen):
    heard = listen()
    heard.reporter.plan([], {})
    assert heard.out.lines == ["nothing to do"]


def test_durations_read_well_at_any_size():
    assert [duration(s) for s in (0.04, 1.25, 59.94, 59.96, 65, 3599.7, 7500)] == [
        "0.0s",
        "1.2s",
        "59.9s",
        "1m 00s",
        "1m 05s",
        "1h 00m",
        "2h 05m",
    ]


def test_the_page_that_an_error_names_is_on_this_machine(listen, tmp_path, monkeypatch):
    """Whoever installed the package has no checkout to look into."""
    monkeypatch.chdir(tmp_path)
    heard = listen()
    heard.reporter.error(UsageError("x", docs="reference/tasks.md#lock"))
    place = heard.err.lines[-1].split()[-1]
    assert place.endswith("docs/reference/tasks.md#lock")
    assert Path(place.partition("#")[0]).is_file()


def test_in_a_checkout_its_path_is_short(listen, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[3])
    heard = listen()
    heard.reporter.error(UsageError("x", docs="reference/tasks.md"))
    assert heard.err.lines[-1] == "  docs:  docs/reference/tasks.md"
