"""Which gates open: on the record of that very commit, and on no other."""

import datetime
from dataclasses import replace

import pytest

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.gates import Evidence, closed, shortest
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


def of_image(*verdicts: Verdict, **how) -> Record:
    return replace(scan(*verdicts, **{"image": DIGEST, **how}), verb="scan-image")


SEEN = of_image(verdict("trivy:image"))


def faults(require: str, *records: Record, **gates) -> list[str]:
    """What keeps a gate closed; an image that nothing else is said of is on record."""
    wanted = Gates(require=(require,), **gates)  # type: ignore[arg-type]
    if not any(one.image for one in records):
        records = (*records, SEEN)
    evidence = Evidence(COMMIT, "cfg", records, wanted, TODAY, {DIGEST: REFERENCE})
    return [one.why for one in closed(evidence)]


def test_without_a_record_a_gate_says_which_command_satisfies_it():
    evidence = Evidence(COMMIT, "cfg", (), Gates(require=("tests", "sast")), TODAY)
    assert [(one.gate, one.commands) for one in closed(evidence)] == [
        ("tests", ("inv test",)),
        ("sast", ("inv scan",)),
    ]


def test_the_commands_name_what_is_at_fault_and_can_be_pasted():
    """A scan of an image looks at the tree, too."""
    bandit, gates = scan(verdict("bandit")), Gates(require=("sast",))
    of_image = f"inv scan --image={REFERENCE}"
    for records, command in (((), of_image), ((bandit,), of_image), ((SEEN,), "inv scan")):
        evidence = Evidence(COMMIT, "cfg", records, gates, TODAY, {DIGEST: REFERENCE})
        assert [one.commands for one in closed(evidence)] == [(command,)]
    assert shortest(["inv lint", "inv test", "inv test --coverage"]) == (
        "inv lint",
        "inv test --coverage",
    )


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


def test_a_waiver_of_a_scanner_that_nobody_called_opens_nothing():
    allowed = Waiver("trivy", "no database here", TODAY)
    (told,) = faults("dependencies", scan(verdict("bandit")), waive=(allowed,))
    assert told == "none of pip-audit, safety, npm-audit, trivy, grype ran"
    silent = scan(verdict("trivy", Outcome.NOT_RUN, reason="no database"))
    assert faults("dependencies", silent, waive=(allowed,)) == []


def test_what_looks_at_configuration_did_not_look_at_dependencies():
    """Law 8."""
    (told,) = faults("dependencies", scan(verdict("trivy:config")))
    assert told.startswith("none of ")


def test_a_waiver_of_trivy_is_none_of_trivy_config():
    silent = scan(verdict("bandit"), verdict("trivy:config", Outcome.NOT_RUN, reason="gone"))
    of_packages = Waiver("trivy", "no database here", TODAY)
    assert faults("scan", silent, waive=(of_packages,)) == ["trivy:config: not-run (gone)"]
    of_configuration = replace(of_packages, tool="trivy:config")
    assert faults("scan", silent, waive=(of_configuration,)) == []


def test_a_vulnerability_counts_from_its_severity_on():
    high = scan(verdict("trivy", Outcome.FINDINGS, "high"))
    assert faults("vulnerabilities", high) == []
    assert faults("vulnerabilities", high, severity="high") == ["trivy: 1 high"]
    critical = of_image(verdict("trivy:image", Outcome.FINDINGS, "critical"))
    (told,) = faults("vulnerabilities", scan(verdict("trivy")), critical)
    assert told == f"{REFERENCE}: trivy:image: 1 critical"


def test_a_vulnerability_that_nobody_rates_may_be_as_bad_as_any():
    told = Finding("pip-audit", "CVE-1", Severity.HIGH, "bad", package="x", rated=False)
    unrated = scan(Verdict("pip-audit", Outcome.FINDINGS, (told,)))
    assert faults("vulnerabilities", unrated) == ["pip-audit: 1 unrated"]
    misconfigured = scan(
        verdict("trivy"), Verdict("checkov", Outcome.FINDINGS, (replace(told, package=""),))
    )
    assert faults("vulnerabilities", misconfigured) == []


@pytest.mark.parametrize("outcome", [Outcome.NOT_RUN, Outcome.ERROR])
def test_where_nobody_looked_no_vulnerability_is_no_answer(outcome):
    """Law 8: in the tree, and in the images."""
    assert faults("vulnerabilities", scan(verdict("bandit"), verdict("pip-audit", outcome)))
    assert faults("vulnerabilities", scan(verdict("bandit")))
    looked = scan(verdict("pip-audit"))
    assert faults("vulnerabilities", looked) == []
    assert faults("vulnerabilities", looked, of_image(verdict("trivy:image", outcome)))
    assert faults("vulnerabilities", looked, of_image(verdict("syft:image")))


