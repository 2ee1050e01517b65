"""One SARIF file for a whole run of checks, for code scanning and editors.

Format: SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0). `security-severity`, tags and
`partialFingerprints` are what GitHub reads beside it (docs.github.com, "SARIF support for code
scanning").
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.merge import Fault
from fairlead.checks.verdict import Outcome, Verdict
from fairlead.config.exclusions import Exclusion

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.NOTE: "note",
}
SCORES = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
    Severity.NOTE: "0.0",
}
"""Inside the bands in which GitHub shows critical, high, medium and low."""

Suppressed = tuple[Fault, Exclusion]


@dataclass(frozen=True)
class _Result:
    """A fault as a run tells it; excluded: what suppresses it."""

    fault: Fault
    excluded: Exclusion | None
    fingerprint: str

    @property
    def owner(self) -> str:
        return _family(self.fault.told[0].tool)


def sarif(
    verdicts: Sequence[Verdict],
    faults: Sequence[Fault],
    excluded: Sequence[Suppressed] = (),
    *,
    security: bool = True,
) -> dict[str, object]:
    """The file as JSON-ready values: a run for each tool, each fault once, with the first that told
    of it; excluded ones are suppressed. A tool that did not run or failed says so as an invocation
    that was not successful. security: the faults are of that kind; GitHub shows them as such then.
    """
    results = _results([*((fault, None) for fault in faults), *excluded])
    names = dict.fromkeys(_family(verdict.tool) for verdict in verdicts)
    runs = [
        _run(
            name,
            [verdict for verdict in verdicts if _family(verdict.tool) == name],
            [result for result in results if result.owner == name],
            security,
        )
        for name in names
    ]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": runs}


def _family(tool: str) -> str:
    return tool.partition(":")[0]


def _results(told: Iterable[tuple[Fault, Exclusion | None]]) -> list[_Result]:
    """The faults with fingerprints that stay when lines move; equal ones are numbered."""
    seen: Counter[str] = Counter()
    results = []
    for fault, exclusion in told:
        one = fault.finding
        about = "\0".join((one.rule, one.path, one.package, one.message))
        seen[about] += 1
        digest = hashlib.sha256(f"{about}\0{seen[about]}".encode()).hexdigest()
        results.append(_Result(fault, exclusion, digest[:32]))
    return results


def _run(
    name: str, verdicts: Sequence[Verdict], results: Sequence[_Result], security: bool
) -> dict[str, object]:
    rules = list(dict.fromkeys(result.fault.finding.rule for result in results))
    driver: dict[str, object] = {
        "name": name,
        "rules": [_rule(rule, results, security) for rule in rules],
    }
    if version := next((verdict.version for verdict in verdicts if verdict.version), ""):
        driver["version"] = version
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"fairlead/{name}/"},
        "invocations": [_invocation(verdict) for verdict in verdicts],
        "columnKind": "unicodeCodePoints",
        "results": [_result(result, rules) for result in results],
    }


def _rule(rule: str, results: Sequence[_Result], security: bool) -> dict[str, object]:
    found = [one.fault.finding for one in results if one.fault.finding.rule == rule]
    worst = min((one.severity for one in found), key=lambda severity: severity.rank)
    told: dict[str, object] = {"id": rule, "shortDescription": {"text": found[0].message or rule}}
    if found[0].fix:
        told["help"] = {"text": found[0].fix}
    if security:
        told["properties"] = {"tags": ["security"], "security-severity": SCORES[worst]}
    return told


def _invocation(verdict: Verdict) -> dict[str, object]:
    good = verdict.outcome in (Outcome.PASSED, Outcome.FINDINGS)
    told: dict[str, object] = {
        "executionSuccessful": good,
        "properties": {"outcome": str(verdict.outcome), "lookedAt": verdict.looked_at},
    }
    if verdict.reason:
        note = {"level": "note" if good else "error", "message": {"text": verdict.reason}}
        told["toolExecutionNotifications"] = [note]
    return told


def _result(result: _Result, rules: Sequence[str]) -> dict[str, object]:
    one = result.fault.finding
    told: dict[str, object] = {
        "ruleId": one.rule,
        "ruleIndex": rules.index(one.rule),
        "level": LEVELS[one.severity],
        "message": {"text": f"{one.message or one.rule}{f' ({one.place})' * bool(one.package)}"},
        "locations": [_location(one)],
        "partialFingerprints": {"fairlead/v1": result.fingerprint},
        "properties": _properties(result.fault),
    }
    if result.excluded:
        why = f"{result.excluded.reason} (until {result.excluded.expires})"
        told["suppressions"] = [{"kind": "external", "status": "accepted", "justification": why}]
    return told


def _location(one: Finding) -> dict[str, object]:
    """The file and line; a package that no file of the tree names stands for itself."""
    place: dict[str, object] = {}
    if one.path:
        artifact = {"uri": _uri(one.path), "uriBaseId": "%SRCROOT%"}
        place["physicalLocation"] = {"artifactLocation": artifact, **_region(one)}
    if one.package:
        named = {"fullyQualifiedName": f"{one.package}@{one.installed}", "kind": "package"}
        place["logicalLocations"] = [named]
    return place


def _region(one: Finding) -> dict[str, object]:
    if not one.line:
        return {}
    column = {"startColumn": one.column} if one.column else {}
    return {"region": {"startLine": one.line, **column}}


def _properties(fault: Fault) -> dict[str, object]:
    one = fault.finding
    return {
        "severity": str(one.severity),
        "tools": list(fault.tools),
        "aliases": list(one.aliases),
        "fix": one.fix,
    }


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path)
