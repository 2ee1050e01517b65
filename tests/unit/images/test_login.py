"""Whom a registry is asked as: the first of these that there is."""

import json
import sys
from base64 import b64encode

import pytest

from fairlead.config.connection import Registry
from fairlead.errors import PreconditionError
from fairlead.images.login import login_for
from fairlead.model import Secret
from fairlead.rollout.registries import registry_for

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
OURS = Registry(server="r.test", username="robot", password=Secret("of-config"))
LOGIN = {"auth": b64encode(b"ada:of-docker").decode()}
BOTO3 = """
import base64
def client(service, region_name):
    assert (service, region_name) == ("ecr", "eu-west-1")
    return Client()
class Client:
    def get_authorization_token(self):
        {fault}
        token = base64.b64encode(b"AWS:of-aws").decode()
        return {{"authorizationData": [{{"authorizationToken": token}}]}}
"""


@pytest.fixture
def docker(tmp_path, monkeypatch):
    """`docker(server, …)`: Docker has a login there."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))

    def login(*servers):
        logins = {"auths": dict.fromkeys(servers, LOGIN)}
        (tmp_path / "config.json").write_text(json.dumps(logins))

    return login


@pytest.fixture
def boto3(tmp_path, monkeypatch):
    """`boto3()`: the module is there; with a fault AWS gives no token. Else it is not there."""
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.syspath_prepend(str(tmp_path))

    def there(fault="pass"):
        (tmp_path / "boto3.py").write_text(BOTO3.format(fault=fault))
        monkeypatch.delitem(sys.modules, "boto3")

    return there


def who(server, settings=OURS, **given):
    found = login_for(server, settings, **given)
    return found and (found.username, found.password.reveal())


def test_what_is_given_goes_before_the_configuration(docker):
    docker("r.test")
    given = {"username": "me", "password": Secret("given")}
    assert who("r.test", **given) == ("me", "given")
    assert who("r.test", password=Secret("given")) == ("robot", "given")


def test_the_configuration_goes_before_docker_s_login_at_its_own_server_only(docker):
    docker("r.test", "other.test")
    assert who("r.test") == ("robot", "of-config")
    assert who("other.test") == ("ada", "of-docker")
    assert who("third.test") is None


def test_ecr_is_asked_of_aws_although_docker_has_a_login(docker, boto3):
    """Docker's was good for 12 h."""
    docker(ECR)
    boto3()
    assert who(ECR) == ("AWS", "of-aws")


@pytest.mark.parametrize("installed", [True, False])
def test_without_a_token_from_aws_docker_s_login_is_ecr_s(docker, boto3, installed):
    docker(ECR)
    if installed:
        boto3("raise ValueError('no credentials')")
    assert who(ECR) == ("ada", "of-docker")


def test_without_either_the_way_to_ecr_is_told_and_deploy_asks_the_same_way(docker, boto3):
    docker("other.test")
    with pytest.raises(PreconditionError, match="boto3 is not installed") as caught:
        registry_for(OURS, ECR)
    assert "get-login-password --region eu-west-1" in caught.value.next_step
