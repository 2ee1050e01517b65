"""What was timed, and how it compares: figures, their targets, and the measures they belong to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Figure:
    """One thing that was timed, in seconds, once per run; `role` is `ours`, `peer` or `limit`."""

    name: str
    seconds: tuple[float, ...]
    role: str = "peer"

    @property
    def median(self) -> float:
        return median(self.seconds)

    @property
    def spread(self) -> tuple[float, float]:
        """The shortest and the longest run."""
        return min(self.seconds), max(self.seconds)


@dataclass(frozen=True)
class Target:
    """A bound for one figure: in seconds, or as a multiple of another figure's median."""

    figure: str
    at_most: float
    times: str = ""  # the figure that is multiplied; empty: at_most is in seconds


@dataclass(frozen=True)
class Verdict:
    """A target compared with what was measured: `value` is in seconds, or a ratio."""

    target: Target
    value: float

    @property
    def over(self) -> bool:
        return self.value > self.target.at_most


@dataclass(frozen=True)
class Measure:
    """One question, answered: figures, targets, and notes on how they came about.

    phases: median seconds of each part of a run, in order, so that one sees where time goes.
    """

    name: str
    title: str
    figures: tuple[Figure, ...]
    targets: tuple[Target, ...] = ()
    notes: tuple[str, ...] = ()
    phases: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    load: tuple[float, float] = (0.0, 0.0)  # of the machine, before and after

    def figure(self, name: str) -> Figure:
        return next(figure for figure in self.figures if figure.name == name)

    def verdicts(self) -> tuple[Verdict, ...]:
        return tuple(Verdict(target, self._value(target)) for target in self.targets)

    def _value(self, target: Target) -> float:
        own = self.figure(target.figure).median
        return own / self.figure(target.times).median if target.times else own


def alternate(runs: int, work: Mapping[str, Callable[[], float]]) -> dict[str, tuple[float, ...]]:
    """Time each thing in turn, `runs` times over, so that what else the machine does hits all
    alike. A first round warms caches up and counts for nothing. `work` returns seconds."""
    for one in work.values():
        one()
    rounds = [[one() for one in work.values()] for _ in range(runs)]
    return dict(zip(work, zip(*rounds, strict=True), strict=True))


def medians(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Per key the median over the rows that have it, in the order of first appearance."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: median(row[name] for row in rows if name in row) for name in names}
