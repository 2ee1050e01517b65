"""Which gates open: on the record of that very commit, and on no other."""

import datetime
from dataclasses import replace

import pytest

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.gates import Evidence, closed
from fairlead.checks.records import Record, keep, record, recorded
from fairlead.checks.verdict import Outcome, Verdict
from fairlead.config.gates import Gates, Waiver

COMMIT = "c" * 40
DIGEST = "sha256:" + "d" * 64
REFERENCE = f"registry.example.com/app@{DIGEST}"
TODAY = datetime.date(2026, 5, 1)


def verdict(tool: str, outcome: Outcome = Outcome.PASSED, severity: str = "", reason: str = ""):
    findings = (Finding(tool, "R1", Severity(severity), "bad"),) if severity else ()
    return Verdict(tool, outcome, findings, reason)


def scan(*verdicts: Verdict, **how) -> Record:
    return record("scan", COMMIT, True, "cfg", verdicts, **how)


def faults(require: str, *records: Record, **gates) -> list[str]:
    wanted = Gates(require=(require,), **gates)  # type: ignore[arg-type]
    evidence = Evidence(COMMIT, "cfg", records, wanted, TODAY, {DIGEST: REFERENCE})
    return [one.why for one in closed(evidence)]


def test_without_a_record_a_gate_says_which_command_satisfies_it():
    evidence = Evidence(COMMIT, "cfg", (), Gates(require=("tests", "sast")), TODAY)
    assert [(one.gate, one.command) for one in closed(evidence)] == [
        ("tests", "inv test"),
        ("sast", "inv scan"),
    ]


def test_all_that_passed_opens():
    assert faults("sast", scan(verdict("bandit"))) == []
    assert faults("lint", record("lint", COMMIT, True, "cfg", [verdict("ruff")])) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"clean": False}, "uncommitted changes"),
        ({"config": "other"}, "another configuration"),
        ({"partial": True}, "only a part"),
    ],
)
def test_a_record_of_something_else_opens_nothing(change, why):
    (told,) = faults("sast", replace(scan(verdict("bandit")), **change))
    assert why in told


def test_a_whole_run_counts_beside_a_partial_one():
    assert faults("sast", replace(scan(), partial=True), scan(verdict("bandit"))) == []


@pytest.mark.parametrize("outcome", [Outcome.FINDINGS, Outcome.ERROR, Outcome.NOT_RUN])
def test_what_did_not_pass_keeps_it_closed(outcome):
    assert faults("tests", record("test", COMMIT, True, "cfg", [verdict("unit", outcome)]))


def test_a_scan_in_which_no_such_scanner_ran_is_no_pass():
    (told,) = faults("licences", scan(verdict("bandit")))
    assert "pip-licenses" in told


def test_a_waiver_holds_until_its_day_and_only_for_what_did_not_run():
    not_run = scan(verdict("bandit"), verdict("semgrep", Outcome.NOT_RUN, reason="not installed"))
    allowed = Waiver("semgrep", "no rules for us yet", TODAY)
    assert faults("sast", not_run) == ["semgrep: not-run (not installed)"]
    assert faults("sast", not_run, waive=(allowed,)) == []
    yesterday = replace(allowed, until=TODAY - datetime.timedelta(days=1))
    assert faults("sast", not_run, waive=(yesterday,))
    found = scan(verdict("semgrep", Outcome.FINDINGS, "low"))
    assert faults("sast", found, waive=(allowed,)) == ["semgrep: findings (1 findings)"]


def test_coverage_is_judged_by_the_environments_own_limit():
    covered = record("test", COMMIT, True, "cfg", [verdict("unit")], coverage=79.996)
    assert faults("coverage", covered, coverage=80.0)
    assert faults("coverage", replace(covered, coverage=80.0), coverage=80.0) == []
    assert faults("coverage", replace(covered, coverage=None)) == ["coverage was not measured"]


def test_a_vulnerability_counts_from_its_severity_on():
    high = scan(verdict("trivy", Outcome.FINDINGS, "high"))
    assert faults("vulnerabilities", high) == []
    assert faults("vulnerabilities", high, severity="high") == ["trivy: 1 high"]
    in_image = replace(
        scan(verdict("trivy", Outcome.FINDINGS, "critical"), image=DIGEST), verb="scan-image"
    )
    assert faults("vulnerabilities", scan(verdict("trivy")), in_image) == ["trivy: 1 critical"]


def test_an_image_is_scanned_as_the_digest_that_is_deployed():
    other = "sha256:" + "e" * 64
    of_old = replace(scan(verdict("trivy:image"), image=other), verb="scan-image")
    (told,) = faults("image", of_old)
    assert told == f"{REFERENCE}: no `inv scan --image` of {COMMIT[:12]} is on record"
    assert faults("image", of_old, replace(of_old, image=DIGEST)) == []


def test_an_image_needs_a_scanner_that_looked_into_it():
    not_run = verdict("trivy:image", Outcome.NOT_RUN, reason="no database")
    bare = replace(scan(verdict("syft:image"), not_run, image=DIGEST), verb="scan-image")
    assert faults("image", bare) == ["none of trivy, grype ran; trivy:image: not-run (no database)"]
    part = replace(scan(verdict("trivy:image"), image=DIGEST, partial=True), verb="scan-image")
    assert "only a part" in faults("image", part)[0]


def test_what_is_kept_is_what_is_read(tmp_path):
    tree = scan(verdict("bandit", Outcome.FINDINGS, "high"), coverage=81.5)
    image = replace(scan(verdict("trivy"), image=DIGEST), verb="scan-image")
    keep(tmp_path, tree)
    keep(tmp_path, image)
    assert set(map(repr, recorded(tmp_path, COMMIT))) == {repr(tree), repr(image)}
    assert recorded(tmp_path, "f" * 40) == ()


def test_the_newest_run_replaces_the_one_before_and_garbage_is_no_record(tmp_path):
    keep(tmp_path, scan(verdict("bandit", Outcome.ERROR)))
    file = keep(tmp_path, scan(verdict("bandit")))
    (one,) = recorded(tmp_path, COMMIT)
    assert one.entries[0].outcome is Outcome.PASSED
    file.write_text("[1, 2")
    assert recorded(tmp_path, COMMIT) == ()
