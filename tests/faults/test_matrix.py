"""Phases × faults on a real host: whatever dies, whenever it dies, nothing is lost (law 7)."""

import time
import zlib

import pytest

from tests.faults import invariants
from tests.faults.matrix import LOOK, PULL, TRIED, Case, Tried
from tests.faults.recovery import WAYS, recover
from tests.faults.scene import NEW, OLD, Scene
from tests.lab.load import Load
from tests.lab.project import Project

pytestmark = [pytest.mark.timeout(300), pytest.mark.lab]


def test_nothing_is_lost(request: pytest.FixtureRequest, case: Case) -> None:
    """A deploy is struck in one phase; then the invariants, then a named state."""
    app: Project = request.getfixturevalue("cramped" if case.fault.cramped else "app")
    tried = Tried(case, False, 0.0, "")
    try:
        tried = strike(app, case)
    finally:
        TRIED.append(tried)


def strike(app: Project, case: Case) -> Tried:
    case.fault.prepare(app)
    if case.phase == PULL:
        forget_idle_image(app)
    with load(app) as running_load:
        scene = begun(app)
        if case.phase == LOOK:
            scene.wait_for_connection()
        else:
            scene.wait_for(case.phase)
        began = time.monotonic()
        case.fault.strike(scene)
        scene.end()
        way = WAYS[zlib.crc32(str(case).encode()) % len(WAYS)]
        by = settle(scene, way)
        recovery = time.monotonic() - began
        report = running_load.stop()
    invariants.nobody_noticed(report, case.fault.excused)
    return Tried(case, True, recovery, by)


def begun(app: Project) -> Scene:
    """A deploy of the release that is not live now."""
    before = app.serving()
    assert before in (OLD, NEW), f"the case before left {before}"
    tag = NEW if before == OLD else OLD
    return Scene(app, before, tag, app.start("deploy", f"--tag={tag}", "--json"))


def forget_idle_image(app: Project) -> None:
    """The release that is not live has to be pulled again: its slot goes, and what nobody uses."""
    for host in app.hosts:
        idle = {"blue": "green", "green": "blue"}[str(app.live(host))]
        of_slot = f"--filter label=com.docker.compose.project={app.key}-{idle}"
        host.must(
            f"docker ps -aq {of_slot} | xargs -r docker rm -f >/dev/null; docker image prune -af"
        )


def settle(scene: Scene, way: str) -> str:
    """The invariants at once, then the one command, then a named state; what settled it."""
    app = scene.app
    invariants.serves_one_known_release(scene)
    invariants.nothing_partial_is_listed(app)
    invariants.lock_comes_free(app)
    serves, by = recover(scene, way)
    invariants.settled(app, serves)
    invariants.no_secret_leaked(app, scene.running.text)
    return by


def load(app: Project) -> Load:
    url = f"http://{app.hosts[0].address}/api/v1/version"
    return Load(
        url, app.name, keepalive=4, fresh=2, slow=2, slow_path="/api/v1/slow?seconds=1", think=0.05
    )
