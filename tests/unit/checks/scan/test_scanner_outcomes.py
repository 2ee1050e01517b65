"""Whatever a scanner prints, nothing scanned is not-run, and nonsense is an error (law 8)."""

import datetime
import json
import os
import sys
from pathlib import Path

import pytest

from fairlead.checks.cache import Cache, Memory
from fairlead.checks.exclude import sifted
from fairlead.checks.finding import Finding, Severity
from fairlead.checks.licence import Licences
from fairlead.checks.lint.radon import Radon
from fairlead.checks.merge import merged
from fairlead.checks.programs import Programs
from fairlead.checks.scan.bandit import Bandit
from fairlead.checks.scan.checkov import Checkov
from fairlead.checks.scan.detect_secrets import DetectSecrets
from fairlead.checks.scan.gitleaks import Gitleaks
from fairlead.checks.scan.gitleaks_history import GitleaksHistory
from fairlead.checks.scan.grype import Grype
from fairlead.checks.scan.judging import is_rating, severity
from fairlead.checks.scan.licensecheck import Licensecheck
from fairlead.checks.scan.npm_audit import NpmAudit
from fairlead.checks.scan.pip_audit import PipAudit
from fairlead.checks.scan.pip_licenses import PipLicenses
from fairlead.checks.scan.safety import Safety
from fairlead.checks.scan.scanning import Scanned
from fairlead.checks.scan.semgrep import Semgrep
from fairlead.checks.scan.syft import Syft
from fairlead.checks.scan.trivy import TrivyConfig, TrivyImage, TrivyPackages
from fairlead.checks.scan.trufflehog import Trufflehog
from fairlead.checks.sweep import judged, sweep
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Outcome, Verdict
from fairlead.transport.local import Ran
from tests.processes import has_ended

NOWHERE = Path("/nonexistent")
SCANNERS = (
    Bandit(), Semgrep(), PipAudit(), Safety(), NpmAudit(), Gitleaks("s"), Trufflehog("s"),
    DetectSecrets(), GitleaksHistory(), TrivyPackages("s"), TrivyImage("i"), TrivyConfig("s"),
    Grype("dir:s"), Checkov("s"), PipLicenses(Licences(deny=("X",))), Licensecheck(), Radon(10),
    Syft("dir:s", (NOWHERE, NOWHERE)),
)  # fmt: skip
NO_DATABASE = (
    "FATAL Fatal error run error: init error: DB error: failed to download vulnerability DB: OCI"
    ' artifact error: Get "https://mirror.gcr.io/v2/": dial tcp: lookup mirror.gcr.io: no such host'
)
SKIPPED = {
    "dependencies": [{"name": "x", "skip_reason": "Dependency not found on PyPI: x (1)"}],
    "fixes": [],
}
NO_FILE = {"errors": [], "metrics": {"_totals": {}}, "results": []}
NO_PATH = {"results": [], "errors": [], "paths": {"scanned": []}}
NO_NPM_DATA = {"message": "405 Method Not Allowed", "error": {"summary": "", "detail": ""}}
NOTHING = {
    "auditReportVersion": 2,
    "vulnerabilities": {},
    "metadata": {"dependencies": {"total": 0}},
}
NO_IMAGE = "FATAL Fatal error run error: image scan error: unable to find the specified image"


def tree_with(folder, *files: str) -> Tree:
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return Tree(folder, tuple(sorted(files)))


@pytest.mark.parametrize("tool", SCANNERS, ids=lambda tool: tool.name)
@pytest.mark.parametrize("ran", [
    pytest.param(Ran(1, "<html>Bad Gateway</html>", "Traceback: boom", 0.1), id="garbage"),
    pytest.param(Ran(0, "[1]", "", 0.1), id="other-json"),
    pytest.param(Ran(0, "", "", 0.1), id="silence"),
    pytest.param(Ran(2, "", "usage: what", 0.1), id="usage"),
])  # fmt: skip
def test_nonsense_is_an_error(tool, ran, tmp_path):
    verdict = judged(tool, Tree(tmp_path, ()), ran)
    assert verdict.outcome is Outcome.ERROR, verdict
    assert verdict.reason


