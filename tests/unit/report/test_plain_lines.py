"""Lines without a terminal: one for each change, none redrawn, none cut."""

import io
import re
import time

import pytest

from fairlead.events import (
    HostFinished,
    HostOutput,
    HostProgress,
    Notice,
    PhaseFinished,
    PhaseStarted,
)
from fairlead.report.plain import Plain
from fairlead.report.terminal import Outlet

TWO = ("host1", "host2")


def told(stream) -> list[str]:
    """The lines without their clocks, each of which must have one."""
    for line in stream.lines:
        assert re.match(r"\d\d:\d\d:\d\d ", line), line
    return [line[9:] for line in stream.lines]


def test_a_step_on_two_hosts_reads_like_a_story(listen):
    heard = listen()
    for event in (
        PhaseStarted("pull", "Pull api, worker", TWO),
        HostProgress("pull", "host1", "layers", 3, 7),
        HostProgress("pull", "host2", "layers", 1, 7, "12 MB"),
        HostOutput("pull", "host2", "Digest: sha256:1f"),
        HostFinished("pull", "host1", True, 1.23),
        HostFinished("pull", "host2", False, 75.0, "no space left"),
        PhaseFinished("pull", False, 75.0),
        Notice("the lock of somebody else was taken over", "warning"),
    ):
        heard.reporter.event(event)
    assert told(heard.err) == [
        "pull: Pull api, worker [host1, host2]",
        "pull host1: layers 3/7",
        "pull host2: layers 1/7 · 12 MB",
        "pull host2: | Digest: sha256:1f",
        "pull host1: done in 1.2s",
        "pull host2: failed in 1m 15s: no space left",
        "✗ pull        host1 1.2s · host2 failed 1m 15s",
        "warning: the lock of somebody else was taken over",
    ]
    assert heard.out.text == ""


def test_one_host_ends_its_step_in_one_line(listen):
    heard = listen()
    heard.reporter.event(PhaseStarted("lock", "Take the lock", ("host1",)))
    heard.reporter.event(HostFinished("lock", "host1", True, 0.2))
    heard.reporter.event(PhaseFinished("lock", True, 0.2))
    assert told(heard.err) == ["lock: Take the lock [host1]", "✓ lock        host1 0.2s"]


def test_what_did_not_change_is_not_repeated(listen):
    heard = listen()
    for done in (1, 1, 1, 2, 2):
        heard.reporter.event(HostProgress("pull", "host1", "layers", done, 7))
    assert told(heard.err) == ["pull host1: layers 1/7", "pull host1: layers 2/7"]


def test_progress_of_unknown_length_is_a_number(listen):
    heard = listen()
    heard.reporter.event(HostProgress("drain", "host1", "requests", 4, 0))
    heard.reporter.event(HostProgress("health", "host1", "api", 1, 2, "10.0.0.4 answers 503"))
    heard.reporter.event(HostProgress("start", "host1", "waiting", 0, 0))
    assert told(heard.err) == [
        "drain host1: requests 4",
        "health host1: api 1/2 · 10.0.0.4 answers 503",
        "start host1: waiting",
    ]


def test_nothing_is_cut_however_long(listen):
    heard = listen()
    long = "x" * 5000
    heard.reporter.event(HostOutput("migrate", "host1", long))
    heard.reporter.table("T", ["column"], [[long]])
    assert heard.err.text.count("x") == 5000
    assert heard.out.text.count("x") == 5000


def test_many_hosts_that_went_well_fold_into_a_range(listen):
    heard = listen()
    hosts = tuple(f"web{number}" for number in range(10))
    for number, host in enumerate(hosts):
        heard.reporter.event(HostFinished("pull", host, True, 1 + number / 10))
    heard.reporter.event(PhaseFinished("pull", True, 2.0))
    assert told(heard.err)[-1] == "✓ pull        10 hosts 1.0s – 1.9s"


@pytest.fixture
def beating():
    """A reporter with a fast heart, and its stream."""
    stream = io.StringIO()
    outlet = Outlet(stream, colour=False, redact=str)
    plain = Plain(outlet, outlet, verbose=False, spoken=str, heartbeat=0.4)
    yield plain, stream
    plain.close()


def test_a_silent_step_says_that_it_is_still_running(beating):
    plain, stream = beating
    plain.event(PhaseStarted("migrate", "Migrate", ("host1",)))
    plain.event(HostProgress("migrate", "host1", "api", 0, 2))
    time.sleep(1.0)
    beats = [line for line in stream.getvalue().splitlines() if "still running" in line]
    assert 1 <= len(beats) <= 2
    assert re.search(r"migrate: still running after 0\.\ds \(host1 api 0/2\)$", beats[0])


def test_a_step_that_speaks_has_no_heartbeat(beating):
    plain, stream = beating
    plain.event(PhaseStarted("pull", "Pull", ("host1",)))
    for done in range(12):
        plain.event(HostProgress("pull", "host1", "layers", done, 12))
        time.sleep(0.05)
    assert "still running" not in stream.getvalue()


def test_between_steps_the_heart_is_quiet(beating):
    plain, stream = beating
    plain.event(PhaseStarted("pull", "Pull", ("host1",)))
    plain.event(PhaseFinished("pull", True, 0.1))
    time.sleep(0.6)
    assert "still running" not in stream.getvalue()
