"""Whom a registry knows us as: the configuration's [registry], else Docker's own logins."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from fairlead.model import Secret

IDENTITY = "<token>"


@dataclass(frozen=True)
class Credentials:
    """A registry's user and password. Docker's name for "the password is an identity token" is
    the user `<token>`.
    """

    username: str
    password: Secret

    @property
    def is_identity_token(self) -> bool:
        return self.username == IDENTITY


def docker_login(server: str) -> Credentials | None:
    """What `docker login SERVER` left behind, credential helpers included; None without one.

    The Docker SDK reads it. It is imported only when there is a login to read: it costs .4 s.
    """
    path = Path(os.environ.get("DOCKER_CONFIG", "~/.docker")).expanduser() / "config.json"
    if not _has_logins(path):
        return None
    from docker import auth, errors

    try:
        found = auth.resolve_authconfig(auth.load_config(str(path)), server)
    except errors.DockerException:
        return None
    said = {key.lower(): str(value or "") for key, value in (found or {}).items()}
    if token := said.get("identitytoken"):
        return Credentials(IDENTITY, Secret(token))
    if not said.get("username"):
        return None
    return Credentials(said["username"], Secret(said.get("password", "")))


def _has_logins(path: Path) -> bool:
    try:
        config = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(config.get("auths") or config.get("credHelpers") or config.get("credsStore"))
