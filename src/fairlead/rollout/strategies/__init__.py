"""Strategies: pure functions from a situation to a plan."""

from collections.abc import Callable, Mapping

from fairlead.rollout.plan import Plan
from fairlead.rollout.situation import Situation
from fairlead.rollout.strategies import blue_green, recreate, rolling

STRATEGIES: Mapping[str, Callable[[Situation], Plan]] = {
    "blue-green": blue_green.plan,
    "rolling": rolling.plan,
    "recreate": recreate.plan,
}
