"""The arithmetic of scripts/bench: medians, ratios, targets, and where a command's time went."""

import importlib
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "scripts/bench.d"


@pytest.fixture
def figures(monkeypatch):
    """scripts/bench.d/figures.py; modules there are no package, so names are taken back after."""
    yield from load("figures", monkeypatch)


@pytest.fixture
def timeline(monkeypatch):
    yield from load("timeline", monkeypatch)


def load(name, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module(name)
    sys.modules.pop(name)


def test_a_target_in_seconds_is_held_against_the_median(figures):
    """One slow run does not miss a target, and the bound itself meets it."""
    figure = figures.Figure("ours", (0.3, 9.0, 0.4))
    measure = figures.Measure("m", "", (figure,), (figures.Target("ours", 0.4),))
    (verdict,) = measure.verdicts()
    assert (verdict.value, verdict.over) == (0.4, False)
    assert figure.spread == (0.3, 9.0)


@pytest.mark.parametrize(("peer", "over"), [(2.0, False), (1.9, True)])
def test_a_target_as_a_multiple_is_a_ratio_of_medians(figures, peer, over):
    """The other figure is measured in the same run, so the ratio is what counts."""
    both = (figures.Figure("ours", (3.0, 3.0)), figures.Figure("peer", (peer, peer, peer)))
    measure = figures.Measure("m", "", both, (figures.Target("ours", 1.5, "peer"),))
    (verdict,) = measure.verdicts()
    assert verdict.value == pytest.approx(3.0 / peer)
    assert verdict.over is over


def test_things_are_timed_in_turn_and_the_first_round_counts_for_nothing(figures):
    """Each round times all, so that what else the machine does hits all alike."""
    order = []

    def one(name):
        order.append(name)
        return float(len(order))

    seconds = figures.alternate(2, {"a": lambda: one("a"), "b": lambda: one("b")})
    assert order == ["a", "b"] * 3
    assert seconds == {"a": (3.0, 5.0), "b": (4.0, 6.0)}


def test_a_phase_that_is_not_in_every_run_has_the_median_of_those_it_is_in(figures):
    assert figures.medians([{"a": 1.0}, {"a": 3.0, "b": 5.0}, {"a": 2.0}]) == {"a": 2.0, "b": 5.0}


def test_phases_add_up_to_the_whole_command(timeline):
    """Before the first step, the steps, between them, after the last: nothing is left out."""
    lines = [
        {"type": "notice", "time": "1970-01-01T00:00:10.200Z"},
        {"type": "phase-started", "time": "1970-01-01T00:00:11.000Z", "step": "pull"},
        {"type": "phase-finished", "time": "1970-01-01T00:00:13.000Z", "step": "pull"},
        {"type": "phase-started", "time": "1970-01-01T00:00:13.500Z", "step": "switch"},
        {"type": "phase-finished", "time": "1970-01-01T00:00:14.000Z", "step": "switch"},
        {"type": "result", "time": "1970-01-01T00:00:14.900Z"},
    ]
    spans = timeline.phases(lines, 10.0, 15.0)
    assert spans == {
        "before the first step": 1.0,
        "pull": 2.0,
        "switch": 0.5,
        "after the last": 1.0,
        "between steps": 0.5,
    }
    assert sum(spans.values()) == 5.0
