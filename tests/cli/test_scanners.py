"""Every scanner that this machine has finds the fault planted for it (tests/planted/scan).

The real programs, the whole command. Which of them did not run, and why, is printed.
"""

import json
import os
import random
import shutil
import string
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from fairlead.checks.scan.catalogue import NAMES
from tests.advisory_server import advisories
from tests.sarif_schema import complaints
from tests.tools import BIN, lacking, needs
from tests.trivy_database import write_database

PLANTED = Path(__file__).parents[1] / "planted/scan"


def invented_secret() -> str:
    """A key that opens nothing; made here so that it is in no file of the repository."""
    letters = random.Random(7)  # the same in every run
    return "".join(letters.choice(string.ascii_letters + string.digits) for _ in range(40))


@dataclass(frozen=True)
class Planted:
    """What a scanner has to find: rule, file and line, or package; and how bad it is."""

    tool: str
    rule: str
    place: str
    severity: str


EXPECTED = (
    Planted("bandit", "B602", "app/shell.py:7", "high"),
    Planted("semgrep", "fairlead-shell-from-parts", "app/shell.py:7", "high"),
    Planted("pip-audit", "FAKE-2026-0001", "jinja2 3.1.4", "high"),
    Planted("npm-audit", "GHSA-fake-fake-fake", "left-pad 1.0.0", "high"),
    Planted("gitleaks", "generic-api-key", "app/settings.ini:3", "high"),
    Planted("detect-secrets", "Secret Keyword", "app/settings.ini:3", "medium"),
    Planted("trivy", "CVE-0000-0001", "jinja2 3.1.4", "critical"),
    Planted("trivy", "DS-0001", "Dockerfile:2", "medium"),
    Planted("checkov", "CKV_AWS_20", "infra/main.tf:2", "medium"),
    Planted("licensecheck", "licence-denied", "colorama 0.4.6", "high"),
    Planted("pip-licenses", "licence-denied", "invoke", "high"),
    Planted("radon", "complexity", "app/tangled.py:4", "medium"),
)
SETTINGS = """\
[scan]
trivy = ["--cache-dir=trivy-cache", "--skip-db-update", "--offline-scan"]
timeout = "3m"
[scan.licenses]
deny = ["BSD*"]
"""


