"""Sentences and judgements that all scanners share: no data, nothing examined, how bad."""

import json
import re
from collections.abc import Sequence
from typing import Any

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.verdict import Outcome, Verdict, outcome_of

A_WHILE = 6 * 3600.0
"""How long (s) a verdict holds that rests on a database of vulnerabilities."""

NEVER = -1.0
"""For `Tool.lasts`: no verdict is taken from the cache."""

SECRET = "CWE-798"  # noqa: S105 - "use of hard-coded credentials": how all secret scanners agree

_UNREACHABLE = re.compile(
    r"name or service not known|temporary failure in name resolution|no such host"
    r"|nodename nor servname|failed to resolve|could not resolve|connection refused|connecterror"
    r"|network is unreachable|no route to host|enotfound|econnrefused|eai_again|max retries"
    r"|i/o timeout|connect timeout|timed out|certificate verify failed|proxyerror",
    re.I,
)
_SCALE = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "error": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "moderate": Severity.MEDIUM,
    "warning": Severity.MEDIUM,
    "low": Severity.LOW,
    "info": Severity.LOW,
    "negligible": Severity.NOTE,
    "none": Severity.NOTE,
}


def image_lasts(image: str) -> float:
    """How long a verdict on an image holds: what a tag points to may change at any moment."""
    return A_WHILE if "@sha256:" in image else NEVER


def severity(word: object, otherwise: Severity = Severity.MEDIUM) -> Severity:
    """A tool's word for how bad it is; `otherwise` where it does not say."""
    return _SCALE[str(word).lower()] if is_rating(word) else otherwise


def is_rating(word: object) -> bool:
    """Whether a tool's word says how bad something is; `UNKNOWN` does not, and no word either."""
    return isinstance(word, str) and word.lower() in _SCALE


def found(tool: str, findings: Sequence[Finding], looked_at: str, reason: str = "") -> Verdict:
    """Passed, or findings: the tool did look. reason: what it had to leave out."""
    return Verdict(tool, outcome_of(findings), tuple(findings), looked_at=looked_at, reason=reason)


def not_run(tool: str, reason: str) -> Verdict:
    """It looked at nothing."""
    return Verdict(tool, Outcome.NOT_RUN, reason=reason)


def idle(tool: str, reason: str) -> Verdict:
    """It looked at nothing, for it takes in none of the files that it was given."""
    return Verdict(tool, Outcome.NOT_RUN, reason=reason, idle=True)


def error(tool: str, reason: str, findings: Sequence[Finding] = (), looked_at: str = "") -> Verdict:
    """It could not finish; what it found until then is kept."""
    return Verdict(tool, Outcome.ERROR, tuple(findings), reason=reason, looked_at=looked_at)


def unreachable(said: str) -> str:
    """The words of a tool that say its data could not be fetched; empty when none do."""
    line = next((line for line in said.splitlines() if _UNREACHABLE.search(line)), "")
    words = _UNREACHABLE.search(line)
    return words[0].lower() if words else ""


def counted(number: int, noun: str) -> str:
    """`1 file`, `41 files`."""
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number} {noun if number == 1 else plural}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """`a, b, c and 4 more`."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def weaknesses(value: object) -> tuple[str, ...]:
    """The CWE ids in what a tool says of a rule: a text, a number, or several."""
    texts = value if isinstance(value, list | tuple) else [value]
    ids = (re.search(r"\d+", str(text)) for text in texts)
    return tuple(f"CWE-{one[0]}" for one in ids if one)


def one_line(text: object) -> str:
    """The text on one line; of a long one the first sentences."""
    words = " ".join(str(text).split())
    return words if len(words) <= 300 else words[:299] + "…"


def json_in(text: str) -> Any:
    """The JSON document that a tool printed, whatever it said before or after it.

    Raises ValueError when there is none.
    """
    start = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
    if start < 0:
        raise ValueError("no JSON")
    return json.JSONDecoder().raw_decode(text, start)[0]
