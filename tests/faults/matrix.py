"""The matrix: which faults meet which phases, and the table that a run writes of itself."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.faults import FAULTS, Fault

LOOK = "look"  # before the plan: the client is connected, and nothing has been announced yet
PULL = "pull"  # only where the image is not there yet
PHASES = (
    LOOK, "backup", "upload", PULL, "migrate", "start", "health", "smoke-idle", "switch",
    "smoke-host", "drain", "workers", "verify", "tidy",
)  # fmt: skip
PAGE = Path(__file__).parents[2] / "docs/why/faults.md"
BEGIN, END = "<!-- matrix: written by ./scripts/test --faults -->", "<!-- end of the matrix -->"


@dataclass(frozen=True)
class Case:
    """One fault at one phase."""

    fault: Fault
    phase: str

    def __str__(self) -> str:
        return f"{self.fault.name} @ {self.phase}"


@dataclass(frozen=True)
class Tried:
    """What came of a case. recovery: s from the fault to a settled state, commands included.

    way: what settled it: the deploy itself, or the command that was given.
    """

    case: Case
    passed: bool
    recovery: float
    way: str


TRIED: list[Tried] = []
"""The cases of this run, in order."""


def every(phases: Sequence[str] = PHASES) -> list[Case]:
    return [Case(fault, phase) for fault in FAULTS for phase in phases]


def sample(seed: int, count: int) -> list[Case]:
    """Some cases, chosen by a seed so that each fault and each phase is met at least once."""
    chance = random.Random(seed)
    phases = list(PHASES)
    chance.shuffle(phases)
    diagonal = [Case(fault, phases[number % len(phases)]) for number, fault in enumerate(FAULTS)]
    met = {case.phase for case in diagonal}
    rest = [case for case in every() if case not in diagonal]
    chance.shuffle(rest)
    missed = [next(c for c in rest if c.phase == phase) for phase in phases if phase not in met]
    chosen = diagonal + missed
    return (chosen + [case for case in rest if case not in missed])[: max(count, len(chosen))]


def table(tried: Iterable[Tried]) -> str:
    """A row per fault: cases, passed, the worst recovery."""
    rows: dict[str, list[Tried]] = {}
    for one in tried:
        rows.setdefault(one.case.fault.name, []).append(one)
    lines = ["| fault | phases tried | passed | worst recovery | by |", "|---|---|---|---|---|"]
    for name, ones in rows.items():
        ways = ", ".join(sorted({one.way for one in ones if one.way}))
        worst = max(one.recovery for one in ones)
        passed = sum(one.passed for one in ones)
        lines.append(f"| {name} | {len(ones)} | {passed} | {worst:.1f} s | {ways} |")
    total = [one for ones in rows.values() for one in ones]
    lines.append(
        f"| **all** | {len(total)} | {sum(one.passed for one in total)} | "
        f"{max((one.recovery for one in total), default=0):.1f} s | |"
    )
    return "\n".join(lines)


def write(tried: Sequence[Tried], note: str) -> None:
    """Put the table into the page, between its marks."""
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{note}\n\n{table(tried)}\n{END}{after}", "utf-8")
