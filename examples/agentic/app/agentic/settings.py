"""What the environment tells the service."""

import os
import socket
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Settings:
    """One process's settings.

    `version` and `fault` are baked into the image, `release` is given by whoever deploys it, the
    rest comes from the env file. `instance` is the container's host name.
    """

    redis_url: str
    secret_key: str = field(repr=False)
    greeting: str
    version: str
    release: str | None
    fault: str
    instance: str


def load() -> Settings:
    """The settings of this process; ends it with a message when a key it needs is missing."""
    missing = [key for key in ("REDIS_URL", "SECRET_KEY") if not os.environ.get(key)]
    if missing:
        raise SystemExit(f"agentic: not set in the environment: {', '.join(missing)}")
    return Settings(
        redis_url=os.environ["REDIS_URL"],
        secret_key=os.environ["SECRET_KEY"],
        greeting=os.environ.get("GREETING", "Hello"),
        version=os.environ.get("VERSION", "dev"),
        release=os.environ.get("FAIRLEAD_RELEASE"),
        fault=os.environ.get("FAULT", ""),
        instance=socket.gethostname(),
    )
