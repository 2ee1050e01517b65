"""Whom Docker says we are, its credential helpers included."""

import json
import os
from base64 import b64encode

import pytest

from fairlead.images.credentials import IDENTITY, docker_login

HELPER = """#!/bin/sh
read -r server
[ "$server" = "registry.example.com" ] || { echo "credentials not found in keychain"; exit 1; }
printf '{"ServerURL": "%s", "Username": "%s", "Secret": "s3cret"}' "$server" "$HELPER_USER"
"""


@pytest.fixture
def docker(tmp_path, monkeypatch):
    """`docker(config)`: Docker's configuration, with the helper `docker-credential-vault`."""
    helper = tmp_path / "docker-credential-vault"
    helper.write_text(HELPER)
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("HELPER_USER", "ada")

    def write(config):
        (tmp_path / "config.json").write_text(json.dumps(config))

    return write


@pytest.mark.parametrize(
    "config", [{"credHelpers": {"registry.example.com": "vault"}}, {"credsStore": "vault"}]
)
def test_a_credential_helper_is_asked(docker, config):
    docker(config)
    found = docker_login("registry.example.com")
    assert (found.username, found.password.reveal()) == ("ada", "s3cret")


def test_a_helper_s_identity_token_is_kept_as_one(docker, monkeypatch):
    monkeypatch.setenv("HELPER_USER", "<token>")
    docker({"credsStore": "vault"})
    found = docker_login("registry.example.com")
    assert found.is_identity_token
    assert (found.username, found.password.reveal()) == (IDENTITY, "s3cret")


def test_a_helper_that_knows_nothing_is_no_login(docker):
    docker({"credsStore": "vault"})
    assert docker_login("other.example.com") is None


def test_a_plain_login(docker):
    login = b64encode(b"ada:s3cret").decode()
    docker({"auths": {"registry.example.com": {"auth": login}}})
    found = docker_login("registry.example.com")
    assert (found.username, found.password.reveal()) == ("ada", "s3cret")
