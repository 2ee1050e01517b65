"""A gated environment: refused, opened by what is on record, gone past on record."""

import subprocess

import pytest

from fairlead.checks.records import keep, record
from fairlead.checks.verdict import Outcome, Verdict
from fairlead.config import load_repository
from tests.lab.hosts import ROOT

GATES = '[gates]\nrequire = ["tests", "lint"]\n'
REASON = "payments are down, fix was tested by hand"


@pytest.fixture(scope="module")
def app(project):
    return project("gated", staging=GATES)


def commit() -> str:
    """The one that scripts/lab builds the example's images from."""
    words = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def test_closed_gates_are_named_and_nothing_is_touched(app, image):
    before = app.hosts[0].snapshot()
    refused = app.deploy(image("v1"))
    assert refused.code == 4, refused
    assert [why.split(":")[0] for why in refused.error["why"]] == ["tests", "lint"]
    assert "inv test" in refused.error["next"]
    assert app.hosts[0].snapshot() == before


def test_the_record_of_the_images_own_commit_opens_them(app, image):
    config = load_repository(app.folder, {}).checks_hash
    for verb in ("test", "lint"):
        passed = [Verdict("one", Outcome.PASSED)]
        keep(app.folder, record(verb, commit(), True, config, passed))
    app.deploy(image("v1")).ok()
    assert app.serving() == "v1"
    assert "bypass" not in app.hosts[0].audit(app.app)[-1]


def test_a_bypass_is_audited_and_shown_as_long_as_it_serves(app, image):
    app.edit("deploy/staging.toml", '"lint"', '"lint", "sast"')
    assert app.deploy(image("v2")).code == 4
    assert app.deploy(image("v2"), "--bypass-gates=hurry").code == 2
    done = app.deploy(image("v2"), f"--bypass-gates={REASON}").ok()
    assert REASON in done.result["bypass"]
    assert REASON in str(app.hosts[0].audit(app.app)[-1]["bypass"])
    assert REASON in app.inv("status").ok().text
    app.inv("rollback", "--quick").ok()
    assert REASON not in app.inv("status").ok().text