@pytest.mark.parametrize(
    ("tool", "out", "err", "why"),
    [
        (Bandit(), json.dumps(NO_FILE), "", "excluded"),
        (Semgrep(), json.dumps(NO_PATH), "", "left out"),
        (PipAudit(), json.dumps(SKIPPED), "", "not found on PyPI"),
        (PipAudit(), json.dumps({"dependencies": []}), "", "no package"),
        (PipAudit("http://osv.test"), "", "Failed to resolve 'osv.test'", "osv.test"),
        (Safety(), "", "ConnectError: Name or service not known", "cannot be asked"),
        (Safety(), "", "Please login or register Safety CLI", "login"),
        (Safety(), json.dumps({"report_meta": {"packages_found": 0}}), "", "no package"),
        (NpmAudit(), json.dumps(NO_NPM_DATA), "", "405"),
        (NpmAudit(), json.dumps({"error": {"code": "E503", "summary": "down"}}), "", "down"),
        (NpmAudit(), json.dumps(NOTHING), "", "names no package"),
        (Gitleaks("s"), "[]", "INF scanned ~0 bytes (0) in 4.22ms", "left out by its own rules"),
        (DetectSecrets(), '{"results": {}}', 'Skipping "a.lock" due to `is_lock_file`', "left out"),
        (Trufflehog("s"), "", "trufflehog: error: the following arguments: git_url", "version 2"),
        (Trufflehog("s"), "", '{"msg": "finished scanning", "bytes": 0}', "read nothing"),
        (TrivyPackages("s"), "", NO_DATABASE, "no vulnerability database (no such host)"),
        (TrivyPackages("s"), '{"SchemaVersion": 2}', "", "no package"),
        (TrivyImage("i"), "", NO_DATABASE, "no vulnerability database"),
        (TrivyConfig("s"), '{"SchemaVersion": 2}', "", "no kind of configuration"),
        (Grype("dir:s"), "", "failed to load vulnerability db: connection refused", "database"),
        (Grype("dir:s"), '{"bomFormat": "CycloneDX", "components": []}', "", "no package"),
        (Checkov("s"), '{"passed": 0, "failed": 0, "resource_count": 0}', "", "no kind"),
        (PipLicenses(), '[{"Name": "x", "Version": "1", "License": "MIT"}]', "", "[scan.licenses]"),
        (PipLicenses(Licences(deny=("X",))), "[]", "", "nothing is installed"),
        (Licensecheck(), '{"packages": []}', "", "no licence"),
        (Syft("dir:s", (NOWHERE, NOWHERE)), '{"artifacts": []}', "", "no package"),
    ],
)  # fmt: skip
def test_nothing_scanned_is_not_run_and_says_why(tool, out, err, why, tmp_path):
    for code in (0, 1):
        verdict = judged(tool, Tree(tmp_path, ()), Ran(code, out, err, 0.1))
        assert verdict.outcome is Outcome.NOT_RUN, verdict
        assert why in verdict.reason


@pytest.mark.parametrize(
    ("tool", "out", "err"),
    [
        (Bandit(), json.dumps({
            "errors": [{"filename": "a.py", "reason": "syntax error"}],
            "metrics": {"a.py": {}, "_totals": {}}, "results": [],
        }), ""),
        (Semgrep(), json.dumps({
            "results": [], "paths": {"scanned": []},
            "errors": [{"level": "error", "message": "Invalid rule schema"}],
        }), ""),
        (TrivyImage("i"), "", NO_IMAGE),
        (NpmAudit(), json.dumps({"error": {"code": "EJSONPARSE", "summary": "bad"}}), ""),
        (NpmAudit(), json.dumps({"error": {"code": "ENOLOCK", "summary": "needs a lock"}}), ""),
        (GitleaksHistory(), "[]", '1:0PM ERR error="stderr is not empty"\n1 commits scanned.'),
        (Grype("dir:s"), "", "failed to catalog: cannot read mongodb.conf"),
        (Checkov("s"), json.dumps({
            "results": {"failed_checks": [], "parsing_errors": ["/x/s/main.tf"]},
            "summary": {"passed": 3, "failed": 0},
        }), ""),
    ],
    ids=["bandit", "semgrep", "trivy", "npm-json", "npm-lock", "history", "grype", "checkov"],
)  # fmt: skip
def test_what_could_not_be_read_is_no_pass(tool, out, err, tmp_path):
    verdict = judged(tool, Tree(tmp_path, ("a.py",)), Ran(1, out, err, 0.1))
    assert verdict.outcome is Outcome.ERROR, verdict