def test_every_scanner_passed_or_is_waived():
    """Also those that no other gate asks: checkov, radon, syft, trivy:config."""
    silent = scan(verdict("bandit"), verdict("checkov", Outcome.NOT_RUN, reason="not installed"))
    assert faults("scan", silent) == ["checkov: not-run (not installed)"]
    allowed = Waiver("checkov", "no Terraform of ours (Ada)", TODAY)
    assert faults("scan", silent, waive=(allowed,)) == []
    assert faults("scan", scan()) == ["`scan` looked at nothing"]
    (told,) = faults(
        "scan", scan(verdict("bandit")), of_image(verdict("syft:image", Outcome.ERROR))
    )
    assert told == f"{REFERENCE}: syft:image: error"


OTHER = "sha256:" + "e" * 64


def test_an_image_is_scanned_as_the_digest_that_is_deployed():
    of_old = of_image(verdict("trivy:image"), image=OTHER)
    (told,) = faults("image", of_old)
    assert told == f"{REFERENCE}: no `inv scan --image` of {COMMIT[:12]} is on record"
    assert faults("image", of_old, SEEN) == []


@pytest.mark.parametrize("gate", ["sast", "secrets", "dependencies", "scan", "vulnerabilities"])
def test_a_rebuild_makes_the_scan_void(gate):
    passed = scan(verdict("bandit"), verdict("gitleaks"), verdict("pip-audit"))
    assert faults(gate, passed, SEEN) == []
    (told,) = faults(gate, passed, of_image(verdict("trivy:image"), image=OTHER))
    assert told == f"{REFERENCE}: no `inv scan --image` of {COMMIT[:12]} is on record"


def test_an_image_needs_a_scanner_that_looked_into_it():
    not_run = verdict("trivy:image", Outcome.NOT_RUN, reason="no database")
    (told,) = faults("image", of_image(verdict("syft:image"), not_run))
    assert f"{REFERENCE}: none of trivy, grype ran; " in told
    assert "trivy:image: not-run (no database)" in told
    assert "only a part" in faults("image", of_image(verdict("trivy:image"), partial=True))[0]


def test_an_exclusion_that_ended_since_closes_what_it_opened():
    holds = scan(verdict("bandit"), until=TODAY.isoformat())
    assert faults("sast", holds) == []
    (told,) = faults("sast", replace(holds, until="2026-04-30"))
    assert "rests on an exclusion that ended on 2026-04-30" in told


def test_what_is_kept_is_what_is_read(tmp_path):
    tree = scan(verdict("bandit", Outcome.FINDINGS, "high"), coverage=81.5)
    image = replace(scan(verdict("trivy"), image=DIGEST), verb="scan-image")
    keep(tmp_path, tree)
    keep(tmp_path, image)
    assert set(map(repr, recorded(tmp_path, COMMIT))) == {repr(tree), repr(image)}
    assert recorded(tmp_path, "f" * 40) == ()


def a_test_run(outcome: Outcome = Outcome.PASSED, **how) -> Record:
    return record("test", COMMIT, how.pop("clean", True), "cfg", [verdict("unit", outcome)], **how)


def kept(root, *several: Record) -> tuple[Record, ...]:
    for one in several:
        keep(root, one)
    return recorded(root, COMMIT)


def test_a_run_over_what_is_not_committed_hides_no_clean_one(tmp_path):
    found = kept(tmp_path, a_test_run(), a_test_run(Outcome.FINDINGS, clean=False))
    assert faults("tests", *found) == []


def test_a_run_that_measures_less_hides_no_coverage(tmp_path):
    found = kept(tmp_path, a_test_run(coverage=90.0), a_test_run())
    assert faults("coverage", *found) == []
    assert faults("tests", *found) == []
    worse = kept(tmp_path, a_test_run(coverage=70.0))
    assert faults("coverage", *worse) == ["70.00 % of the lines are covered, not 80 %"]


@pytest.mark.parametrize("coverage", [None, 90.0])
def test_a_later_run_of_the_same_commit_that_fails_closes_it(tmp_path, coverage):
    """Whichever of the two measured coverage."""
    found = kept(
        tmp_path, a_test_run(coverage=90.0), a_test_run(Outcome.FINDINGS, coverage=coverage)
    )
    assert faults("tests", *found) == ["unit: findings"]
    assert faults("tests", *kept(tmp_path, a_test_run())) == []


def test_the_newest_run_replaces_the_one_before_and_garbage_is_no_record(tmp_path):
    keep(tmp_path, scan(verdict("bandit", Outcome.ERROR)))
    file = keep(tmp_path, scan(verdict("bandit")))
    (one,) = recorded(tmp_path, COMMIT)
    assert one.entries[0].outcome is Outcome.PASSED
    file.write_text("[1, 2")
    assert recorded(tmp_path, COMMIT) == ()
