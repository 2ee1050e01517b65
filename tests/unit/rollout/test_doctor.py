"""What a host's answers mean to doctor: each fault, its fix, and what was not looked at."""

from dataclasses import replace

import pytest
from factories import API, REDIS, a_host, an_environment, empty_host

from fairlead.config.connection import Registry
from fairlead.config.traffic import Router
from fairlead.errors import ConfigError, HostError, Problem
from fairlead.images.reference import parse
from fairlead.model import Result, Secret
from fairlead.rollout import doctor
from fairlead.rollout.checkup import ORDER, in_order
from fairlead.rollout.doctor_host import (
    BrokenOff,
    Facts,
    clock_note,
    judge,
    questions,
    read,
    unreached,
)

HOST = a_host()
OURS = (parse("registry.test/api"),)
UNKNOWN = "Error response from daemon: manifest for registry.test/api@sha256:0 not found"
WELL = Facts(
    empty_host(),
    directories={"/opt/agentic/staging": "yes", "/opt/fairlead": "yes"},
    ports={80: "free", 443: "free"},
    registries={"registry.test/api": UNKNOWN},
)


def judged(facts=WELL, environment=None, **changes):
    """The checks of a host, `WELL` but for the changes, by name."""
    environment = environment or an_environment()
    found = judge(environment, HOST, replace(facts, **changes), OURS)
    return {check.name: check for check in found}


def host_is(**changes):
    return judged(state=empty_host(**changes))


def answering(registry, **settings):
    environment = an_environment(registry=Registry(**settings)) if settings else None
    return judged(environment=environment, registries={"registry.test/api": registry})["registry"]


def test_a_host_that_is_well_passes_everything():
    assert {check.outcome for check in judged().values()} == {"passed"}


@pytest.mark.parametrize(
    ("changes", "name", "what", "fix"),
    [
        ({"docker": "missing"}, "docker", "not installed", "inv host.setup --env=staging"),
        (
            {"docker": "unreachable permission denied while trying to connect"},
            "docker",
            "not in the group docker",
            "usermod -aG docker deploy",
        ),
        (
            {"docker": "unreachable Cannot connect to the Docker daemon"},
            "docker",
            "does not answer",
            "systemctl enable --now docker",
        ),
        ({"compose": "2.20.3"}, "compose", "2.20.3; 2.24", "inv host.setup"),
        ({"compose": "missing"}, "compose", "missing", "inv host.setup"),
        ({"flock": False}, "flock", "missing", "apt-get install util-linux"),
        ({"disk_kib": 1 << 19}, "disk", "0.5 GiB free", "docker system df"),
        ({"router": "exited haproxy:3.0 a,b"}, "router", "exited", "docker logs"),
        (
            {
                "router": "running haproxy:3.0 a,b",
                "router_ports": (8080, 443),
                "foreign_routes": {"shop.test/": "shop-live"},
            },
            "router",
            "which serves shop-live, has 8080",
            "write into [router] what that router has",
        ),
    ],
)
def test_each_fault_comes_with_its_fix(changes, name, what, fix):
    check = host_is(**changes)[name]
    assert check.failed
    assert what in check.what
    assert fix in check.fix


def test_without_docker_what_needs_it_is_not_run():
    checks = host_is(docker="missing")
    not_run = {name for name, check in checks.items() if check.outcome == "not-run"}
    assert not_run == {"compose", "registry", "disk", "router"}
    assert checks["port"].outcome == "passed"


def test_a_taken_port_is_nobody_s_fault_while_docker_is_mute():
    mute = empty_host(docker="unreachable permission denied")
    assert judged(state=mute, ports={80: "taken"})["port"].outcome == "not-run"


@pytest.mark.parametrize(
    ("holder", "outcome", "said"),
    [
        ("free", "passed", "80 is free"),
        ("container fairlead-router", "passed", "80 is held by the router"),
        ("container old-nginx", "failed", "80 is published by container old-nginx"),
        ("process nginx", "failed", "80 is taken by nginx"),
        ("taken", "failed", "only root may see"),
    ],
)
def test_a_port_is_free_or_the_routers(holder, outcome, said):
    check = judged(ports={80: holder})["port"]
    assert (check.outcome, said in check.what) == (outcome, True)
    assert bool(check.fix) == (outcome == "failed")


@pytest.mark.parametrize(
    "answer",
    [
        UNKNOWN,
        "Error response from daemon: registry.test/api@sha256:0: not found",
        "Error response from daemon: repository registry.test/api not found: name unknown",
    ],
)
def test_a_registry_that_knows_no_such_image_was_reached(answer):
    assert answering(answer).outcome == "passed"


@pytest.mark.parametrize(
    ("answer", "fix"),
    [
        (
            'Error response from daemon: Get "https://registry.test/v2/": no such host',
            "docker pull",
        ),
        ("no answer in 15 s", "docker pull"),
        ("http: server gave HTTP response to HTTPS client", '"insecure-registries"'),
        ("x509: certificate signed by unknown authority", "docker pull"),
    ],
)
def test_a_registry_that_is_not_reached_fails(answer, fix):
    check = answering(answer)
    assert check.failed
    assert fix in check.fix