def test_skipped_packages_are_counted(tmp_path):
    audited = {"name": "y", "version": "1", "vulns": []}
    out = json.dumps({"dependencies": [*SKIPPED["dependencies"], audited]})
    verdict = judged(PipAudit(), Tree(tmp_path, ()), Ran(0, out, "", 0.1))
    assert verdict.outcome is Outcome.PASSED
    assert (verdict.looked_at, verdict.reason) == ("1 package", "skipped 1 package: x")


def test_what_detect_secrets_takes_for_no_secret_is_not_told(tmp_path):
    log = '[scan]\tINFO\tChecking file: a\n[scan]\tINFO\tSkipping "hunter2" due to `is_uuid`'
    tree = Tree(tmp_path, ("a",))
    for code, out in ((0, "<html>"), (0, "[1]"), (2, '{"results": {}}')):
        verdict = judged(DetectSecrets(), tree, Ran(code, out, log, 0.1))
        assert verdict.outcome is Outcome.ERROR
        assert "hunter2" not in verdict.reason
    verdict = judged(DetectSecrets(), tree, Ran(0, '{"results": {}}', log, 0.1))
    assert (verdict.outcome, verdict.looked_at) == (Outcome.PASSED, "1 file")


def test_a_baseline_of_detect_secrets_is_known(tmp_path):
    known = {"type": "Keyword", "filename": "a", "hashed_secret": "00", "line_number": 1}
    fresh = {**known, "hashed_secret": "11", "line_number": 2}
    (tmp_path / ".secrets.baseline").write_text(json.dumps({"results": {"a": [known]}}))
    out = json.dumps({"results": {"a": [known, fresh]}})
    tree = Tree(tmp_path, (".secrets.baseline", "a"))
    verdict = judged(DetectSecrets(), tree, Ran(0, out, "", 0.1))
    assert [one.line for one in verdict.findings] == [2]


GRYPE = {
    "components": [
        {"bom-ref": "pkg:pypi/jinja2@3.1.4", "name": "jinja2", "version": "3.1.4"},
        {"bom-ref": "file", "name": "requirements.txt"},
    ],
    "vulnerabilities": [
        {
            "id": "GHSA-fake",
            "references": [{"id": "CVE-0000-0001"}],
            "ratings": [{"severity": "medium"}, {"severity": "critical"}],
            "affects": [{"ref": "pkg:pypi/jinja2@3.1.4"}],
        }
    ],
}
TRUFFLEHOG = {
    "SourceMetadata": {"Data": {"Filesystem": {"file": "s/app/a.ini", "line": 3}}},
    "DetectorName": "AWS",
    "Verified": False,
    "Raw": "invented",
}


def test_scanners_that_are_not_here_are_judged_by_their_documented_form(tmp_path):
    """grype in CycloneDX, trufflehog 3 in its JSON lines: neither program can be had here."""
    tree = Tree(tmp_path, ())
    (one,) = judged(Grype("dir:s"), tree, Ran(0, json.dumps(GRYPE), "", 0.1)).findings
    assert (one.package, one.severity, one.aliases) == ("jinja2", "critical", ("CVE-0000-0001",))
    log = '{"msg": "finished scanning", "bytes": 12}'
    (one,) = judged(Trufflehog("s"), tree, Ran(0, json.dumps(TRUFFLEHOG), log, 0.1)).findings
    assert (one.place, one.severity) == ("app/a.ini:3", "high")
    assert "invented" not in repr(one)


