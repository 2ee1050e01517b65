"""kill -9 in each phase; then status tells, and --resume or rollback brings the named state."""

import signal

import pytest

from tests.lab.hosts import wait_for
from tests.lab.load import Load
from tests.lab.project import COMPOSE

LATE = '    command: ["sh", "-c", "sleep 1; exec python -m agentic.api"]\n'
SERVED = "    env_file: .env\n    ports"
OTHERS = ("rolling", "recreate")


@pytest.fixture(
    scope="module",
    params=["blue-green", *(pytest.param(one, marks=pytest.mark.long) for one in OTHERS)],
)
def app(request, project, image):
    app = project(
        f"left-{request.param}", strategy=request.param, replicas=2, worker=True, lock_lease="2s",
        compose=COMPOSE.replace(SERVED, LATE + SERVED), drain_timeout="2s", keep_warm="1s",
    )  # fmt: skip
    app.deploy(image("v1")).ok()
    return app


def killed(app, phase, *words):
    """A command whose client is gone at the beginning of a phase, and its lease and step over."""
    running = app.start(*words, "--json")
    running.wait_for(f'"step": "{phase}')
    running.signal(signal.SIGKILL)
    running.process.wait()
    wait_for(lambda: app.inv("lock.status", "--json").code == 0, 30, "the lease ends")


def whole(app, tag):
    """That release serves, whole, and the journal has no loose end."""
    status = app.inv("status", "--json").ok().result
    assert status["unfinished"] == []
    assert app.serving() == tag
    host, release = app.hosts[0], status["release"]
    assert host.must(f"cat {app.base}/releases/{release}/status") == "proven"
    assert host.must(f"cd {app.base}/journal; for d in */; do cat $d/end; done")


def phases(app):
    """What this strategy calls the phases in which a client may die."""
    name = app.hosts[0].name
    return {
        "blue-green": ("start", "switch", "drain"),
        "rolling": (f"start:{name}", f"shift-1:{name}", f"shrink-2:{name}"),
        "recreate": ("upload", "stop", "start"),
    }[app.strategy]


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("way", ["resume", "rollback"])
def test_killed(app, image, place, way):
    """Forward: the new release is live and proven. Back: the old one, as if nothing had been."""
    old = app.serving()
    tag = image("v2") if old == "v1" else image("v1")
    phase = phases(app)[place]
    url, slow = f"http://{app.hosts[0].address}/api/v1/version", "/api/v1/slow?seconds=1"
    few = {"keepalive": 4, "fresh": 3, "slow": 3, "slow_path": slow, "think": 0.05}
    with Load(url, app.name, **few) as running:
        killed(app, phase, "deploy", f"--tag={tag}")
        status = app.inv("status", "--json")
        touched = status.result["unfinished"] != []
        assert place > 0 or not touched, status.text  # it may have died before the step was sent
        assert "never finished" in status.text
        if touched:
            refused = app.deploy(image("v3"))
            assert refused.code == 1, refused
            assert "--resume finishes it" in refused.error["next"]
            assert "inv rollback" in refused.error["next"]
        words = ("deploy", "--resume") if way == "resume" else ("rollback",)
        app.inv(*words, "--json").ok()
        report = running.stop()
    if app.strategy != "recreate":
        assert report.failed == 0, str(report)
    whole(app, tag if way == "resume" else old)


def test_the_last_step_ends_the_deploy_by_itself(app, image):
    """It runs to its end on the host without a client, and writes the end into the journal."""
    tag = image("v2") if app.serving() == "v1" else image("v1")
    killed(app, "tidy", "deploy", f"--tag={tag}")
    if app.inv("status", "--json").result["unfinished"]:  # it died before the step was sent
        app.inv("deploy", "--resume").ok()
    whole(app, tag)
    assert app.hosts[0].audit(app.app)[-1]["outcome"] == "done"


def test_what_touched_nothing_is_no_obstacle(app, image):
    """A new deploy clears away what a killed one left in the idle slot, and goes on."""
    tag = image("v2") if app.serving() == "v1" else image("v1")
    killed(app, phases(app)[0], "deploy", f"--tag={tag}")
    app.deploy(image("v3")).ok()
    whole(app, "v3")


def test_there_must_be_something_to_resume(app):
    refused = app.inv("deploy", "--resume", "--json")
    assert refused.code == 2
    assert app.inv("rollback", "--json").code == 2
