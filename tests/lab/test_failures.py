"""What fails on the way: the old release serves throughout, and the reason is told.

One application, deployed to again and again while a light load asks it all the time.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.load import Load, Report
from tests.lab.project import SMOKE, Project, Run
from tests.lab.registry import push_image

V1, V2 = "fail-v1", "fail-v2"
IMPATIENT = '{ path = "/health", timeout = "4s" }'  # for what never gets healthy
MEMORY = "    deploy: {resources: {limits: {memory: 160m}}}\n    ports"

ONLY_FROM_HERE = """
[[smoke]]
name = "is the old one"
path = "/api/v1/version"
contains = "fail-v1"
from = ["client"]
"""


@pytest.fixture(scope="module")
def live(project, image) -> Project:
    """An application that serves V1, its memory limited."""
    app: Project = project("failing", migrate=True)
    app.compose = app.compose.replace("    ports", MEMORY, 1)
    app.write().deploy(image(V1)).ok()
    return app


@pytest.fixture
def app(live: Project, tmp_path) -> Project:
    """The live application's files anew."""
    return dataclasses.replace(live, folder=tmp_path).write()


@pytest.fixture
def load(live: Project) -> Iterator["Watch"]:
    """Few clients that ask all the time."""
    url = f"http://{live.hosts[0].address}/api/v1/health"
    with Load(url, live.name, keepalive=3, fresh=3, slow=0, think=0.02) as running:
        yield Watch(running)


class Watch:
    """The load, ended by the question what came of it."""

    def __init__(self, running: Load) -> None:
        self._running = running

    def all_answered(self) -> Report:
        """Every request was answered with 200."""
        report = self._running.stop()
        assert report.failed == 0, str(report)
        assert report.ok > 50, str(report)
        return report

    def never_missed(self) -> Report:
        """Every request was answered with 200, and by V1."""
        report = self.all_answered()
        assert report.answers
        assert all(V1 in answer for answer in report.answers), report.answers
        return report


def told(run: Run) -> str:
    error: dict[str, Any] = run.error
    return "\n".join([error["what"], *error["why"], error["state"], error["next"]])


def holds(text: str, *words: str) -> None:
    for word in words:
        assert word in text, f"{word!r} is not in: {text}"


