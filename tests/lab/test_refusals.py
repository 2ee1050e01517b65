"""What is refused: with an exit code, a sentence to act on, and nothing changed on the host."""

import dataclasses
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.lab.hosts import Host
from tests.lab.project import Project
from tests.lab.registry import push_image

V1, V2 = "refuse-v1", "refuse-v2"
Told = dict[str, Any]


@pytest.fixture(scope="module")
def live(project, image) -> Project:
    """An application that serves V1; V2 is in the registry."""
    app: Project = project("refused", worker=True)
    app.deploy(image(V1)).ok()
    image(V2)
    return app


@pytest.fixture
def app(live: Project, tmp_path) -> Project:
    """The live application's files anew, to be spoilt."""
    return dataclasses.replace(live, folder=tmp_path).write()


@pytest.fixture(scope="module")
def untouched(live: Project) -> Callable[[Host], dict[str, tuple[str, str]]]:
    """What differs on a host since it was asked last, before and after; nothing, it should be."""
    seen = {host: host.snapshot() for host in live.hosts}

    def changes(host: Host) -> dict[str, tuple[str, str]]:
        before, now = seen[host], host.snapshot()
        seen[host] = now
        keys = before.keys() | now.keys()
        pairs = {key: (before.get(key, "-"), now.get(key, "-")) for key in keys}
        return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}

    return changes


@pytest.fixture
def refused(app: Project, untouched) -> Callable[..., str]:
    """Runs a command that must be refused; all the error says, in one text.

    The host is compared file by file, container by container before and after; and it still serves.
    """

    def run(code: int, *words: str, tag: str = V2) -> str:
        done = app.inv(*(words or ("deploy", "--env=staging", f"--tag={tag}")), "--json")
        assert done.code == code, done.text
        assert "Traceback" not in done.text
        assert done.err == ""
        assert [line["type"] for line in done.lines].count("result") == 1
        assert done.result["exit_code"] == code
        assert untouched(app.hosts[0]) == {}
        assert app.serving() == V1
        return _told(done.error)

    return run


def _told(error: Told) -> str:
    assert error["what"]
    assert re.search("nothing was (changed|sent)|no host was contacted", error["state"]), error
    return "\n".join([error["what"], *error["why"], f"state: {error['state']}", error["next"]])


def holds(text: str, *words: str) -> None:
    for word in words:
        assert word in text, f"{word!r} is not in: {text}"


# --- configuration: exit 2 --------------------------------------------------------------------


def test_an_unknown_key_is_named_with_its_file_its_line_and_the_likely_right_one(app, refused):
    app.edit(
        "deploy/fairlead.toml", 'image = "${LAB_REGISTRY}/agentic"\nroles', "replica = 2\nroles"
    )
    holds(refused(2), "deploy/fairlead.toml:", "services.api.replica", "`replicas`")


def test_a_wrong_type_is_named_with_what_would_be_right(app, refused):
    app.edit("deploy/fairlead.toml", "[ssh]", 'keep_releases = "five"\n[ssh]')
    app.edit("deploy/fairlead.toml", 'keep_warm = "2m"', "keep_warm = 120")
    told = refused(2)
    holds(told, "2 problems", "keep_releases", "whole number", "keep_warm", '"10m"')


def test_all_missing_env_keys_are_named_at_once(app, refused):
    (app.folder / ".env.staging").write_text("REDIS_URL=redis://redis:6379/0\nGREETING=\n")
    holds(refused(2), "SECRET_KEY", "GREETING", ".env.staging")


def test_an_unknown_environment_is_told_beside_the_likely_one(refused):
    told = refused(2, "deploy", "--env=stagin", f"--tag={V2}")
    holds(told, "stagin", "staging", "no host was contacted")


def test_a_service_that_the_compose_file_does_not_have(app, refused):
    app.edit("deploy/fairlead.toml", "[services.worker]", "[services.workers]")
    told = refused(2)
    holds(told, "services.workers", "compose.yaml", "`worker`", "api, redis, worker")


