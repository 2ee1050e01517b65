"""Faults of their own: many deployers, a struck rollback, a hung hook, a lying registry, disks
that are full, clocks that disagree."""

import os
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults import invariants
from tests.faults.liar import lying_registry
from tests.faults.load import Loads
from tests.faults.scene import NEW, OLD, Scene
from tests.faults.test_matrix import forget_idle_image, settle
from tests.faults.turns import Turns
from tests.lab.hosts import ROOT
from tests.lab.project import Project, Run

pytestmark = [pytest.mark.timeout(600), pytest.mark.lab]
MANY = 20


def story(app: Project) -> list[tuple[object, ...]]:
    """What the audit of each host tells of deploys, in order; the same on all of them."""
    told = [
        [(line["release"], line["outcome"]) for line in host.audit(app.app) if "outcome" in line]
        for host in app.hosts
    ]
    assert len(told) > 1, "one host tells nothing of another: --fault-hosts=2"
    assert all(one == told[0] for one in told), told
    return told[0]


def at_once(app: Project, *words: str) -> list[Run]:
    """MANY deploys that are begun at once, ended."""
    tags = [(OLD, NEW)[number % 2] for number in range(MANY)]
    started = [app.start("deploy", f"--tag={tag}", "--json", *words) for tag in tags]
    return [one.end(timeout=500) for one in started]


def test_twenty_deployers_at_once(app: Project) -> None:
    """One works at a time; the others are refused, and no request is lost."""
    before = len(story(app))
    with Loads(app) as loads, Turns(app) as turns:
        codes = [run.code for run in at_once(app)]
        invariants.nobody_noticed(loads)
    assert set(codes) <= {0, 1, 3}, codes  # 1: changed between the plan and the lock
    assert codes.count(0) >= 1
    assert len(story(app)) - before == codes.count(0)
    assert turns.one_at_a_time() == codes.count(0)


def test_twenty_deployers_that_wait(app: Project) -> None:
    """All of them come to their turn, one after the other, each whole; the audit tells of each."""
    before = len(story(app))
    with Loads(app) as loads, Turns(app) as turns:
        runs = at_once(app, "--lock-wait=15m")
        invariants.nobody_noticed(loads)
    waits = [line for run in runs for line in run.lines if line.get("step") == "lock-wait"]
    vain = sum(line["type"] == "phase-started" for line in waits)
    slowest = max(run.seconds for run in runs)
    print(f"\n{MANY} deployers: {slowest:.0f} s; {vain} of {vain + MANY} attempts were refused")
    assert {run.code for run in runs} == {0}, [run.text for run in runs if run.code]
    assert len(story(app)) - before == MANY
    assert turns.one_at_a_time() == MANY
    invariants.settled(app, app.serving())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
@pytest.mark.parametrize("phase", ["switch", "drain"])
def test_a_rollback_that_is_struck(app: Project, phase: str, number: int) -> None:
    """It is like a deploy: one release serves, whole, and the next command settles it."""
    newer = NEW if app.serving() == OLD else OLD
    older = app.serving()
    app.deploy(newer).ok()
    with Loads(app) as loads:
        scene = Scene(app, newer, older, app.start("rollback", "--quick", "--json"))
        scene.wait_for(phase)
        scene.running.signal(number)
        scene.end()
        settle(scene)
    invariants.nobody_noticed(loads)


def test_a_hook_that_hangs(struck) -> None:
    """A migration that never ends is ended at its timeout; nothing else was begun."""
    app: Project = struck("hangs", lambda app: None)  # whose image nobody else's test pulls
    app.edit("deploy/fairlead.toml", "sleep .7", "sleep 600")
    app.append("deploy/fairlead.toml", 'timeout = "2s"\n')
    with Loads(app) as loads:
        ended = app.deploy(NEW)
    assert ended.code == 1, ended.text
    assert "migrate" in ended.error["what"]
    invariants.settled(app, OLD)
    invariants.nobody_noticed(loads)


def other(app: Project) -> str:
    return NEW if app.serving() == OLD else OLD


def refused_whole(app: Project, tag: str, before: str, *words: str) -> None:
    """A deploy fails with these words, every request is answered; what was before serves on."""
    with Loads(app) as loads:
        ended = app.deploy(tag)
    assert ended.code == 1, ended.text
    for word in words:
        assert word in ended.text
    invariants.nobody_noticed(loads)
    invariants.settled(app, before)


