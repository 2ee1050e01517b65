"""Kills at random moments, for as long as asked: ./scripts/test --faults --seed=1 --minutes=60."""

import random
import time

import pytest

from tests.faults import invariants
from tests.faults.load import Loads
from tests.faults.recovery import WAYS
from tests.faults.scene import Scene
from tests.faults.test_matrix import begun, settle
from tests.lab.project import Project

pytestmark = pytest.mark.lab


def test_random_kills(app: Project, request: pytest.FixtureRequest) -> None:
    """SIGKILL of the client somewhere in a deploy, again and again: no request is ever lost."""
    seed, minutes = (request.config.getoption(name) for name in ("--seed", "--minutes"))
    chance = random.Random(seed)
    typical = whole_deploy(app)
    deadline, kills = time.monotonic() + minutes * 60, 0
    ways: dict[str, int] = {}
    with Loads(app) as loads:
        while time.monotonic() < deadline:
            scene = begun(app, chance.choice(WAYS))
            moment = chance.uniform(0, typical * 1.1)
            kills += killed(scene, moment)
            try:
                by = settle(scene)
            except AssertionError as violated:
                raise AssertionError(
                    f"seed {seed}, kill {kills} after {moment:.3f} s"
                ) from violated
            ways[by] = ways.get(by, 0) + 1
        invariants.nobody_noticed(loads)
    told = ", ".join(f"{count} × {way}" for way, count in sorted(ways.items()))
    print(f"\nseed {seed}: {kills} kills in {minutes:g} minutes, {told};")
    print(f"{sum(one.ok for one in loads.stop().values())} requests answered meanwhile, 0 failed")


def whole_deploy(app: Project) -> float:
    """Seconds that an undisturbed deploy takes."""
    scene = begun(app, WAYS[0])
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
