"""The SARIF file: each fault once, what is excluded suppressed, what did not run not successful.

The schema of OASIS is not ours to keep here. These tests hold the file to the parts of it that we
write; with `sarif-multitool` (./scripts/bootstrap tools) the file is held to the whole schema.
"""

import datetime
import json
import re

import pytest

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.merge import merged
from fairlead.checks.verdict import Outcome, Verdict
from fairlead.config.exclusions import Exclusion
from fairlead.report.sarif import sarif
from tests.sarif_schema import complaints

SHELL = Finding("bandit", "B602", Severity.HIGH, "shell", "src/ä b.py", 7, 4, aliases=("CWE-78",))
TWICE = Finding("semgrep", "shell", Severity.HIGH, "shell", "src/ä b.py", 7, aliases=("CWE-78",))
AGAIN = Finding("bandit", "B602", Severity.HIGH, "shell", "src/ä b.py", 70)
FILE = Finding("trivy", "DS-1", Severity.LOW, "no user", "Dockerfile", fix="add USER")
PACKAGE = Finding("trivy", "CVE-1", Severity.CRITICAL, "bad", package="jinja2", installed="1")
EXCUSE = Exclusion(id="DS-1", reason="it is a test", expires=datetime.date(2030, 1, 1))
VERDICTS = (
    Verdict("bandit", Outcome.FINDINGS, (SHELL, AGAIN), looked_at="2 files", version="1.9"),
    Verdict("semgrep", Outcome.FINDINGS, (TWICE,)),
    Verdict("trivy", Outcome.FINDINGS, (PACKAGE,)),
    Verdict("trivy:config", Outcome.NOT_RUN, reason="no data"),
    Verdict("checkov", Outcome.ERROR, reason="took longer than 600 s and was stopped"),
)

URI = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@/%-]+")
FORMS = {
    "log": ({"$schema": str, "version": str, "runs": list}, {"version", "runs"}),
    "run": (
        {"tool": dict, "automationDetails": dict, "invocations": list, "columnKind": str,
         "results": list},
        {"tool"},
    ),
    "driver": ({"name": str, "version": str, "rules": list}, {"name"}),
    "rule": ({"id": str, "shortDescription": dict, "help": dict, "properties": dict}, {"id"}),
    "invocation": (
        {"executionSuccessful": bool, "properties": dict, "toolExecutionNotifications": list},
        {"executionSuccessful"},
    ),
    "result": (
        {"ruleId": str, "ruleIndex": int, "level": str, "message": dict, "locations": list,
         "partialFingerprints": dict, "properties": dict, "suppressions": list},
        {"message"},
    ),
    "region": ({"startLine": int, "startColumn": int}, {"startLine"}),
    "suppression": ({"kind": str, "status": str, "justification": str}, {"kind"}),
}  # fmt: skip
"""Properties that the schema allows, as far as we write them, and those that it requires."""


def conforms(form: str, value: dict) -> None:
    allowed, required = FORMS[form]
    assert required <= value.keys() <= allowed.keys(), (form, value)
    for key, one in value.items():
        assert type(one) is allowed[key], (form, key, one)


@pytest.fixture
def log():
    kept = merged([SHELL, TWICE, AGAIN, PACKAGE])
    return sarif(VERDICTS, kept, [(fault, EXCUSE) for fault in merged([FILE])])


def results(log):
    return [result for run in log["runs"] for result in run["results"]]


def test_it_has_the_form_of_the_schema(log):
    conforms("log", log)
    assert log["version"] == "2.1.0"
    for run in log["runs"]:
        conforms("run", run)
        conforms("driver", run["tool"]["driver"])
        for rule in run["tool"]["driver"]["rules"]:
            conforms("rule", rule)
            assert 0.0 <= float(rule["properties"]["security-severity"]) <= 10.0
        for invocation in run["invocations"]:
            conforms("invocation", invocation)
    for result in results(log):
        conforms("result", result)
        assert result["level"] in ("none", "note", "warning", "error")
        for suppression in result.get("suppressions", ()):
            conforms("suppression", suppression)
        for location in result["locations"]:
            if place := location.get("physicalLocation"):
                assert URI.fullmatch(place["artifactLocation"]["uri"])
                conforms("region", place.get("region", {"startLine": 1}))
                assert min(place.get("region", {"": 1}).values()) >= 1


def test_a_run_for_each_tool_and_each_fault_once(log):
    assert [run["tool"]["driver"]["name"] for run in log["runs"]] == [
        "bandit", "semgrep", "trivy", "checkov",
    ]  # fmt: skip
    assert [one["ruleId"] for one in results(log)] == ["B602", "B602", "CVE-1", "DS-1"]
    assert results(log)[0]["properties"]["tools"] == ["bandit", "semgrep"]


def test_rules_are_pointed_at(log):
    for run in log["runs"]:
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert len(rules) == len(set(rules))
        assert all(rules[one["ruleIndex"]] == one["ruleId"] for one in run["results"])


def test_what_did_not_run_or_failed_was_not_successful(log):
    told = [one["executionSuccessful"] for run in log["runs"] for one in run["invocations"]]
    assert told == [True, True, True, False, False]
    (note,) = log["runs"][3]["invocations"][0]["toolExecutionNotifications"]
    assert (note["level"], "stopped" in note["message"]["text"]) == ("error", True)


def test_what_is_excluded_is_suppressed_with_its_reason(log):
    (suppression,) = results(log)[3]["suppressions"]
    assert suppression["justification"] == "it is a test (until 2030-01-01)"
    assert not any("suppressions" in one for one in results(log)[:3])


def test_fingerprints_stay_when_lines_move_and_differ_between_results(log):
    moved = Finding("bandit", "B602", Severity.HIGH, "shell", "src/ä b.py", 99)
    prints = [one["partialFingerprints"]["fairlead/v1"] for one in results(log)]
    (after,) = results(sarif(VERDICTS, merged([moved])))
    assert after["partialFingerprints"]["fairlead/v1"] == prints[0]
    assert len(set(prints)) == len(prints)


def test_the_whole_schema(log, tmp_path):
    (tmp_path / "scan.sarif").write_text(json.dumps(log))
    assert complaints(tmp_path) == []
