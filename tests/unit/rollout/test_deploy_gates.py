"""Gates at the door of a deploy: the image says its commit, the records say the rest."""

import os
from dataclasses import replace

import pytest
from factories import API, an_environment
from registry_server import Content, RegistryServer

from fairlead.checks.records import keep, record
from fairlead.checks.verdict import Outcome, Verdict
from fairlead.config import load_repository
from fairlead.config.connection import Registry
from fairlead.config.gates import Gates
from fairlead.errors import GateRefused, UsageError
from fairlead.model import Image
from fairlead.rollout.gates import REVISION, check_bypass, check_gates

COMMIT = "a1" * 20
PASSED = Verdict("one", Outcome.PASSED)
WANTED = Gates(require=("tests", "lint"))


@pytest.fixture
def content():
    return Content()


@pytest.fixture
def gated(tmp_path, content):
    """A project with its gates, and a registry that has the image of one commit."""
    server = RegistryServer(content)
    digest = content.image("v1", config={"Labels": {REVISION: COMMIT}})
    service = replace(API, image=f"{server.address}/team/app")
    environment = an_environment(
        services=(service,),
        root=tmp_path,
        registry=Registry(server=server.address, insecure=True),
        gates=WANTED,
    )
    yield environment, {"api": Image(service.image, "v1", digest)}
    server.close()


def on_record(root, *verbs: str, commit: str = COMMIT) -> None:
    config = load_repository(root, {}).checks_hash
    for verb in verbs:
        keep(root, record(verb, commit, True, config, [PASSED]))


def test_it_is_refused_with_each_gate_and_the_command_that_opens_it(gated):
    with pytest.raises(GateRefused) as told:
        check_gates(*gated)
    assert told.value.exit_code == 4
    assert [line.split(":")[0] for line in told.value.why] == ["tests", "lint"]
    assert "inv test" in told.value.next_step
    assert "inv lint" in told.value.next_step


def test_it_passes_once_all_is_on_record(gated):
    environment, images = gated
    on_record(environment.root, "test", "lint")
    assert check_gates(environment, images) == ""


def test_an_image_opens_its_gate_as_the_digest_that_was_scanned(gated):
    environment, images = gated
    environment = replace(environment, gates=Gates(require=("image",)))
    config = load_repository(environment.root, {}).checks_hash
    passed = [Verdict("trivy:image", Outcome.PASSED)]
    digest = images["api"].digest
    keep(environment.root, record("scan-image", COMMIT, True, config, passed, image="sha256:0"))
    with pytest.raises(GateRefused) as told:
        check_gates(environment, images)
    assert digest in told.value.why[0]
    assert f"run inv scan --image={images['api'].pinned} on " in told.value.next_step
    keep(environment.root, record("scan-image", COMMIT, True, config, passed, image=digest))
    assert check_gates(environment, images) == ""


def test_a_variable_that_only_the_checks_had_closes_nothing(gated, monkeypatch):
    environment, images = gated
    (environment.root / "deploy").mkdir()
    (environment.root / "deploy/fairlead.toml").write_text(
        '[test.services.redis]\nimage = "${REDIS_IMAGE}"\n'
    )
    monkeypatch.setenv("REDIS_IMAGE", "redis:8")
    config = load_repository(environment.root, os.environ).checks_hash
    for verb in ("test", "lint"):
        keep(environment.root, record(verb, COMMIT, True, config, [PASSED]))
    monkeypatch.delenv("REDIS_IMAGE")
    assert check_gates(environment, images) == ""


def test_records_of_another_commit_open_nothing(gated):
    environment, images = gated
    on_record(environment.root, "test", "lint", commit="b2" * 20)
    with pytest.raises(GateRefused):
        check_gates(environment, images)


def test_a_rebuilt_image_of_another_commit_has_to_pass_again(gated, content):
    environment, images = gated
    on_record(environment.root, "test", "lint")
    rebuilt = content.image("v1", config={"Labels": {REVISION: "b2" * 20}})
    with pytest.raises(GateRefused):
        check_gates(environment, {"api": replace(images["api"], digest=rebuilt)})


def test_a_rebuild_of_the_same_commit_makes_its_scan_void(gated, content):
    """Built, scanned, open; built anew with another digest, closed until that one is scanned."""
    environment, images = gated
    environment = replace(environment, gates=Gates(require=("sast",)))
    config = load_repository(environment.root, {}).checks_hash

    def scanned(verb: str, tool: str, digest: str = "") -> None:
        passed = [Verdict(tool, Outcome.PASSED)]
        keep(environment.root, record(verb, COMMIT, True, config, passed, image=digest))

    scanned("scan", "bandit")
    scanned("scan-image", "trivy:image", images["api"].digest)
    assert check_gates(environment, images) == ""
    rebuilt = content.image("v1", config={"Labels": {REVISION: COMMIT}, "Env": ["BUILD=2"]})
    assert rebuilt != images["api"].digest
    anew = {"api": replace(images["api"], digest=rebuilt)}
    with pytest.raises(GateRefused) as told:
        check_gates(environment, anew)
    assert told.value.exit_code == 4
    assert rebuilt in told.value.why[0]
    scanned("scan-image", "trivy:image", rebuilt)
    assert check_gates(environment, anew) == ""


def test_an_image_that_tells_no_commit_is_refused(gated, content):
    environment, images = gated
    nameless = content.image("v2")
    with pytest.raises(GateRefused) as told:
        check_gates(environment, {"api": replace(images["api"], digest=nameless)})
    assert REVISION in told.value.why[0]


def test_a_bypass_is_told_with_what_it_passed_by(gated):
    assert check_gates(*gated, bypass="payments are down") == (
        "gates bypassed (tests, lint): payments are down"
    )


def test_without_gates_nobody_is_asked(gated):
    environment, images = gated
    unreachable = replace(images["api"], repository="127.0.0.1:1/app")
    assert check_gates(replace(environment, gates=Gates()), {"api": unreachable}) == ""


@pytest.mark.parametrize("reason", ["x", "  ", "line\nbreak here"])
def test_a_bypass_needs_a_reason_in_words(reason):
    with pytest.raises(UsageError):
        check_bypass(reason)
