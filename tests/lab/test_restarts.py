"""Router, engine and host restarted between deploys: traffic returns to the live slot by itself."""

import subprocess

import pytest

from tests.lab.hosts import wait_for

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def app(project, image, hosts):
    """v1, then v2, live on the last of the hosts; v1 is the retired slot."""
    app = project("reboots", hosts=(hosts(4)[3],), worker=True, keep_warm="10m")
    app.deploy(image("v1")).ok()
    app.deploy(image("v2")).ok()
    return app


def returns(app, version):
    """The live slot answers again, and keeps to it; nobody did anything for that.

    Containers outlive a dockerd that was killed, until the next one starts them anew: an answer
    alone is not yet the one after.
    """
    wait_for(lambda: app.inv("status").code == 0, 90, "everything that should run does")
    again = f"{version} answers, again and again"
    wait_for(lambda: {app.serving() for _ in range(20)} == {version}, 90, again)


def running_slots(app):
    """The slots of which anything runs."""
    out = app.hosts[0].must(
        f"docker ps -q --filter label=fairlead.key={app.key} --filter label=fairlead.slot"
        " | xargs -r docker inspect --format '{{index .Config.Labels \"fairlead.slot\"}}'"
    )
    return set(out.splitlines())


def test_the_router_restarted(app, image):
    """It begins with the live slot that its file says; the next deploy works."""
    app.hosts[0].must("docker restart -t 2 fairlead-router")
    returns(app, "v2")
    app.deploy(image("v1")).ok()
    assert app.serving() == "v1"


def test_the_engine_killed(app, image):
    """kill -9 of dockerd: the live slot and the router come back, the retired slot does not."""
    live, version = app.live(), app.serving()
    app.hosts[0].must("kill -9 $(cat /run/docker.pid)", user="root")
    returns(app, version)
    assert app.live() == live
    assert running_slots(app) == {live}
    app.deploy(other(image, version)).ok()
    assert app.serving() != version


def test_the_host_restarted(app, image):
    """Everything on it was down; the live slot serves, and the next deploy and rollback work."""
    live, version = app.live(), app.serving()
    container = f"fairlead-{app.hosts[0].name}"
    subprocess.run(["docker", "restart", container], check=True, capture_output=True, timeout=90)
    returns(app, version)
    assert app.live() == live
    assert running_slots(app) == {live}
    app.inv("rollback", "--quick").ok()
    assert app.serving() != version
    app.deploy(image(version)).ok()
    assert app.serving() == version


def other(image, version):
    return image("v1") if version == "v2" else image("v2")
