"""Faults that no phase of a deploy fits: many deployers, a rollback that is struck, a hung hook."""

import signal

import pytest

from tests.faults import invariants
from tests.faults.scene import NEW, OLD, Scene
from tests.faults.test_matrix import load, settle
from tests.lab.project import Project

pytestmark = [pytest.mark.timeout(600), pytest.mark.lab]
MANY = 20


def story(app: Project) -> list[tuple[object, ...]]:
    """What the audit of each host tells of deploys, in order; the same on all of them."""
    told = [
        [(line["release"], line["outcome"]) for line in host.audit(app.app) if "outcome" in line]
        for host in app.hosts
    ]
    assert all(one == told[0] for one in told), told
    return told[0]


def at_once(app: Project, *words: str) -> list[int]:
    """Exit codes of MANY deploys that are begun at once."""
    tags = [(OLD, NEW)[number % 2] for number in range(MANY)]
    started = [app.start("deploy", f"--tag={tag}", "--json", *words) for tag in tags]
    return [one.end(timeout=500).code for one in started]


def test_twenty_deployers_at_once(app: Project) -> None:
    """One works at a time; the others are refused, and no request is lost."""
    before = len(story(app))
    with load(app) as running_load:
        codes = at_once(app)
        report = running_load.stop()
    assert set(codes) <= {0, 1, 3}, codes  # 1: changed between the plan and the lock
    assert codes.count(0) >= 1
    assert len(story(app)) - before == codes.count(0)
    invariants.nobody_noticed(report, excused=False)


def test_twenty_deployers_that_wait(app: Project) -> None:
    """All of them come to their turn, each whole, and the audit tells of each."""
    before = len(story(app))
    with load(app) as running_load:
        codes = at_once(app, "--lock-wait=15m")
        report = running_load.stop()
    assert set(codes) == {0}, codes
    assert len(story(app)) - before == MANY
    invariants.nobody_noticed(report, excused=False)
    invariants.settled(app, app.serving())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
@pytest.mark.parametrize("phase", ["switch", "drain"])
def test_a_rollback_that_is_struck(app: Project, phase: str, number: int) -> None:
    """It is like a deploy: one release serves, whole, and the next command settles it."""
    newer = NEW if app.serving() == OLD else OLD
    older = app.serving()
    app.deploy(newer).ok()
    with load(app) as running_load:
        scene = Scene(app, newer, older, app.start("rollback", "--quick", "--json"))
        if scene.wait_for(phase):
            scene.running.signal(number)
        scene.end()
        settle(scene, "rollback")
        report = running_load.stop()
    invariants.nobody_noticed(report, excused=False)


def test_a_hook_that_hangs(struck) -> None:
    """A migration that never ends is ended at its timeout; nothing else was begun."""
    app: Project = struck("hangs")
    app.edit("deploy/fairlead.toml", "sleep .7", "sleep 600")
    app.append("deploy/fairlead.toml", 'timeout = "2s"\n')
    with load(app) as running_load:
        ended = app.deploy(NEW)
        report = running_load.stop()
    assert ended.code == 1, ended.text
    assert "migrate" in ended.error["what"]
    invariants.settled(app, OLD)
    invariants.nobody_noticed(report, excused=False)
