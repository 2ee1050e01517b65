"""Ctrl-C, SIGTERM and kill -9 in the middle of a deploy: what serves, what runs, is it locked."""

import signal
import time

import pytest

from tests.lab.hosts import wait_for
from tests.lab.load import Load
from tests.lab.project import COMPOSE, SMOKE

LATE = '    command: ["sh", "-c", "sleep 1; exec python -m agentic.api"]\n'
SLOW_MIGRATION = """
[migrate]
service = "api"
command = "sh -c 'echo migrating; sleep 2'"
"""
SLOW_SMOKE = """
[[smoke]]
name = "slow"
path = "/api/v1/slow?seconds=1"
max_time = "10s"
from = ["host"]
"""
INT, TERM = signal.SIGINT, signal.SIGTERM
PHASES = {
    "pull": TERM, "upload": INT, "migrate": TERM, "start": INT, "health": TERM, "smoke-idle": INT,
    "switch": INT, "drain": TERM, "workers": INT, "tidy": TERM,
}  # fmt: skip
AFTER = ("switch", "drain", "workers", "tidy")


@pytest.fixture(scope="module")
def app(project, image):
    """v1 is live; every phase of a deploy takes long enough to be interrupted in it."""
    app = project(
        "stops",
        worker=True,
        compose=COMPOSE.replace(
            "    env_file: .env\n    ports", LATE + "    env_file: .env\n    ports"
        ),
        more=SLOW_MIGRATION,
        smoke=SMOKE + SLOW_SMOKE,
        drain_timeout="10s",
    )
    app.deploy(image("v1")).ok()
    return app


def load(app, **options):
    url = f"http://{app.hosts[0].address}/api/v1/version"
    kinds = {"keepalive": 6, "fresh": 0, "slow": 4, "slow_path": "/api/v1/slow?seconds=2"}
    return Load(url, app.name, think=0.05, **{**kinds, **options})


def containers(app):
    """`RELEASE SLOT SERVICE` of each container that runs, one-off runs too."""
    labels = " ".join(
        f'{{{{index .Config.Labels "{name}"}}}}'
        for name in ("fairlead.release", "fairlead.slot", "fairlead.service")
    )
    out = app.hosts[0].must(
        f"docker ps -q --filter label=fairlead.key={app.key}"
        f" | xargs -r docker inspect --format '{labels}'"
    )
    return sorted(line for line in out.splitlines() if line.count(" ") == 2 and line[0] != " ")


def whole(app):
    """One release serves, whole; the lock is free; nothing half-made runs. Its release."""
    status = app.inv("status", "--json").ok().result
    release = str(status["release"])
    assert status["locked"] == {}
    live = app.live()
    mine = [line.split() for line in containers(app)]
    assert [service for of, slot, service in mine if slot == live] == ["api", "worker"]
    assert {of for of, slot, _ in mine if slot == live} == {release}
    # what runs besides is the warm old slot: its API alone, of a release that did not fail
    for of, slot, service in mine:
        assert slot == live or service == "api", mine
        assert app.hosts[0].must(f"cat {app.base}/releases/{of}/status") != "failed", mine
    assert release.endswith(app.serving())
    return release


@pytest.mark.parametrize(("phase", "number"), PHASES.items())
def test_interrupted(app, image, phase, number):
    """The lock is gone, the old release serves or the new one whole, and nobody noticed."""
    before = whole(app)
    tag = image("v2") if app.serving() == "v1" else image("v1")
    tag = image(f"v{int(time.time())}") if phase == "pull" else tag  # the host has it not
    with load(app) as running_load:
        running = app.start("deploy", f"--tag={tag}", "--json")
        running.wait_for(f'"step": "{phase}", "title"')
        running.signal(number)
        if phase == "health":  # an impatient second one does not cut the way back short
            time.sleep(0.3)
            running.signal(INT)
        ended = running.end()
        report = running_load.stop()
    assert report.failed == 0, str(report)
    after = whole(app)
    if ended.code == 0:
        assert phase in AFTER, "an interrupted deploy said it was done"
        assert after.endswith(tag)
    else:
        assert ended.code == (5 if phase in AFTER else 1), ended
        assert "interrupted" in ended.error["what"]
        assert after == before


def test_of_two_deploys_at_once_one_proceeds(app, image):
    """The other is refused with exit 3, and told who is at work."""
    tags = [image("v1"), image("v2")]
    both = [app.start("deploy", f"--tag={tag}", "--json") for tag in tags]
    ended = [one.end() for one in both]
    assert sorted(one.code for one in ended) == [0, 3], [one.text for one in ended]
    refused = next(one for one in ended if one.code == 3)
    assert "deploy v" in refused.error["what"]
    winner = next(tag for tag, one in zip(tags, ended, strict=True) if one.code == 0)
    assert whole(app).endswith(winner)


@pytest.mark.parametrize("phase", ["health", "drain"])
def test_a_killed_client_leaves_a_lease_that_ends(app, image, phase):
    """While it runs the next deploy is refused; then it takes over, and no request ever fails."""
    app.lock_lease = "10s"
    app.write()
    tag = image("v2") if app.serving() == "v1" else image("v1")
    with load(app) as running_load:
        running = app.start("deploy", f"--tag={tag}", "--json")
        running.wait_for(f'"step": "{phase}", "title"')
        running.signal(signal.SIGKILL)
        running.process.wait()
        serving = app.serving()
        assert serving == tag if phase == "drain" else serving != tag
        refused = app.deploy(tag)
        assert refused.code == 3, refused
        assert app.inv("status", "--json").ok().result["release"].endswith(serving)
        wait_for(lambda: app.inv("lock.status", "--json").code == 0, 20, "the lease ends")
        if phase == "drain":  # what serves was changed: it is finished first, or taken back
            assert app.deploy(image("v3")).code == 1
            done = app.inv("deploy", "--resume", "--json").ok()
            app.deploy(image("v3")).ok()
        else:
            done = app.deploy(image("v3")).ok()
        report = running_load.stop()
    assert "took over the lock" in done.text
    assert report.failed == 0, str(report)
    assert whole(app).endswith("v3")


def test_a_client_killed_half_way_through_a_roll(project, image):
    """Half of the requests go to each release: told as mixed, and finished by --resume."""
    app = project(
        "halfway", strategy="rolling", replicas=2, lock_lease="5s", keep_warm="0s", worker=True,
        drain_timeout="10s",
    )  # fmt: skip
    app.deploy(image("v1")).ok()
    with load(app) as running_load:
        running = app.start("deploy", f"--tag={image('v2')}", "--json")
        running.wait_for(f'"step": "grow-2:{app.hosts[0].name}", "title"')
        running.signal(signal.SIGKILL)
        running.process.wait()
        status = app.inv("status", "--json")
        assert status.code == 6, status
        assert "half way" in status.text
        wait_for(lambda: app.inv("lock.status", "--json").code == 0, 20, "the lease ends")
        assert app.deploy(image("v3")).code == 1
        app.inv("deploy", "--resume", "--json").ok()
        report = running_load.stop()
    assert report.failed == 0, str(report)
    assert app.serving() == "v2"
    assert app.inv("status").ok()
    assert {line.split()[0] for line in containers(app)} == {"0002-v2"}
