"""An exclusion covers what it names, until its day is over; afterwards it fails the scan."""

import datetime

import pytest

from fairlead.checks.exclude import sifted
from fairlead.checks.finding import Finding, Severity
from fairlead.checks.merge import merged
from fairlead.config.exclusions import Exclusion, load_exclusions
from fairlead.errors import ConfigError

TODAY = datetime.date(2026, 6, 15)
LATER = datetime.date(2026, 6, 16)
CODE = Finding("bandit", "B602", Severity.HIGH, "shell", "src/a.py", 7, aliases=("CWE-78",))
PACKAGE = Finding("trivy", "CVE-1", Severity.HIGH, "x", package="Jinja2", aliases=("GHSA-1",))


def exclusion(expires=LATER, **what: str) -> Exclusion:
    return Exclusion(reason="looked at", expires=expires, **what)


@pytest.mark.parametrize(
    "what",
    [
        {"id": "B602"},
        {"id": "CWE-78", "path": "src/*"},
        {"tool": "bandit"},
        {"path": "src/a.py"},
        {"id": "GHSA-1"},
        {"package": "jinja2"},
        {"package": "jinja*", "tool": "trivy"},
    ],
)
def test_it_covers_what_fits_everything_it_says(what):
    sorted_out = sifted(merged([CODE, PACKAGE]), [exclusion(**what)], TODAY)
    assert len(sorted_out.kept) == len(sorted_out.excluded) == 1
    assert sorted_out.unused == sorted_out.expired == ()


@pytest.mark.parametrize(
    "what", [{"id": "B60"}, {"id": "B602", "path": "lib/*"}, {"id": "CVE-1", "tool": "bandit"}]
)
def test_it_covers_nothing_else_and_that_is_told(what):
    sorted_out = sifted(merged([CODE, PACKAGE]), [exclusion(**what)], TODAY)
    assert len(sorted_out.kept) == 2
    assert len(sorted_out.unused) == 1


def test_its_last_day_is_still_its():
    assert not sifted(merged([CODE]), [exclusion(TODAY, id="B602")], TODAY).kept


def test_once_expired_it_covers_nothing():
    old = exclusion(datetime.date(2026, 6, 14), id="B602")
    sorted_out = sifted(merged([CODE]), [old], TODAY)
    assert (len(sorted_out.kept), sorted_out.expired, sorted_out.unused) == (1, (old,), ())


def test_it_may_name_any_of_the_tools_that_tell_of_a_fault():
    other = Finding("semgrep", "s", Severity.HIGH, "s", "src/a.py", 7, aliases=("CWE-78",))
    assert not sifted(merged([CODE, other]), [exclusion(tool="semgrep")], TODAY).kept


def written(folder, text: str):
    (folder / "deploy").mkdir()
    (folder / "deploy/exclusions.toml").write_text(text)
    return load_exclusions(folder)


def test_the_file_is_read(tmp_path):
    (one,) = written(
        tmp_path, '[[exclude]]\nid = "B602"\nreason = "no shell there"\nexpires = 2026-12-31\n'
    )
    assert (one.id, one.expires, one.what) == ("B602", datetime.date(2026, 12, 31), "B602")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[[exclude]]\nid = "a"\nexpires = 2026-12-31\n', "exclude[0].reason: is required"),
        ('[[exclude]]\nid = "a"\nreason = "why not"\n', "exclude[0].expires: is required"),
        ('[[exclude]]\nreason = "why not"\nexpires = 2026-12-31\n', "must say what it excludes"),
        ('[[exclude]]\nid = "a"\nreason = "no"\nexpires = 2026-12-31\n', "a reason in words"),
        ('[[exclude]]\nid = "a"\nreason = "why not"\nexpires = "soon"\n', "must be a date"),
        ('[[exclude]]\npaths = "a"\nreason = "a b"\nexpires = 2026-12-31\n', "did you mean `path`"),
    ],
)
def test_a_fault_of_the_file_is_refused_before_anything_runs(tmp_path, text, fault):
    with pytest.raises(ConfigError) as told:
        written(tmp_path, text)
    assert fault in "\n".join(told.value.why)
    assert "deploy/exclusions.toml:" in told.value.why[0]
    assert told.value.exit_code == 2


def test_no_file_no_exclusion(tmp_path):
    assert load_exclusions(tmp_path) == ()
