"""Secrets stay secret: planted where they can leak, looked for wherever others can look."""

import base64
import json
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.hosts import Host
from tests.lab.project import Project, Run

KEY = "pLanted-9f31c7d2-key"
IN_URL = "pLanted/77ab+url"  # written quoted in the URL
REGISTRY = "pLanted-55e0-registry"
TEST_URL = "pLanted-31c9-test"
QUOTED = "pLanted%2F77ab%2Burl"

SPELLINGS = [
    *(KEY, IN_URL, QUOTED, REGISTRY, TEST_URL),
    *(base64.b64encode(text.encode()).decode().rstrip("=") for text in (KEY, REGISTRY, TEST_URL)),
    base64.b64encode(f"ci:{REGISTRY}".encode()).decode().rstrip("="),
]

CRASH = """\
    command: ["sh", "-c", "echo cannot connect to $$DATABASE_URL with $$SECRET_KEY >&2; exit 7"]
    ports"""

# A command that needs a secret: the shell in the container takes it from its environment.
MIGRATE = "sh -c 'test $$SECRET_KEY && python -m agentic.migrate'"

OWN_TASK = """\
from fairlead.tasks import ns
from fairlead.cli.verb import verb

@verb
def fragile(run):
    \"\"\"A project's own task, with a bug\"\"\"
    environment = run.environment()
    raise RuntimeError("cannot use " + environment.variables["SECRET_KEY"].reveal())

ns.add_task(fragile)
"""


def secrets_in(text: str) -> list[str]:
    return [spelling for spelling in SPELLINGS if spelling in text]


@pytest.fixture(scope="module")
def app(project) -> Project:
    """An application with secrets in its env, in a URL, in its compose file, and a login."""
    one: Project = project(
        "discreet",
        migrate=True,
        variables={"SECRET_KEY": KEY, "DATABASE_URL": f"postgres://shop:{QUOTED}@db:5432/shop"},
    )
    one.edit(
        "deploy/fairlead.toml",
        "insecure = true",
        'insecure = true\nusername = "ci"\npassword = "${REGISTRY_PASSWORD}"',
    )
    one.append(".env.staging", f"REGISTRY_PASSWORD={REGISTRY}\n")
    one.edit("deploy/fairlead.toml", "python -m agentic.migrate", MIGRATE)
    one.edit("compose.yaml", "    ports", "    environment: {COPY: '${SECRET_KEY}'}\n    ports")
    # So that there is something to pull, and to log in for.
    one.hosts[0].run(f"docker image rm -f $(docker image ls -q {one.lab.registry}/agentic)")
    return one


@contextmanager
def processes_watched(host: Host) -> Iterator[list[str]]:
    """Every different command line seen meanwhile, here and on the host, when it is over."""
    seen: list[str] = []
    here: set[bytes] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    here.add((process / "cmdline").read_bytes())
                except OSError:
                    continue

    watcher = threading.Thread(target=watch)
    host.must("touch /tmp/watching", user="root")
    there = host.background(
        "while [ -e /tmp/watching ]; do ps -ww -eo args=; sleep 0.02; done | awk '!seen[$0]++'",
        user="root",
    )
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()
        host.must("rm /tmp/watching", user="root")
        seen += there.communicate(timeout=30)[0].splitlines()
        seen += [line.replace(b"\0", b" ").decode("utf-8", "replace") for line in here]


@pytest.fixture(scope="module")
def told(app: Project, image) -> dict[str, str]:
    """All that a good deploy, a failed one and those who look said; and all processes meanwhile."""
    github = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(app.folder / "summary.md"),
        "GITHUB_OUTPUT": str(app.folder / "output"),
    }
    good, bad = image("secret-v1"), image("secret-v2")
    with processes_watched(app.hosts[0]) as processes:
        runs = {
            "plan": app.deploy(good, "--plan", "-v").ok(),
            "deploy": app.inv("deploy", "--env=staging", f"--tag={good}", "-v").ok(),
        }
        app.edit("compose.yaml", "    ports", CRASH)
        runs["crash"] = app.deploy(bad, "-v")
        runs["crash in CI"] = app.inv("deploy", "--env=staging", f"--tag={bad}", env=github)
        app.edit("compose.yaml", CRASH, "    ports")
        runs |= {
            "status": app.inv("status", "--env=staging", "-v").ok(),
            "list": app.inv("rollback", "--env=staging", "--list").ok(),
            "env": app.inv("exec", "--env=staging", "--service=api", "--", "env").ok(),
            "logs": app.inv("logs", "--env=staging", "--json").ok(),
            "exit": app.inv("exec", "--env=staging", "--service=api", "--", "sh", "-c", "exit 42"),
        }
    assert runs["crash"].code == runs["crash in CI"].code == 1
    assert runs["exit"].code == 42  # that of the command
    texts = {name: run.text for name, run in runs.items()}
    texts["summary"] = (app.folder / "summary.md").read_text()
    texts["output"] = (app.folder / "output").read_text()
    texts["processes"] = "\n".join(processes)
    return texts


