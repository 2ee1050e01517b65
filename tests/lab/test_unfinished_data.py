"""kill -9 in each phase of a rollback with data: then release and data are of one time again."""

import pytest

from tests.lab.test_unfinished import killed, whole

# The restored store takes part in a deploy's backup, and is asked for its mark: whose data it has.
DATA = """
[[backup.data]]
name = "cache"
kind = "redis"
service = "redis"
required = true
"""
BACK = ("stop", "restore", "start", "health", "switch", "smoke-client")
FORWARD = ("restored", "tidy")


@pytest.fixture(scope="module")
def app(project, image):
    app = project("half", more=DATA, lock_lease="2s", drain_timeout="2s", keep_warm="1s")
    app.deploy(image("v1")).ok()
    return app


def mark(app, *value):
    """What the store says it belongs to; with a value, from now on."""
    name = f"--filter label=fairlead.key={app.key} --filter label=fairlead.service=redis"
    words = " ".join(("set" if value else "get", "mark", *value))
    return app.hosts[0].must(f"docker exec $(docker ps -q {name}) redis-cli {words}")


def cut_off(app, image, phase):
    """v2 serves on data of its own; a rollback to v1 and its data is killed in that phase."""
    if app.serving() != "v2":
        mark(app, "v1")
        app.deploy(image("v2")).ok()
    mark(app, "v2")
    killed(app, phase, "rollback", "--to=0001-v1", "--with-data")


@pytest.mark.parametrize("phase", BACK)
def test_before_both_are_proven_it_goes_back(app, image, phase):
    """--resume, a deploy and another release are refused; rollback brings release and data."""
    cut_off(app, image, phase)
    if app.inv("status", "--json").result[
        "unfinished"
    ]:  # it may have died before the step was sent
        resumed = app.inv("deploy", "--resume", "--json")
        assert resumed.code == 1, resumed
        assert "takes it back, release and data" in resumed.error["next"]
        assert app.deploy(image("v3")).code == 1
        if phase not in BACK[:2]:  # the restore was done
            other = app.inv("rollback", "--to=0002-v2", "--json")
            assert other.code == 1, other
            assert "--with-data" in other.error["next"]
    app.inv("rollback", "--json").ok()
    whole(app, "v2")
    assert mark(app) == "v2"


@pytest.mark.parametrize("phase", FORWARD)
def test_after_that_it_goes_on(app, image, phase):
    """rollback is refused, --resume puts it on record; nothing is left if the host ended it."""
    cut_off(app, image, phase)
    status = app.inv("status", "--json")
    if status.result["unfinished"]:  # else the host ended it by itself
        begun = " --resume finishes it" in status.text
        if begun:
            refused = app.inv("rollback", "--json")
            assert refused.code == 1, refused
            assert "--resume finishes it" in refused.error["next"]
        app.inv(*(("deploy", "--resume") if begun else ("rollback",)), "--json").ok()
    whole(app, app.serving())
    assert mark(app) == app.serving()


def test_one_of_the_host_alone_that_was_cut_off_is_seen(app, image):
    """rollback.sh has no journal: its mark tells status, deploy and rollback all the same."""
    cut_off_on_the_host(app, image)
    status = app.inv("status", "--json")
    assert (status.code, status.result["outcome"]) == (1, "unfinished"), status
    assert "a restore of the data of cache" in status.text
    refused = app.inv("rollback", "--to=0002-v2", "--json")
    assert refused.code == 1, refused
    assert "--with-data" in refused.error["next"]
    assert app.deploy(image("v3")).code == 1
    app.inv("rollback", "--to=0002-v2", "--with-data", "--json").ok()
    assert app.serving() == "v2"
    assert mark(app) == "v2"
    assert app.inv("status", "--json").ok().result["outcome"] == "serving"


def cut_off_on_the_host(app, image):
    """v2 serves; rollback.sh to v1 and its data is killed as soon as it begins to restore."""
    if app.serving() != "v2":
        mark(app, "v1")
        app.deploy(image("v2")).ok()
    mark(app, "v2")
    script = f"sh {app.base}/deploy/rollback.sh 0001-v1 --with-data"
    begun = f"until [ -e {app.base}/backups/.restored.cache ]; do sleep 0.01; done"
    app.hosts[0].must(f"setsid {script} >/dev/null 2>&1 & {begun}; kill -9 -- -$!", timeout=90)
    app.inv("lock.release", "--force=it was killed", "--yes").ok()