FAULTS = {
    "exit": (
        *("`health` failed on", "exit code 3", "out of memory: false"),
        *("log: agentic: loading the model index", "model index is damaged: bad magic number"),
    ),
    "oom": ("`health` failed on", "exit code 137"),
    "unhealthy": ("`health` failed on", "GET /health: HTTP/1.1 503", '"reason":"rehearsed"'),
    "redirect": ("`health` failed on", "GET /health: HTTP/1.1 301", "to /healthz/"),
    "smoke": (
        "`smoke-idle` failed on",
        "GET /api/v1/version",
        "HTTP 500, expected 200",
        "rehearsed",
    ),
    "migrate": ("`migrate` failed on", "migrate: 3 split_jobs failed: key agentic:jobs holds"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_release_that_fails_before_the_switch_never_stops_the_old_one(app, image, load, fault):
    if fault in ("unhealthy", "redirect"):  # what ends by itself ends the wait
        app.health = IMPATIENT
    done = app.write().deploy(image("fail-v2", fault))
    load.never_missed()
    assert done.code == 1, done.text
    release = done.error["what"]
    assert done.result["outcome"] == "failed", release
    holds(told(done), *FAULTS[fault], f"{app.hosts[0].name} serves 0001-{V1}", "then deploy again")
    if fault == "oom":  # some kernels tell Docker, of others the exit code tells
        known = ("out of memory: true", "killed, as is done with what takes more memory")
        assert any(words in told(done) for words in known), told(done)
    assert app.serving() == V1
    left_is_only_the_old_one(app)
    last = app.hosts[0].audit(app.app)[-1]
    assert (last["event"], last["outcome"]) == ("deploy", "failed")
    assert last["from"] == f"0001-{V1}"


def left_is_only_the_old_one(app: Project) -> None:
    found = app.hosts[0].containers(app.key)
    slot = app.live()
    assert found == [f"{app.key}-redis-1 running", f"{app.key}-{slot}-api-1 running"] or found == [
        f"{app.key}-{slot}-api-1 running",
        f"{app.key}-redis-1 running",
    ]
    assert app.inv("lock.status", "--env=staging").code == 0


def test_a_pull_that_breaks_off(app, load):
    push_image(app.lab, "agentic", "fail-torn", layer=b"no gzip, no tar")
    done = app.deploy("fail-torn")
    load.never_missed()
    assert done.code == 1, done.text
    holds(told(done), "`pull` failed on", "docker pull", "@sha256:", f"serves 0001-{V1}")
    assert app.serving() == V1
    left_is_only_the_old_one(app)


def test_after_the_switch_traffic_returns_to_the_old_one_and_the_exit_code_says_so(
    app, image, load
):
    app.smoke = SMOKE + ONLY_FROM_HERE
    done = app.write().deploy(image(V2))
    load.all_answered()
    assert done.code == 5, done.text
    assert done.result["outcome"] == "rolled-back"
    holds(told(done), "`smoke-client` failed here", "is the old one", "does not contain 'fail-v1'")
    holds(told(done), "every host is back", f"serves 0001-{V1}")
    assert app.serving() == V1
    left_is_only_the_old_one(app)


def test_people_read_the_same_and_status_says_who_serves(app, image):
    done = app.inv("deploy", "--env=staging", f"--tag={image('fail-v2', 'exit')}")
    assert done.code == 1
    assert done.out == ""
    last = done.err[done.err.index("✗ `health` failed") :]
    holds(last, "exit code 3", "bad magic number", "state:", "next:", f"0001-{V1}")
    status = app.inv("status", "--env=staging").ok()
    holds(status.out, f"0001-{V1}", app.hosts[0].name, "serves")
    holds(app.inv("rollback", "--env=staging", "--list").ok().out, "failed", "fail-v2-exit")


def test_a_failed_recreate_starts_the_old_release_again(app, image):
    app.strategy = "recreate"
    done = app.write().deploy(image("fail-v2", "smoke"))
    assert done.code == 5, done.text  # it was stopped meanwhile
    holds(told(done), "`smoke-idle` failed", "HTTP 500", f"serves 0001-{V1}")
    assert app.serving() == V1
    left_is_only_the_old_one(app)


def test_the_next_good_deploy_works_and_a_rollback_skips_all_that_failed(app, image):
    app.deploy(image(V2)).ok()
    assert app.serving() == V2
    back = app.inv("rollback", "--env=staging", "--quick", "--json").ok()
    assert back.result["release"] == f"0001-{V1}"
    assert app.serving() == V1


def test_a_router_that_was_replaced_comes_back_with_the_failure(app, image):
    app.staging = "[router]\nhttp_port = 8080"
    done = app.write().deploy(image("fail-v2", "smoke"))
    assert done.code == 1, done.text
    assert "is replaced by" in done.text
    assert app.serving() == V1


def test_a_first_deploy_that_fails_leaves_nothing_serving_and_no_container(project, image):
    app = project("failing-first")
    done = app.deploy(image("fail-v2", "smoke"))
    assert done.code == 1, done.text
    holds(told(done), "`smoke-idle` failed on", "HTTP 500", "serves nothing")
    host = app.hosts[0]
    assert host.containers(app.key) == []
    # An application that is routed for any host may be there too, and answer instead.
    assert '"version":"fail-' not in host.get("/api/v1/version", app.name).body
    status = app.inv("status", "--env=staging")
    holds(status.text, "nothing")

    app.smoke = SMOKE + ONLY_FROM_HERE
    done = app.write().deploy(image(V2))
    assert done.code == 5, done.text
    holds(told(done), "`smoke-client` failed here", "serves nothing")
    assert host.containers(app.key) == []
    assert app.name not in host.must("cat /opt/fairlead/router/maps/*.map")
    assert '"version":"fail-' not in host.get("/api/v1/version", app.name).body

    app.deploy(image(V1)).ok()
    assert app.serving() == V1
