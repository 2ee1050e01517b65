"""What a host's figures mean: how full, how well, and what a person has to look after."""

import json

import pytest

from fairlead.errors import HostError
from fairlead.model import Result
from fairlead.rollout.host_check import Disk, describe, faults, read

GIB = 1 << 20


def a_line(name="web", status="running", health="healthy", **changes):
    raw = {"name": f"/{name}", "image": "web:1", "status": status, "health": health}
    return "@container " + json.dumps(
        {**raw, "exit_code": 0, "oom": False, "restarts": 0, **changes}
    )


def figures(*lines, engine="26.1.5", disk=f"{100 * GIB} {50 * GIB} {50 * GIB} /"):
    """A host's answer, read."""
    text = (
        "@pid 1",
        "@uptime 93784.51",
        "@load 0.10 0.20 0.30 4",
        f"@memory MemTotal {4 * GIB}",
        f"@memory MemAvailable {GIB}",
        f"@disk {disk}",
        f"@engine {engine}",
        *lines,
    )
    return read("web1", Result("web1", 0, "\n".join(text), "", 0.1))


def test_a_host_that_is_well_has_no_faults():
    found = {"web1": figures(a_line(), a_line("old", "exited", "", exit_code=137))}
    assert faults(found) == []
    rows, notes = describe(found)
    told = {what: value for _, what, _, value in rows}
    assert told["up"] == "1 d 2 h"
    assert told["load"] == "0.10 0.20 0.30 on 4 CPUs"
    assert told["memory"] == "1.0 GiB of 4.0 GiB available"
    assert told["containers"] == "1 running, 1 with a passed health check, 1 stopped"
    assert notes == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (a_line(health="unhealthy"), "container web is unhealthy"),
        (
            a_line(status="restarting", health="", exit_code=137, oom=True, restarts=4),
            "container web is restarting (exit code 137, out of memory, 4 restarts)",
        ),
        (a_line(status="dead", health=""), "container web is dead (exit code 0, 0 restarts)"),
    ],
)
def test_a_sick_container_is_a_fault_with_its_last_words(line, fault):
    found = {"web1": figures(line, "@said web log: no memory left", '@said web health check: "x"')}
    assert faults(found) == [f"web1: {fault}"]
    rows, notes = describe(found)
    assert ("web1", "container web", "failed") in [row[:3] for row in rows]
    assert notes == ["web1 web log: no memory left", 'web1 web health check: "x"']


@pytest.mark.parametrize(("used", "full"), [(90, False), (91, True)])
def test_a_disk_may_be_nine_tenths_full(used, full):
    found = {"web1": figures(disk=f"{100 * GIB} {used * GIB} {(100 - used) * GIB} /")}
    assert bool(faults(found)) == full


def test_how_full_a_disk_is_leaves_out_what_is_kept_for_root():
    assert Disk("/", 100, 90, 5).percent == 95
    assert Disk("/", 0, 0, 0).percent == 0


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("missing", "Docker is not installed"),
        ("unreachable permission denied", "Docker does not answer: permission denied"),
    ],
)
def test_a_host_without_an_engine_is_a_fault(engine, said):
    assert faults({"web1": figures(engine=engine)}) == [f"web1: {said}"]


def test_a_host_that_does_not_answer_is_a_fault_beside_the_others():
    found = {"web1": figures(), "web2": HostError("web2", "cannot be reached")}
    assert faults(found) == ["web2: cannot be reached"]
    assert ("web2", "host", "not-run", "no answer") in describe(found)[0]


def test_half_an_answer_is_none():
    with pytest.raises(HostError, match="no space left"):
        read("web1", Result("web1", 1, "@pid 1\n@uptime 5", "no space left", 0.1))