ELSEWHERE = ("safety", "trufflehog", "grype")
"""What has no program or no data that a test could bring."""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What one scan by all the others says: its verdicts by name, its findings, its folder."""
    tree = tmp_path_factory.mktemp("planted") / "tree"
    shutil.copytree(PLANTED, tree)
    (tree / "app/settings.ini").write_text(f'# planted\n[x]\napi_key = "{invented_secret()}"\n')
    (tree / "deploy").mkdir()
    (tree / "deploy/fairlead.toml").write_text(SETTINGS)
    (tree / ".gitignore").write_text("trivy-cache/\n")
    write_database(tree / "trivy-cache")
    subprocess.run(["git", "init", "-q"], cwd=tree, check=True)
    with advisories() as url:
        asked = ",".join(name for name in NAMES if name not in ELSEWHERE)
        lines = scan(tree, f"--only={asked}", f"--osv-url={url}/v1/query", npm=url)
    result = lines[-1]
    findings = [line for line in lines if line["type"] == "finding"]
    return result["tools"], findings, tree


def scan(tree: Path, *flags: str, npm: str = "") -> list[dict]:
    argv = [sys.executable, "-m", "fairlead", "scan", "--json", *flags]
    environ = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    environ |= {"npm_config_registry": npm} if npm else {}
    environ["VIRTUAL_ENV"] = sys.prefix  # whose licences are looked at
    ran = subprocess.run(
        argv, cwd=tree, env=environ, capture_output=True, text=True, timeout=300, check=False
    )
    return [json.loads(line) for line in ran.stdout.splitlines()]


def of(tools, name):
    return [one for one in tools if one["tool"].partition(":")[0] == name]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("planted", EXPECTED, ids=lambda one: f"{one.tool}-{one.rule}")
def test_each_finds_its_fault_at_its_place(told, planted):
    tools, findings, tree = told
    absent = [one for one in of(tools, planted.tool) if "not installed" in one["reason"]]
    if absent:
        lacking(planted.tool)
    found = [
        one
        for one in findings
        if planted.tool in one["tool"].split(", ")
        and planted.rule in (one["rule"], *one["aliases"])
        and planted.place in (place_of(one), one["package"])
    ]
    assert found, [one for one in tools if one["tool"].startswith(planted.tool)]
    own = [one for one in own_findings(tree) if one["tool"] == planted.tool]
    told_of = [one for one in own if planted.rule in (one["rule"], *one["aliases"])]
    there = [one for one in told_of if planted.place in (place_of(one), one["package"])]
    assert {one["severity"] for one in there} == {planted.severity}


def own_findings(tree: Path) -> list[dict]:
    """What each said before it was merged with what others say: its verdict, as it was kept."""
    kept = (file.read_text() for file in (tree / ".fairlead/cache").iterdir())
    verdicts = (json.loads(text) for text in kept if text.startswith("{"))
    return [finding for verdict in verdicts for finding in verdict["findings"]]


def place_of(one):
    package = f"{one['package']} {one['installed']}"
    return package if one["package"] else f"{one['path']}:{one['line']}"


def test_those_that_did_not_run_say_why(told, capsys):
    silent = [one for one in told[0] if one["outcome"] in ("not-run", "error")]
    with capsys.disabled():
        for one in silent:
            print(f"\n    {one['tool']}: {one['outcome']}: {one['reason']}", end="")
    assert all(one["reason"] for one in silent)
    assert not [one for one in silent if one["outcome"] == "error"]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_without_its_program_or_its_data_none_passes(tmp_path, name):
    """With git alone on PATH; then with the program that bootstrap brings, and no network."""
    beside, tree = tmp_path / "bin", tmp_path / "tree"
    beside.mkdir()
    (beside / "git").symlink_to(shutil.which("git") or "")
    shutil.copytree(PLANTED, tree)
    alone = {"PATH": str(beside), "VIRTUAL_ENV": "", "HOME": str(tmp_path)}
    assert outcome_of(tree, name, alone) == "not-run"
    if (BIN / name).exists():
        (beside / name).symlink_to(BIN / name)
        closed = "http://127.0.0.1:9"
        cut_off = {"HTTPS_PROXY": closed, "HTTP_PROXY": closed, "ALL_PROXY": closed}
        assert outcome_of(tree, name, alone | cut_off) == "not-run"


def outcome_of(tree: Path, name: str, environ: dict[str, str]) -> str:
    argv = [sys.executable, "-m", "fairlead", "scan", "--json", f"--only={name}"]
    ran = subprocess.run(argv, cwd=tree, env=environ, capture_output=True, text=True, timeout=100)
    (verdict,) = json.loads(ran.stdout.splitlines()[-1])["tools"]
    assert verdict["reason"]
    return verdict["outcome"]


def test_two_that_tell_of_one_fault_are_shown_once(told):
    needs("semgrep", "bandit")
    _, findings, _ = told
    shell = [one for one in findings if one["path"] == "app/shell.py" and one["line"] == 7]
    assert [one["tool"] for one in shell] == ["bandit, semgrep"]


def test_what_a_real_scan_leaves_is_held_to_the_whole_schema(told):
    _, _, tree = told
    log = json.loads((tree / ".fairlead/reports/scan.sarif").read_text())
    assert sum(len(one["results"]) for one in log["runs"]) >= len(told[1])
    assert complaints(tree / ".fairlead/reports") == []


def test_no_secret_is_told(told):
    _, _, tree = told
    reports = [*(tree / ".fairlead").rglob("*")]
    assert not [
        file for file in reports if file.is_file() and invented_secret() in file.read_text()
    ]


def test_the_bill_of_materials_names_what_is_shipped(told):
    needs("syft")
    _, _, tree = told
    spdx = json.loads((tree / ".fairlead/sbom/tree.spdx.json").read_text())
    cyclonedx = json.loads((tree / ".fairlead/sbom/tree.cyclonedx.json").read_text())
    assert {"jinja2", "left-pad"} <= {one["name"] for one in spdx["packages"]}
    assert {"jinja2", "left-pad"} <= {one["name"] for one in cyclonedx["components"]}


def test_an_unchanged_tree_is_not_scanned_again(told):
    needs("bandit", "gitleaks", "radon")
    _, _, tree = told
    only = "--only=bandit,gitleaks,radon"
    scan(tree, only)  # npm's registry, which it had, steers tools
    again = scan(tree, only)[-1]["tools"]
    assert all(one["cached"] for one in again)
    fresh = scan(tree, only, "--no-cache")[-1]["tools"]
    assert not any(one["cached"] for one in fresh)
