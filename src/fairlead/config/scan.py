"""`[scan]`: which security scanners run, and what they may find."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from fairlead.config.kinds import PositiveDuration, matching

Level = Literal["critical", "high", "medium", "low", "note"]
Url = Annotated[
    str,
    matching(r"|https?://[A-Za-z0-9.\[\]:_-]+(/[A-Za-z0-9._~%/-]*)?", "must be an http URL"),
]
Words = Annotated[str, matching(r"[^\x00-\x1f]+", "must be a text on one line")]
RuleSet = Annotated[
    str, matching(r"[a-z]/[A-Za-z0-9._-]+", 'must be a rule set such as "p/python"')
]
ToolName = Annotated[
    str,
    matching(
        r"[A-Za-z0-9]([A-Za-z0-9_.:/ -]*[A-Za-z0-9])?",
        "must be the name of a tool, or of a suite, as the table of its run has it",
    ),
]
Flag = Annotated[str, matching(r"--[a-z][^\x00-\x1f]*", 'must be a flag such as "--offline-scan"')]


@dataclass(frozen=True)
class LicenceLists:
    """allow, deny: globs over SPDX ids and licence names."""

    allow: tuple[Words, ...] = ()
    deny: tuple[Words, ...] = ()


@dataclass(frozen=True)
class Scan:
    """tools: empty means what the tree calls for. timeout: s, each. exclude: globs of paths.

    fail_on: findings this bad, or worse, fail the scan.
    """

    tools: tuple[ToolName, ...] = ()
    timeout: PositiveDuration = 600.0
    exclude: tuple[Words, ...] = ()
    fail_on: Level = "medium"
    osv_url: Url = ""
    semgrep: tuple[RuleSet, ...] = ()
    trivy: tuple[Flag, ...] = ()
    licenses: LicenceLists = field(default_factory=LicenceLists)