SCRIPTS = {
    "crash": ("kill -SEGV $$", Outcome.ERROR, "signal 11"),
    "hang": ("sleep 60 & echo $! >child; wait", Outcome.ERROR, "longer than"),
    "garbage": ("echo oops", Outcome.ERROR, "not what it should be"),
    "empty": ('echo \'{"errors": [], "metrics": {}, "results": []}\'', Outcome.NOT_RUN, "excluded"),
    "cannot": ("echo 'no such profile' >&2; exit 1", Outcome.ERROR, "no such profile"),
}


@pytest.mark.parametrize(("script", "outcome", "why"), SCRIPTS.values(), ids=SCRIPTS)
def test_a_program_that_misbehaves(script, outcome, why, tmp_path):
    """In the place of bandit stands a program that does what programs do when they fail."""
    tree = tree_with(tmp_path, "a.py")
    program = tmp_path / ".venv/bin/bandit"
    program.parent.mkdir(parents=True)
    asked = 'case "$*" in *--version*) echo bandit 1.0; exit;; esac'
    program.write_text(f"#!/bin/sh\n{asked}\n{script}\n")
    program.chmod(0o755)
    programs = Programs(tmp_path)
    (verdict,) = sweep(
        "scan", [Bandit()], tree, timeout=1.5, listener=lambda _: None, programs=programs
    )
    assert verdict.outcome is outcome, verdict
    assert why in verdict.reason
    if (tmp_path / "child").exists():
        assert has_ended(int((tmp_path / "child").read_text()))


def test_what_a_scanner_calls_negligible_is_a_note_and_no_finding():
    ran = Ran(0, json.dumps({
        "components": [{"bom-ref": "a", "name": "a", "version": "1"}],
        "vulnerabilities": [
            {"id": "CVE-1", "ratings": [{"severity": "none"}], "affects": [{"ref": "a"}]}
        ],
    }), "", 0.1)  # fmt: skip
    verdict = Grype("dir:s").judge(Tree(NOWHERE, ()), ran)
    assert (verdict.outcome, len(verdict.findings)) == (Outcome.PASSED, 1)


def licences_told(*licences: str, allow: tuple[str, ...]) -> Verdict:
    packages = [
        {"name": f"P{at}", "version": "1", "license": one, "licenseCompat": True}
        for at, one in enumerate(licences)
    ]
    ran = Ran(0, json.dumps({"packages": packages}), "", 0.1)
    return Licensecheck(Licences(allow=allow, deny=("GPL*",))).judge(Tree(NOWHERE, ()), ran)


def of_jinja(tool: str, severity: Severity, rated: bool = True) -> Verdict:
    told = Finding(tool, "CVE-1", severity, "bad", package="jinja2", installed="3", rated=rated)
    return Verdict(tool, Outcome.FINDINGS, (told,))


def scanned(*verdicts: Verdict, fail_on: Severity) -> Scanned:
    faults = merged(one for verdict in verdicts for one in verdict.findings)
    return Scanned(verdicts, sifted(faults, (), datetime.date(2026, 5, 1)), fail_on)


def test_a_vulnerability_without_a_rating_reaches_every_threshold():
    """Law 8: nobody knows how bad it is. Where another scanner does, its word counts."""
    unrated = of_jinja("pip-audit", Severity.HIGH, rated=False)
    alone = scanned(unrated, fail_on=Severity.CRITICAL)
    assert not alone.ok
    assert alone.on_record[0].findings[0].grade == "unrated"
    rated = scanned(unrated, of_jinja("trivy", Severity.LOW), fail_on=Severity.CRITICAL)
    assert rated.ok
    assert [one.findings[0].grade for one in rated.on_record] == ["low", "low"]


def test_what_a_tool_does_not_rate_is_known_as_that(tmp_path):
    vulnerable = {"id": "CVE-1", "fix_versions": [], "description": "bad"}
    package = {"name": "x", "version": "1", "vulns": [vulnerable]}
    out = json.dumps({"dependencies": [package]})
    verdict = judged(PipAudit(), Tree(tmp_path, ()), Ran(1, out, "", 0.1))
    assert verdict.findings[0].grade == "unrated"
    assert severity(None, Severity.HIGH) is Severity.HIGH
    assert (is_rating("UNKNOWN"), is_rating(None), is_rating("NONE")) == (False, False, True)


