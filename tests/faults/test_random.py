"""Kills at random moments, for as long as asked: ./scripts/test --faults --seed=1 --minutes=60."""

import random
import time

import pytest

from tests.faults import invariants
from tests.faults.recovery import WAYS
from tests.faults.scene import Scene
from tests.faults.test_matrix import begun, load, settle
from tests.lab.project import Project

pytestmark = pytest.mark.lab


def test_random_kills(app: Project, request: pytest.FixtureRequest) -> None:
    """SIGKILL of the client somewhere in a deploy, again and again: no request is ever lost."""
    seed, minutes = (request.config.getoption(name) for name in ("--seed", "--minutes"))
    chance = random.Random(seed)
    typical = whole_deploy(app)
    deadline, kills = time.monotonic() + minutes * 60, 0
    ways: dict[str, int] = {}
    with load(app) as running_load:
        while time.monotonic() < deadline:
            scene = begun(app)
            moment = chance.uniform(0, typical * 1.1)
            kills += killed(scene, moment)
            way = chance.choice(WAYS)
            try:
                by = settle(scene, way)
            except AssertionError as violated:
                raise AssertionError(
                    f"seed {seed}, kill {kills} after {moment:.3f} s"
                ) from violated
            ways[by] = ways.get(by, 0) + 1
        report = running_load.stop()
    invariants.nobody_noticed(report, excused=False)
    told = ", ".join(f"{count} × {way}" for way, count in sorted(ways.items()))
    print(f"\nseed {seed}: {kills} kills in {minutes:g} minutes, {told};")
    print(f"{report.ok} requests answered meanwhile, {report.failed} failed")


def whole_deploy(app: Project) -> float:
    """Seconds that an undisturbed deploy takes."""
    scene = begun(app)
    ended = scene.end()
    assert ended.code == 0, ended.text
    return ended.seconds


def killed(scene: Scene, moment: float) -> bool:
    """Kill the client after so many seconds; False when it was through by then."""
    time.sleep(moment)
    alive = scene.running.process.poll() is None
    if alive:
        scene.kill()
    scene.end()
    return alive
