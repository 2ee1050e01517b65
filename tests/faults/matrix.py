"""The matrix: which faults meet which phases, and the table that a run writes of itself."""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.faults import FAULTS, Fault

PAGE = Path(__file__).parents[2] / "docs/why/faults.md"
BEGIN, END = "<!-- matrix: written by ./scripts/test --faults -->", "<!-- end of the matrix -->"
EVERY_TIME = (
    "client: SIGKILL @ switch",
    "connection: sshd's session killed @ drain",
)  # what every change is tried with


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

    code: with which the deploy ended. way: what settled it: the deploy itself, or the command that
    was given.
    """

    case: Case
    passed: bool
    recovery: float = 0.0
    code: int | None = None
    way: str = ""


TRIED: list[Tried] = []
"""The cases of this run, in order."""


def keep(file: Path, one: Tried) -> None:
    """Put it down for the runs to come: the whole matrix takes hours, and is run in parts."""
    with file.open("a") as lines:
        lines.write(json.dumps({**vars(one), "case": str(one.case)}) + "\n")


def kept(file: Path) -> list[Tried]:
    """What was put down there, of each case how it went the last time; in the matrix's order."""
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    last = {line["case"]: line for line in lines}
    return [Tried(**{**last[str(one)], "case": one}) for one in every() if str(one) in last]


def every() -> list[Case]:
    return [Case(fault, phase) for fault in FAULTS for phase in fault.phases]


def chosen(wanted: str, seed: int, count: int) -> list[Case]:
    """`all`, `sample`, `few` (those of every change), or by parts of their names, with commas."""
    if wanted == "sample":
        return sample(seed, count)
    parts = {"all": [""], "few": list(EVERY_TIME)}.get(wanted, wanted.split(","))
    return [case for case in every() if any(part in str(case) for part in parts)]


def sample(seed: int, count: int) -> list[Case]:
    """Some cases, chosen by a seed so that each fault and each phase is met at least once."""
    rest = every()
    random.Random(seed).shuffle(rest)
    found: list[Case] = []
    for fault in FAULTS:
        ours = [case for case in rest if case.fault is fault]
        met = {case.phase for case in found}
        found.append(next((case for case in ours if case.phase not in met), ours[0]))
    for phase in {case.phase for case in rest} - {case.phase for case in found}:
        found.append(next(case for case in rest if case.phase == phase))
    return (found + [case for case in rest if case not in found])[: max(count, len(found))]


def table(tried: Iterable[Tried]) -> str:
    """A row per fault: cases, passed, how the deploys ended, the worst recovery."""
    rows: dict[str, list[Tried]] = {}
    for one in tried:
        rows.setdefault(one.case.fault.name, []).append(one)
    lines = [
        "| fault | phases | tried | passed | ended with | worst recovery | by |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, ones in rows.items():
        possible = len(ones[0].case.fault.phases)
        lines.append(f"| {name} | {possible} | {_row(ones)} |")
    total = [one for ones in rows.values() for one in ones]
    lines.append(f"| **all** | {len(every())} | {_row(total)} |")
    return "\n".join(lines)


def _row(ones: Sequence[Tried]) -> str:
    passed = sum(one.passed for one in ones)
    codes = ", ".join(str(code) for code in sorted({one.code for one in ones} - {None}))
    worst = max((one.recovery for one in ones), default=0)
    ways = ", ".join(sorted({one.way for one in ones if one.way}))
    return f"{len(ones)} | {passed} | {codes} | {worst:.1f} s | {ways}"


def write(tried: Sequence[Tried], note: str) -> None:
    """Put the table into the page, between its marks."""
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{note}\n\n{table(tried)}\n{END}{after}", "utf-8")
