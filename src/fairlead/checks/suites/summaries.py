"""The line or lines with which test programs sum up, for suites that write no JUnit report."""

import re

from fairlead.checks.suites.result import Counts

COUNT = r"(\d+) (passed|passing|failed|failing|errors?|skipped|pending|todo)\b"
STYLES = (
    # pytest: `= 1 failed, 2 passed in 0.12s =`
    (r"^=* ?(\d+ \w+.*) in [\d.]+s.*$", COUNT),
    # Jest: `Tests:       1 failed, 2 passed, 3 total`; Vitest: `Tests  1 failed | 2 passed (3)`
    (r"^\s*Tests:?\s+(\d+ \w+.*)$", COUNT),
    # Mocha: `3 passing (5ms)`, `1 failing`, `1 pending`
    (r"^\s*(\d+ (?:passing|failing|pending))\b.*$", COUNT),
    # node --test: `# pass 3`, `ℹ fail 0`
    (r"^[#ℹ] ((?:pass|fail|skipped|cancelled|todo) \d+)$", r"(?P<state>\w+) (?P<number>\d+)"),
)
UNITTEST = re.compile(r"^Ran (\d+) tests? in .*\n+(?:OK|FAILED)(?: \((.*)\))?$", re.MULTILINE)
STATES = {
    "pass": "passed",
    "passed": "passed",
    "passing": "passed",
    "fail": "failed",
    "failed": "failed",
    "failing": "failed",
    "failures": "failed",
    "cancelled": "failed",
    "error": "failed",
    "errors": "failed",
}
"""A word of a summary → the state it means; every other word is a test that was left out."""


def counts(output: str) -> Counts | None:
    """What the output says of itself, summed up if it does so several times; None if it does not.

    Colours must have been removed.
    """
    for line, item in STYLES:
        told = [
            said for text in re.findall(line, output, re.MULTILINE) for said in _said(item, text)
        ]
        if told:
            return _sum(told)
    runs = UNITTEST.findall(output)
    return (
        _sum([pair for ran, more in runs for pair in _unittest(int(ran), more)]) if runs else None
    )


def _said(item: str, text: str) -> list[tuple[str, int]]:
    found = re.finditer(item, text)
    if "?P<state>" in item:
        return [(one["state"], int(one["number"])) for one in found]
    return [(one[2], int(one[1])) for one in found]


def _unittest(ran: int, more: str) -> list[tuple[str, int]]:
    """unittest counts all that ran, then those that did not pass: `failures=1, skipped=2`."""
    others = [(word, int(number)) for word, number in re.findall(r"(\w+)=(\d+)", more)]
    passed = ran - sum(number for _, number in others)
    return [("passed", passed), *others]


def _sum(told: list[tuple[str, int]]) -> Counts:
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    for word, number in told:
        totals[STATES.get(word, "skipped")] += number
    return Counts(**totals)
