"""Phases × faults on real hosts: whatever dies, whenever it dies, nothing is lost (law 7)."""

import time
import zlib

import pytest

from tests.faults import invariants, matrix
from tests.faults.load import Loads
from tests.faults.matrix import TRIED, Case, Tried
from tests.faults.network import CLIENT
from tests.faults.phases import LOOK, PULL, RESOLVE
from tests.faults.recovery import WAYS, recover
from tests.faults.scene import NEW, OLD, Scene
from tests.lab.hosts import Host
from tests.lab.project import Project

pytestmark = [pytest.mark.timeout(300), pytest.mark.lab]


def test_nothing_is_lost(request: pytest.FixtureRequest, case: Case) -> None:
    """A deploy is struck in one phase; then the invariants, then a named state."""
    app: Project = request.getfixturevalue("cramped" if case.fault.cramped else "app")
    tried = Tried(case, False)
    try:
        tried = strike(app, case)
    except KeyboardInterrupt:
        tried = None  # it was not tried to its end
        raise
    finally:
        if tried:
            told(request.config, tried)


def told(config: pytest.Config, tried: Tried) -> None:
    """For the table at the end, and for those of other runs."""
    TRIED.append(tried)
    if file := config.getoption("--tried"):
        matrix.keep(file, tried)


def strike(app: Project, case: Case) -> Tried:
    case.fault.prepare(app)
    if case.phase == PULL:
        forget_idle_image(app)
    with Loads(app) as loads:
        scene = begun(app, WAYS[zlib.crc32(str(case).encode()) % len(WAYS)])
        meet(scene, case.phase)
        began = time.monotonic()
        case.fault.strike(scene)
        ended = scene.end()
        allowed = case.fault.ends.of(case.phase)
        assert ended.code in allowed, f"ended with {ended.code}, not {allowed}: {ended.text}"
        by = settle(scene)
        recovery = time.monotonic() - began
        invariants.nobody_noticed(loads, excused(scene) if case.fault.excused else ())
    return Tried(case, True, recovery, ended.code, by)


def meet(scene: Scene, phase: str) -> None:
    """Until the deploy has begun that phase."""
    if phase == RESOLVE:
        scene.phase = phase  # as soon as it has been started
    elif phase == LOOK:
        scene.phase = phase
        scene.wait_for_connection()
    else:
        scene.wait_for(phase)


def excused(scene: Scene) -> tuple[Host, ...]:
    """The struck host; all of them, when it is the one whose Redis they use."""
    return scene.app.hosts if scene.host == scene.app.hosts[0] else (scene.host,)


def begun(app: Project, way: str) -> Scene:
    """A deploy of the release that is not live now."""
    before = app.serving()
    assert before in (OLD, NEW), f"the case before left {before}"
    if {app.serving(host) for host in app.hosts} != {before}:  # one that failed left them mixed
        app.deploy(before).ok()
    tag = NEW if before == OLD else OLD
    running = app.start("deploy", f"--tag={tag}", "--json", group=CLIENT)
    return Scene(app, before, tag, running, way)


def forget_idle_image(app: Project) -> None:
    """The release that is not live has to be pulled again: its slot goes, and what nobody uses."""
    for host in app.hosts:
        idle = {"blue": "green", "green": "blue"}[str(app.live(host))]
        of_slot = f"--filter label=com.docker.compose.project={app.key}-{idle}"
        host.must(
            f"docker ps -aq {of_slot} | xargs -r docker rm -f >/dev/null; docker image prune -af"
        )


def settle(scene: Scene) -> str:
    """The invariants at once, then the one command, then a named state; what settled it."""
    app = scene.app
    invariants.lock_comes_free(app)
    invariants.serves_one_known_release(scene)
    invariants.nothing_partial_is_listed(app)
    serves, by = recover(scene)
    status = invariants.settled(app, serves)
    invariants.no_secret_leaked(app, scene.running.text, status, *scene.said)
    return by