def test_no_output_has_a_secret(told):
    assert {name: secrets_in(text) for name, text in told.items() if secrets_in(text)} == {}


def test_what_was_masked_was_there(app, told):
    """The secrets were really on their way: without the mask they would have been seen."""
    assert "cannot connect to postgres://shop:•••@db:5432/shop with •••" in told["crash in CI"]
    crash = [json.loads(line) for line in told["crash"].splitlines()][-1]["error"]
    assert any("postgres://shop:•••@db:5432/shop with •••" in line for line in crash["why"])
    assert "SECRET_KEY=•••" in told["env"]
    assert "COPY=•••" in told["env"]
    inside = app.hosts[0].must(f"docker exec {app.key}-{app.live()}-api-1 env")
    assert f"SECRET_KEY={KEY}" in inside
    assert f"postgres://shop:{QUOTED}@db" in inside
    assert f"COPY={KEY}" in inside


def test_the_processes_of_a_deploy_were_seen(app, told):
    """Here and on the host, and the login among them."""
    login = "docker login --username ci --password-stdin"
    for words in (login, "docker-compose", "deploy --env", "api sh -c test $SECRET_KEY"):
        assert words in told["processes"]


def test_no_login_is_left_on_the_host(app, told):
    """Its own Docker configuration is as it was, and the one of the pull is gone."""
    found = app.hosts[0].must(f"cat ~/.docker/config.json 2>/dev/null || :; ls {app.base}")
    assert app.lab.registry not in found
    assert "login" not in found.splitlines()


def test_nothing_kept_for_the_record_has_a_secret(app, told):
    kept = app.hosts[0].must(
        f"cat {app.base}/audit.jsonl {app.base}/releases/*/manifest.json "
        f"{app.base}/backups/*/manifest.json {app.base}/deploy/*.sh {app.base}/lock/* "
        "/opt/fairlead/router/haproxy.cfg /opt/fairlead/router/conf.d/* 2>/dev/null || :"
    )
    assert '"event": "deploy"' in kept
    assert '"config_hash"' in kept
    assert secrets_in(kept) == []


def test_no_file_that_others_may_read_has_a_secret(app, told):
    host = app.hosts[0]
    patterns = "\n".join(SPELLINGS) + "\n"
    find = "grep -rlFf - /opt /etc /home /root /tmp /var /run /srv /usr/local 2>/dev/null || :"
    assert host.must(find, user="guest", stdin=patterns).splitlines() == []
    mine = host.must("grep -rlFf - /opt || :", stdin=patterns).splitlines()
    assert f"{app.base}/releases/0001-secret-v1/env" in mine  # where it must be
    modes = host.must(f"stat -c '%a %n' {shlex.join(mine)}").splitlines()
    assert {line.split()[0] for line in modes} == {"600"}, modes
    left = host.must("grep -rlFf - /tmp /var/log 2>/dev/null || :", user="root", stdin=patterns)
    assert left == ""


def test_a_compose_file_that_is_refused_for_a_secret_does_not_show_it(app):
    app.edit("compose.yaml", '"8000:8000"', '"${SECRET_KEY}:8000"')
    try:
        runs = [app.deploy("secret-v1"), app.inv("deploy", "--env=staging", "--tag=secret-v1")]
    finally:
        app.edit("compose.yaml", '"${SECRET_KEY}:8000"', '"8000:8000"')
    for run in runs:
        assert run.code == 2
        assert "•••" in run.err or "\\u2022" in run.out
        assert secrets_in(run.text) == []


def test_a_command_that_would_show_one_is_refused(app):
    """`${SECRET_KEY}` is replaced here, and so would be in the argv of docker on the host."""
    app.edit("deploy/fairlead.toml", "test $$SECRET_KEY", "test ${SECRET_KEY}")
    try:
        refused = app.deploy("secret-v1")
    finally:
        app.edit("deploy/fairlead.toml", "test ${SECRET_KEY}", "test $$SECRET_KEY")
    assert refused.code == 2
    assert "migrate.command: puts the secret SECRET_KEY" in " ".join(refused.error["why"])
    assert secrets_in(refused.text) == []


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_not_even_the_traceback_of_a_bug_has_one(app, words):
    (app.folder / "tasks.py").write_text(OWN_TASK)
    run: Run = app.inv("fragile", "--env=staging", *words, env={"FAIRLEAD_DEBUG": "1"})
    assert run.code == 6
    assert "Traceback" in run.err
    assert "RuntimeError: cannot use •••" in run.err
    assert secrets_in(run.text) == []


def test_a_password_in_test_url_is_used_and_not_shown(app, told):
    good = f"http://ops:{TEST_URL}@{app.hosts[0].address}"
    run = app.inv("smoke", "--env=staging", "--json", env={"TEST_URL": good}).ok()
    assert run.result["outcome"] == "passed"
    refused = app.inv(
        "smoke", "--env=staging", env={"TEST_URL": f"{good}:1", "FAIRLEAD_DEBUG": "1"}
    )
    assert refused.code == 1
    assert "refused" in refused.text
    assert secrets_in(run.text + refused.text) == []