def test_a_registry_that_serves_other_bytes(app: Project) -> None:
    """What arrives is not what was asked for by digest: it is never started."""
    before = app.serving()
    forget_idle_image(app)
    with lying_registry(app.hosts[-1], app.lab):
        refused_whole(app, other(app), before, "`pull` failed", "docker pull")
    app.deploy(other(app)).ok()


def image_with_a_large_layer(folder: Path) -> str:
    """A release of which 8 MiB are on no host yet; its tag, which is what it answers."""
    tag = "large"
    (folder / "layer").write_bytes(os.urandom(8 << 20))
    (folder / "Dockerfile").write_text(f"FROM agentic:{NEW}\nENV VERSION={tag}\nCOPY layer /srv/\n")
    for words in (
        ("docker", "build", "-q", "-t", f"agentic:{tag}", str(folder)),
        (str(ROOT / "scripts/lab"), "push", f"agentic:{tag}", f"agentic:{tag}"),
    ):
        subprocess.run(words, check=True, capture_output=True, timeout=120)
    return tag


def test_dockers_disk_fills_in_the_middle_of_a_pull(app: Project, tmp_path: Path) -> None:
    """There was room enough when it was asked; then a layer does not fit where Docker puts it."""
    before, tag = app.serving(), image_with_a_large_layer(tmp_path)
    incoming = "/var/lib/docker/tmp"  # of a lab host's dockerd
    host = app.hosts[-1]
    host.must(f"mount -t tmpfs -o size=2m tmpfs {incoming}", user="root")
    try:
        refused_whole(app, tag, before, "`pull` failed", "no space left on device")
    finally:
        host.must(f"umount -l {incoming}", user="root")
    app.deploy(tag).ok()
    invariants.settled(app, tag)
    app.inv("rollback", "--quick").ok()
    invariants.settled(app, before)


def test_the_clients_disk_is_full(app: Project, tmp_path: Path) -> None:
    """A deploy keeps nothing here that it could not do without: it is done, or nothing was."""
    before = app.serving()
    full = tmp_path / "full"
    full.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", full], check=True)
    try:
        subprocess.run(["sh", "-c", f"cat /dev/zero >{full}/filler 2>/dev/null || :"], check=True)
        with Loads(app) as loads:
            places = {"TMPDIR": str(full), "XDG_CACHE_HOME": str(full), "HOME": str(full)}
            ended = app.inv("deploy", f"--tag={other(app)}", "--json", env=places)
    finally:
        subprocess.run(["umount", "-l", full], check=True)
    assert "bug" not in ended.text
    assert ended.code in (0, 2), ended.text
    invariants.nobody_noticed(loads)
    invariants.settled(app, before if ended.code else (NEW if before == OLD else OLD))


def clock(offset: str) -> dict[str, str]:
    """The environment of a program whose clock is that many seconds off.

    What counts is that client and host differ, so a host whose clock is off is the same.
    """
    return {"PYTHONPATH": str(Path(__file__).parent / "wrong_clock"), "WRONG_BY": offset}


@pytest.mark.parametrize("offset", ["-3600", "+3600"])
def test_clocks_that_are_an_hour_apart(app: Project, offset: str) -> None:
    """No lock, lease, wait or choice of a release hangs on what time it is anywhere."""
    before, newer = app.serving(), other(app)
    with Loads(app) as loads:
        words = ("deploy", f"--tag={newer}", "--json")
        scene = Scene(app, before, newer, app.start(*words, env=clock(offset)))
        scene.wait_for("drain")
        scene.kill()
        scene.end()
        settle(scene)  # by somebody whose clock is right
        assert app.serving() == before
        done = app.deploy(newer, env=clock(offset)).ok()
        assert abs(seconds_between(done.lines[0]["time"]) - float(offset)) < 60, "not skewed"
        invariants.settled(app, newer)
        app.inv("rollback", "--quick").ok()
        invariants.settled(app, before)
    invariants.nobody_noticed(loads)


def seconds_between(time: str) -> float:
    """From now to a time in UTC as the program prints it."""
    return datetime.fromisoformat(time).timestamp() - datetime.now(UTC).timestamp()
