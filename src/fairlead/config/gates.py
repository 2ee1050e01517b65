"""`[gates]`: what must have been found out about a commit before it is deployed."""

import datetime
from dataclasses import dataclass
from typing import Annotated, Literal

from fairlead.config.scan import ToolName

GateName = Literal[
    "lint",
    "tests",
    "coverage",
    "sast",
    "secrets",
    "dependencies",
    "licences",
    "scan",
    "vulnerabilities",
    "image",
]


def day(value: object) -> datetime.date:
    """A date as TOML writes it: `2026-12-31`, without quotes."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    raise ValueError("must be a date without quotes, such as 2026-12-31")


def sentence(value: object) -> str:
    """A reason that a person can read."""
    if isinstance(value, str) and len(value.split()) > 1 and value.isprintable():
        return value
    raise ValueError("must be a reason in words, on one line")


def percent(value: object) -> float:
    """A share of the lines, 0 to 100."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and 0 <= float(value) <= 100:  # type: ignore[arg-type]
        return float(value)  # type: ignore[arg-type]
    raise ValueError("must be a number from 0 to 100")


@dataclass(frozen=True)
class Waiver:
    """A tool that need not have run, until a day: who waives it says why, on record."""

    tool: ToolName
    reason: Annotated[str, sentence]
    until: Annotated[datetime.date, day]


@dataclass(frozen=True)
class Gates:
    """require: the gates an environment has, none by default. coverage: per cent, for the gate
    of that name. severity: findings this bad, or worse, close the gate "vulnerabilities".
    """

    require: tuple[GateName, ...] = ()
    coverage: Annotated[float, percent] = 80.0
    severity: Literal["critical", "high", "medium", "low"] = "critical"
    waive: tuple[Waiver, ...] = ()
