"""One line of a check-up: what was looked at, where, what came of it, how to repair it."""

from collections.abc import Iterable
from dataclasses import dataclass

PASSED, FAILED, NOT_RUN = "passed", "failed", "not-run"
HERE = "here"

ORDER = (
    *("python", "client", "git", "config", "compose file"),
    *("ssh", "docker", "compose", "flock", "directory"),
    *("registry", "port", "certificate", "disk", "router"),
)
"""From near to far: what comes first is needed by what follows."""


@dataclass(frozen=True)
class Check:
    """name: one of ORDER. where: `here` or a host. what: a fact. fix: a command, if it failed."""

    name: str
    where: str
    outcome: str
    what: str
    fix: str = ""

    @property
    def failed(self) -> bool:
        return self.outcome == FAILED


def passed(name: str, where: str, what: str) -> Check:
    return Check(name, where, PASSED, what)


def failed(name: str, where: str, what: str, fix: str) -> Check:
    return Check(name, where, FAILED, what, fix)


def not_run(name: str, where: str, why: str) -> Check:
    return Check(name, where, NOT_RUN, why)


def in_order(checks: Iterable[Check]) -> list[Check]:
    """By ORDER; within one name as they came."""
    return sorted(checks, key=lambda check: ORDER.index(check.name))
