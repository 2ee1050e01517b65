"""Whom a registry is asked as: what was given, [registry], AWS for its own, Docker."""

import base64
import re

from fairlead.config.connection import Registry
from fairlead.errors import PreconditionError
from fairlead.images.credentials import Credentials, docker_login
from fairlead.model import Secret

_ECR = re.compile(r"\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?")


def login_for(
    server: str, settings: Registry, username: str = "", password: Secret | None = None
) -> Credentials | None:
    """Credentials for a server; None where there are none.

    In this order: those given with the command, [registry] for its own server, for Amazon ECR a
    token asked of AWS (Docker's login for it expires after 12 h), Docker's logins with their
    credential helpers.
    """
    if password:
        return Credentials(username or settings.username, password)
    if settings.username and settings.server == server:
        return Credentials(settings.username, settings.password)
    region = _ECR.fullmatch(server)
    return _ecr(server, region[1]) if region else docker_login(server)


def _ecr(server: str, region: str) -> Credentials:
    """AWS's token, else Docker's login; raises PreconditionError for neither."""
    try:
        return _aws_token(server, region)
    except PreconditionError:
        if found := docker_login(server):
            return found
        raise


def _aws_token(server: str, region: str) -> Credentials:
    """ECR's password (AWS API GetAuthorizationToken). boto3 is optional."""
    try:
        import boto3  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        raise PreconditionError(
            f"{server} wants a token from AWS, and boto3 is not installed",
            state="nothing was changed",
            next_step=f"pip install boto3, or: aws ecr get-login-password --region {region} | "
            f"docker login --username AWS --password-stdin {server}",
        ) from None
    try:
        answer = boto3.client("ecr", region_name=region).get_authorization_token()
        token = str(answer["authorizationData"][0]["authorizationToken"])
    except Exception as error:  # botocore has many; each says what is missing
        raise PreconditionError(
            f"AWS gives no token for {server}: {error}",
            state="nothing was changed",
            next_step="aws sts get-caller-identity",
        ) from error
    username, _, password = base64.b64decode(token).decode().partition(":")
    return Credentials(username, Secret(password))
