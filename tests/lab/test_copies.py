"""A backup on another host, by the command; and back from there, when its own host has lost it."""

import pytest

from tests.lab.project import COMPOSE

PORT = 16380  # of the one Redis, which is on the first host and used by both
PUBLISHED = COMPOSE.replace("    healthcheck:", f'    ports: ["{PORT}:6379"]\n    healthcheck:')
DATA = """
[[backup.data]]
name = "cache"
kind = "redis"
service = "redis"
required = true
verify = "GET schema"
expect = "7"
"""


@pytest.fixture(scope="module")
def app(project, image, hosts):
    """v1 is live on two hosts; the first one has the data."""
    url = f"redis://{hosts(1)[0].address}:{PORT}/0"
    app = project("copies", hosts=2, more=DATA, compose=PUBLISHED, variables={"REDIS_URL": url})
    app.deploy(image("v1")).ok()
    return app


def redis(app, words):
    ours = f"--filter label=fairlead.key={app.key} --filter label=fairlead.service=redis"
    return app.hosts[0].must(f"docker exec $(docker ps -q {ours}) redis-cli {words}")


def test_a_copy_on_another_host_brings_the_data_back(app):
    """Whole by its checksums there; put back into backups/ it is verified and restored as ever."""
    own, other = app.hosts
    redis(app, "set schema 7")
    stamp = app.inv("backups.take", "--json").ok().result["backup"]
    copied = app.inv("backups.copy", f"--to={other.name}", "--json").ok()
    folder = f"{app.base}/copies/{own.name}"
    assert copied.result["copies"] == [f"{other.name}:{folder}/{stamp}"]
    other.must(f"cd {folder}/{stamp} && sha256sum -c --quiet SHA256SUMS")
    assert other.must(f"find {folder}/{stamp} -type d -perm /077") == "", "others can read it"

    own.must(f"rm -rf {app.base}/backups/*")
    assert app.inv("backups.verify", "--json").code == 1
    packed = other.must(f"tar -C {folder} -czf - {stamp} | base64")
    own.must(f"base64 -d | tar -C {app.base}/backups -xzpf -", stdin=packed)
    verified = app.inv("backups.verify", "--restore", "--json").ok()
    assert (verified.result["outcome"], verified.result["backups"]) == ("passed", [stamp])
    redis(app, "set schema 8")
    app.inv("rollback", f"--to={stamp}", "--with-data", "--json").ok()
    assert redis(app, "get schema") == "7"
    assert app.serving() == "v1"


def test_where_it_could_go_is_told(app):
    """Neither a host of the environment nor a folder: exit 2 with those there are."""
    refused = app.inv("backups.copy", "--to=nowhere", "--json")
    assert refused.code == 2, refused
    assert app.hosts[1].name in " ".join(refused.error["why"])
