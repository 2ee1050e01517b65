"""[registry]'s login for BuildKit, which knows none but Docker's: for a private base, and a cache.

Docker's own folder stays as it is: its plugins, contexts and builders are lent to one of ours,
which is only there while images are built.
"""

import base64
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fairlead.config.connection import Registry
from fairlead.images.reference import DOCKER_HUB

CONFIG = "config.json"
HUB = "https://index.docker.io/v1/"  # Docker's name for its own registry, in that file


@contextmanager
def logged_in(settings: Registry, environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The environment for `docker buildx` while the block runs; as it is without a login."""
    if not settings.username:
        yield dict(environ)
        return
    own = Path(environ.get("DOCKER_CONFIG") or Path.home() / ".docker").absolute()
    with TemporaryDirectory(prefix="fairlead-") as name:  # mode 0700
        folder = Path(name)
        for entry in own.iterdir() if own.is_dir() else ():
            if entry.name != CONFIG:
                (folder / entry.name).symlink_to(entry)
        descriptor = os.open(folder / CONFIG, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(_with_login(_read(own / CONFIG), settings), file)
        kept = {"BUILDX_CONFIG": str(own / "buildx")}  # what buildx writes is to stay
        yield {**kept, **environ, "DOCKER_CONFIG": name}


def _with_login(config: dict[str, Any], settings: Registry) -> dict[str, Any]:
    """The login as `docker login` writes it; no credential helper is asked for that server."""
    login = f"{settings.username}:{settings.password.reveal()}".encode()
    auth = {"auth": base64.b64encode(login).decode()}
    server = HUB if settings.server == DOCKER_HUB else settings.server
    return {
        **config,
        "auths": {**(config.get("auths") or {}), server: auth},
        "credHelpers": {**(config.get("credHelpers") or {}), server: ""},
    }


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