def test_a_login_that_a_deploy_brings_along_is_no_fault():
    refused = (
        'Error response from daemon: Get "https://registry.test/v2/": no basic auth credentials'
    )
    assert answering(refused).failed
    ours = {"server": "registry.test", "username": "ci", "password": Secret("x")}
    assert answering(refused, **ours).outcome == "passed"
    assert answering(refused, **{**ours, "server": "other.test"}).failed


def test_a_router_whose_image_cannot_be_had_fails_unless_the_host_has_it():
    environment = an_environment()
    fault = "image haproxy:3.0 is not in the registry"
    absent = judge(environment, HOST, WELL, OURS, fault)
    assert [check.what for check in absent if check.failed] == [
        f"not there yet, and its image cannot be had: {fault}"
    ]
    present = replace(WELL, state=empty_host(images={environment.router.image: True}))
    assert not [check for check in judge(environment, HOST, present, OURS, fault) if check.failed]


def test_hosts_without_routed_services_need_no_ports():
    environment = an_environment(services=())
    words = [command.argv[0] for command in questions(environment, "web1", OURS)]
    assert "fl_doctor_ports" not in words
    assert "router" not in judged(environment=environment, ports={})


def test_a_certificate_is_looked_at_when_one_is_configured():
    environment = an_environment(router=Router(certificate="/etc/x.pem"))
    assert ("fl_doctor_file", "/etc/x.pem") in [
        c.argv for c in questions(environment, "web1", OURS)
    ]
    check = judged(environment=environment, files={"/etc/x.pem": False})["certificate"]
    assert "ls -l /etc/x.pem" in check.fix


def test_a_host_that_cannot_be_reached_is_told_once_and_the_rest_is_not_run():
    error = HostError("web1", "cannot be reached at web1.test:22", next_step="ssh web1.test true")
    first, *rest = unreached(HOST, error)
    assert (first.name, first.what, first.fix) == (
        "ssh",
        "cannot be reached at web1.test:22",
        "ssh web1.test true",
    )
    assert {check.outcome for check in rest} == {"not-run"}
    assert [check.name for check in rest] == [n for n in ORDER[6:] if n != "certificate"]


def test_answers_that_broke_off_are_no_pass():
    with pytest.raises(BrokenOff, match="no command can be run there: This account is"):
        read("web1", Result("web1", 1, "This account is not available.", "", 0.1))
    with pytest.raises(BrokenOff, match="web1: disk I/O error"):
        read("web1", Result("web1", 1, "@pid 7\n", "sh: x\ndisk I/O error\n", 0.1))
    checks = unreached(HOST, BrokenOff("web1", "disk I/O error"))
    assert [check.outcome for check in checks[:2]] == ["passed", "failed"]
    assert {check.outcome for check in checks[2:]} == {"not-run"}


def test_facts_are_read_from_marked_lines():
    text = """@pid 7
@clock 1795203335
@flock missing
@directory /opt/agentic/staging no /opt
@docker 26.1.5 linux/x86_64
@port 80 container old-nginx
@registry registry.test/api Error response from daemon: not found
@file /etc/x.pem yes
"""
    facts = read("web1", Result("web1", 0, text, "", 0.1), 7.4)
    assert facts.state.docker == "26.1.5"
    assert not facts.state.flock
    assert facts.directories == {"/opt/agentic/staging": "no /opt"}
    assert facts.ports == {80: "container old-nginx"}
    assert facts.registries == {"registry.test/api": "Error response from daemon: not found"}
    assert facts.files == {"/etc/x.pem": True}
    assert clock_note("web1", facts) == "web1: its clock is 7 s ahead of this machine's"
    assert clock_note("web1", replace(facts, ahead=-4.9)) == ""


def test_a_configuration_that_is_wrong_shows_all_its_faults_and_stops_there():
    problems = [
        Problem("deploy/x.toml", "a.b", "is required", 3),
        Problem(".env", "KEY", "is empty"),
    ]
    checks = doctor.unreadable(ConfigError(problems))
    assert [check.what for check in checks if check.failed] == [str(one) for one in problems]
    assert {check.name for check in checks if check.outcome == "not-run"} >= {
        "ssh",
        "docker",
        "disk",
    }


def test_registries_asked_are_those_that_images_come_from(tmp_path):
    """A compose file's image counts only for a service that the configuration gives none."""
    compose = tmp_path / "compose.yaml"
    compose.write_text(
        "services: {api: {image: nobody.test/api}, redis: {image: data.test/redis:8}}\n"
    )
    environment = an_environment(
        services=(API, REDIS),
        root=tmp_path,
        compose_file=compose,
        router=Router(image="data.test/haproxy:3.0"),
    )
    checks, references = doctor.project(environment)
    if checks[-1].outcome == "not-run":
        pytest.skip(checks[-1].what)
    assert [str(one) for one in references] == ["registry.test/api:latest", "data.test/redis:8"]


def test_checks_go_from_near_to_far():
    names = [check.name for check in in_order(reversed(list(judged().values())))]
    assert names == sorted(names, key=ORDER.index)
