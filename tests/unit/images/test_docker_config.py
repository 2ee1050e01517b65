"""BuildKit is given the login of [registry]; Docker's own folder is lent to it, and not changed."""

import base64
import json
import stat
from pathlib import Path

import pytest

from fairlead.config.connection import Registry
from fairlead.images.docker_config import logged_in
from fairlead.model import Secret

SETTINGS = Registry(server="r.test:5000", username="ci", password=Secret("pa55"))


@pytest.fixture
def own(tmp_path):
    (tmp_path / "cli-plugins").mkdir()
    (tmp_path / "cli-plugins/docker-buildx").write_text("")
    config = {"auths": {"other.test": {"auth": "x"}}, "credsStore": "pass"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    return tmp_path


def test_the_login_is_there_beside_what_docker_has(own):
    before = (own / "config.json").read_text()
    with logged_in(SETTINGS, {"DOCKER_CONFIG": str(own)}) as environ:
        folder = Path(environ["DOCKER_CONFIG"])
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "config.json").stat().st_mode) == 0o600
        config = json.loads((folder / "config.json").read_text())
        assert set(config["auths"]) == {"other.test", "r.test:5000"}
        assert base64.b64decode(config["auths"]["r.test:5000"]["auth"]) == b"ci:pa55"
        assert (config["credsStore"], config["credHelpers"]) == ("pass", {"r.test:5000": ""})
        assert (folder / "cli-plugins/docker-buildx").exists()
        assert environ["BUILDX_CONFIG"] == str(own / "buildx")
    assert not folder.exists()
    assert (own / "config.json").read_text() == before
    assert (own / "cli-plugins/docker-buildx").exists()


def test_dockers_own_registry_has_another_name_there(own):
    with logged_in(
        Registry(server="docker.io", username="ci", password=Secret("pa55")),
        {"DOCKER_CONFIG": str(own)},
    ) as environ:
        config = json.loads(Path(environ["DOCKER_CONFIG"], "config.json").read_text())
    assert "https://index.docker.io/v1/" in config["auths"]


def test_without_a_login_nothing_changes():
    with logged_in(Registry(server="r.test:5000"), {"PATH": "/bin"}) as environ:
        assert environ == {"PATH": "/bin"}