SPOILT = {
    "host network": ('network_mode: "host"', "services.worker.network_mode", "remove it"),
    "a container's network": (
        'network_mode: "service:redis"',
        "services.worker.network_mode",
        "service:redis",
    ),
    "an anonymous volume": ('volumes: ["/data"]', "services.worker.volumes[0]", "has no name"),
    "a volume without a name of its own": (
        'volumes: ["stuff:/data"]',
        "services.worker.volumes[0]",
        "name: ${FAIRLEAD_APP}-${FAIRLEAD_ENVIRONMENT}-stuff",
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_what_two_slots_could_not_share_is_named_with_its_key(app, refused, what):
    line, key, remedy = SPOILT[what]
    app.edit("compose.yaml", '    command: ["python"', f'    {line}\n    command: ["python"')
    if "stuff" in line:
        app.append("compose.yaml", "volumes:\n  stuff:\n")
    holds(refused(2), "compose.yaml", key, remedy, "nothing was changed")


def test_ports_and_container_name_are_reset_and_the_plan_says_so(app, untouched):
    app.edit("compose.yaml", "    ports:", "    container_name: the-api\n    ports:")
    plan = app.deploy(V2, "--plan").ok()
    notes = "\n".join(next(line for line in plan.lines if line["type"] == "plan")["notes"])
    holds(notes, "api: `ports` (8000) is reset", "api: `container_name` is reset")
    told = app.inv("deploy", "--env=staging", f"--tag={V2}", "--plan").ok()
    holds(told.out, "`ports` (8000) is reset", "`container_name` is reset")
    assert untouched(app.hosts[0]) == {}


# --- the command line: exit 2 -----------------------------------------------------------------


@pytest.mark.parametrize(
    "tag", ["v1;touch /tmp/pwned", "$(touch /tmp/pwned)", "../../etc", "v1 v2", "-rf", "`id`"]
)
def test_a_tag_that_is_none_is_refused_before_any_host_is_contacted(app, refused, tag):
    told = refused(2, tag=tag)
    holds(told, "tag", "no host was contacted")
    assert app.hosts[0].run("test -e /tmp/pwned").code == 1


@pytest.mark.parametrize("to", ["../../../etc", "20260101-000000/../..", "0001-v1;reboot", "/etc"])
def test_a_path_is_no_release_to_roll_back_to(refused, to):
    holds(refused(2, "rollback", "--env=staging", f"--to={to}"), "release")


def test_an_unknown_release_lists_those_that_are_there(refused):
    told = refused(2, "rollback", "--env=staging", "--to=20260101-000000")
    holds(told, "20260101-000000", f"0001-{V1}", "(live)", "inv rollback --env=staging --to=")


def test_nothing_older_to_roll_back_to(refused):
    told = refused(1, "rollback", "--env=staging", "--quick")
    holds(told, "no older", f"0001-{V1}", "(live)", "inv deploy --env=staging --tag=")


# --- images -----------------------------------------------------------------------------------


def test_a_tag_that_is_not_in_the_registry_is_told_with_near_ones(app, refused):
    told = refused(1, tag="refuse-v3")
    holds(told, "refuse-v3", app.lab.registry, "not in the registry", V1, V2, "--tag")


def test_an_image_for_another_architecture(app, refused):
    push_image(app.lab, "agentic", "refuse-arm", architecture="arm64")
    told = refused(1, tag="refuse-arm")
    holds(told, app.hosts[0].name, "linux/arm64", "linux/amd64", "build it for linux/amd64")


def test_a_pull_that_the_disk_is_too_small_for(app, refused):
    push_image(app.lab, "agentic", "refuse-huge", layer_size=10**14)
    told = refused(1, tag="refuse-huge")
    holds(told, app.hosts[0].name, "MiB free", "refuse-huge", "needs about", "docker system df")


# --- the way to a host ------------------------------------------------------------------------


def test_an_unknown_host_key_is_refused_with_the_command_that_would_trust_it(app, refused):
    (app.folder / "known").write_text("")
    app.edit("deploy/fairlead.toml", str(app.lab.known_hosts), str(app.folder / "known"))
    told = refused(1)
    holds(told, "host key is not known", "SHA256:", f"ssh-keyscan {app.hosts[0].address} >>")
    scan = next(line for line in told.splitlines() if "ssh-keyscan" in line).partition("then: ")[2]
    assert _here(scan) == 0  # the command works as it was told
    assert app.inv("status", "--env=staging").code == 0


def test_a_changed_host_key_is_refused_as_such(app, refused):
    address = app.hosts[0].address
    keys = app.lab.known_hosts.read_text().splitlines()
    other = next(line for line in keys if address not in line.split(" ")[0].split(","))
    (app.folder / "known").write_text(f"{address} {other.split(' ', 1)[1]}\n")
    app.edit("deploy/fairlead.toml", str(app.lab.known_hosts), str(app.folder / "known"))
    told = refused(1)
    holds(told, "host key is not the one", "SHA256:", f"ssh-keygen -R {address}", "in between")


def test_a_host_that_answers_on_no_such_port(app, refused):
    app.edit("deploy/staging.toml", "\naddress =", "\nport = 2\naddress =")
    told = refused(1)
    holds(told, app.hosts[0].name, f"{app.hosts[0].address}:2", "refused", "ssh -p 2 ")


def test_a_host_that_is_not_there_at_all(app, refused):
    nobody = app.lab.subnet.replace(".0/24", ".250")
    app.edit("deploy/staging.toml", f'address = "{app.hosts[0].address}"', f'address = "{nobody}"')
    app.edit("deploy/fairlead.toml", 'connect_timeout = "5s"', 'connect_timeout = "1s"')
    holds(
        refused(1), "cannot be reached", nobody, "no answer in time", f"ssh -p 22 deploy@{nobody}"
    )


def test_a_user_whom_sshd_does_not_know(app, refused):
    app.edit("deploy/fairlead.toml", 'user = "deploy"', 'user = "nobody-here"')
    told = refused(1)
    holds(
        told, "`nobody-here` was refused", app.hosts[0].address, "nothing was changed", "host.setup"
    )


# --- what a host must have --------------------------------------------------------------------

OLD_COMPOSE = """#!/bin/sh
case $1 in
  docker-cli-plugin-metadata)
    echo '{"SchemaVersion": "0.1.0", "Vendor": "Docker Inc.", "Version": "v2.20.3"}' ;;
  *) echo 2.20.3 ;;
esac
"""
NO_COMPOSE = "#!/bin/sh\nexit 1\n"


@pytest.fixture(scope="module")
def strangers(live: Project) -> Iterator[Host]:
    """Users for whom the host is less than it is: by their PATH, or by a Compose of their own,
    which Docker finds before the system's."""
    host = live.hosts[0]
    lines = ["for u in bare aged without; do userdel -rf $u 2>/dev/null; done"]
    lines += [f"useradd -m -s /bin/bash -p '*' -G docker {u}" for u in ("bare", "aged", "without")]
    for user, plugin in (("aged", OLD_COMPOSE), ("without", NO_COMPOSE)):
        folder = f"/home/{user}/.docker/cli-plugins"
        lines.append(
            f"mkdir -p {folder}; printf %s {shlex.quote(plugin)} >{folder}/docker-compose; "
            f"chmod -R a+rx /home/{user}/.docker"
        )
    lines.append("mkdir /home/bare/bin; ln -s /usr/bin/* /home/bare/bin; rm /home/bare/bin/docker")
    lines.append('echo "export PATH=/home/bare/bin" >/home/bare/.bashrc')
    host.must("\n".join(lines), user="root")
    yield host
    host.must("for u in bare aged without; do userdel -rf $u; done 2>/dev/null || :", user="root")


def as_user(app: Project, user: str) -> None:
    app.edit("deploy/fairlead.toml", 'user = "deploy"', f'user = "{user}"')


def test_a_user_who_may_not_use_docker(app, refused):
    as_user(app, "guest")
    told = refused(1)
    holds(told, app.hosts[0].name, "permission denied", "group docker", "inv host.setup")


@pytest.mark.usefixtures("strangers")
def test_a_host_without_docker(app, refused):
    as_user(app, "bare")
    holds(refused(1), app.hosts[0].name, "Docker is not installed", "inv host.setup")


@pytest.mark.usefixtures("strangers")
def test_a_compose_that_is_too_old_and_all_else_that_is_wrong_with_the_host(app, refused):
    as_user(app, "aged")
    told = refused(1)
    holds(told, "Compose is 2.20.3, which is too old", "2.24 or newer", "docker-compose-plugin")
    holds(told, f"cannot write {app.base}")


@pytest.mark.usefixtures("strangers")
def test_a_host_without_compose(app, refused):
    as_user(app, "without")
    holds(refused(1), "Compose is missing", "2.24 or newer", "inv host.setup")


# --- others at work ---------------------------------------------------------------------------


def test_a_lock_that_is_held_tells_who_since_when_and_doing_what(app, refused):
    host = app.hosts[0]
    told = ("fl_lock", "300", "ada@laptop", "deploy v9")
    assert host.fl(*told, key=app.key, base=app.base, token="t1").code == 0
    try:
        for words in ((), ("rollback", "--env=staging", "--quick")):
            text = refused(3, *words)
            holds(text, host.name, "ada@laptop", "deploy v9", "since 20", "inv lock.status")
        shown = app.inv("lock.status", "--env=staging")
        assert shown.code == 3
        holds(shown.text, "ada@laptop", "deploy v9")
        release = ("lock.release", "--env=staging")
        assert app.inv(*release, "--yes").code == 2  # neither whose it is nor why
        assert app.inv(*release, "--token=t1").code == 2  # nobody can be asked: --yes
        assert app.inv(*release, "--token=t2", "--yes").code == 3  # another's
        assert app.inv(*release, "--token=t1", "--yes").code == 0
        assert app.inv("lock.status", "--env=staging").code == 0
        assert host.fl(*told, key=app.key, base=app.base, token="t1").code == 0
        assert app.inv(*release, "--force=ada is away", "--yes").code == 0
        assert (host.audit(app.app)[-1]["event"], host.audit(app.app)[-1]["why"]) == (
            *("lock-release", "ada is away"),
        )
    finally:
        host.fl("fl_lock_break", "tests", "clean-up", key=app.key, base=app.base)


def test_a_route_that_belongs_to_another_application(project, live, image, untouched):
    other = project("refused-too", route=live.name)
    untouched(live.hosts[0])  # from here on
    done = other.deploy(image(V2))
    assert done.code == 1, done.text
    holds(_told(done.error), live.name, "belongs to", live.key, live.hosts[0].name)
    assert untouched(live.hosts[0]) == {}
    assert live.serving() == V1


def _here(command: str) -> int:
    return subprocess.run(["sh", "-c", command], capture_output=True, timeout=20).returncode