def test_an_unknown_licence_is_a_finding_where_only_some_are_allowed():
    judged_by_list = licences_told("MIT", "UNKNOWN", allow=("MIT",))
    assert [(one.package, one.rule) for one in judged_by_list.findings] == [
        ("p1", "licence-unknown")
    ]
    assert licences_told("MIT", "UNKNOWN", allow=()).findings == ()


def test_pip_licenses_judges_the_environment_of_the_project_and_no_other(tmp_path, monkeypatch):
    """Its own, else the one that is activated, else ours if the project is installed there."""
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    tool = PipLicenses(Licences(deny=("X",)))
    installed = Ran(0, '[{"Name": "x", "Version": "1", "License": "MIT"}]', "", 0.1)

    def asked(tree: Tree) -> str:
        return tool.command(tree).argv[-1]

    tree = tree_with(tmp_path, "pyproject.toml")
    assert tool.judge(tree, installed).outcome is Outcome.NOT_RUN
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "fairlead"\n')
    assert tool.judge(tree, installed).outcome is Outcome.PASSED
    assert asked(tree) == sys.executable
    for name in ("activated", ".venv"):
        tree_with(tmp_path / name, "bin/python")
        monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "activated"))
        assert asked(tree) == str(tmp_path / name / "bin/python")
        assert tool.judge(tree, installed).outcome is Outcome.PASSED


def test_what_is_installed_is_looked_at_every_time(tmp_path, monkeypatch):
    """A package that came since is in no file of the tree."""
    tree = tree_with(tmp_path, "requirements.txt", ".venv/bin/python")
    program = tmp_path / ".venv/bin/pip-licenses"
    program.write_text('#!/bin/sh\n[ "$1" = --version ] && echo 1.0 || cat .venv/installed\n')
    program.chmod(0o755)

    def outcome(licence: str) -> Outcome:
        package = {"Name": "x", "Version": "1", "License": licence}
        (tmp_path / ".venv/installed").write_text(json.dumps([package]))
        cache = Cache(Memory(tmp_path))
        tools = [PipLicenses(Licences(deny=("GPL*",)))]
        programs = Programs(tmp_path, {"PATH": os.defpath})
        (verdict,) = sweep(
            "scan", tools, tree, timeout=9, listener=lambda _: None, programs=programs, cache=cache
        )
        return verdict.outcome

    assert [outcome("MIT"), outcome("GPL")] == [Outcome.PASSED, Outcome.FINDINGS]


def requirement_lines(folder, **files: str) -> Tree:
    names = {name.replace("__", "/") + ".txt": text for name, text in files.items()}
    tree = tree_with(folder, *names)
    for name, text in names.items():
        (folder / name).write_text(text)
    return tree


PINNED_HASHED = "foo[x]==1.0 ; python_version > '3' --hash=sha256:aa \\\n    --hash=sha256:bb\n"


@pytest.mark.parametrize(
    ("text", "pinned"),
    [
        ("foo==1.0  # why\n--index-url https://example.com\n", True),
        (PINNED_HASHED, True),
        ("foo==1.0\n-r deps/prod.txt\n", False),
        ("foo==1.0\n--requirement=deps/pinned.txt\n", True),
        ("foo==1.0\n-c elsewhere.txt\n", False),
        ("foo==1.*\n", False),
        ("foo==1.0,<2\n", False),
        ("-e .\n", False),
        ("./local\n", False),
    ],
)
def test_only_what_is_pinned_line_by_line_is_not_resolved(tmp_path, text, pinned):
    tree = requirement_lines(
        tmp_path, requirements=text, deps__prod="bar>=1\n", deps__pinned="bar==1\n"
    )
    assert ("--no-deps" in PipAudit().command(tree).argv) is pinned


def test_what_a_requirements_file_includes_decides(tmp_path):
    tree = requirement_lines(
        tmp_path, requirements="-r deps/prod.txt\n", deps__prod="-c pins.txt\n", deps__pins=""
    )
    assert PipAudit().examines(tree) == ("requirements.txt", "deps/prod.txt", "deps/pins.txt")
    assert PipAudit().command(tree).argv[-2:] == ("-r", "requirements.txt")
