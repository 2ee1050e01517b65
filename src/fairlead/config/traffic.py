"""How traffic moves: the router on each host, host batches, the migration before the switch."""

import re
from dataclasses import dataclass
from typing import Annotated

from fairlead.config.kinds import (
    HostPath,
    ImageReference,
    Network,
    Port,
    PositiveDuration,
    ServiceName,
)


@dataclass(frozen=True)
class Router:
    """The one router container of a host. certificate: a PEM file on the host, for https_port.

    trusted_proxies: from these X-Forwarded-Proto and X-Forwarded-For are kept.
    """

    image: ImageReference = "haproxy:3.0"
    http_port: Port = 80
    https_port: Port = 443
    certificate: HostPath = ""
    redirect_http: bool = False
    trusted_proxies: tuple[Network, ...] = ()

    @property
    def container(self) -> tuple[str, int, int]:
        """What only another container can change: image and ports."""
        return self.image, self.http_port, self.https_port


def parse_batch(value: object) -> int | str:
    """A number of hosts, or a share of them such as `"25%"`."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 1000:
        return value
    if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]?%|100%", value):
        return value
    raise ValueError('must be a number of hosts, or a share from "1%" to "100%"')


@dataclass(frozen=True)
class Rolling:
    """How many hosts a rolling roll-out changes at a time."""

    batch: Annotated[int | str, parse_batch] = 1

    def size(self, hosts: int) -> int:
        """The batch in hosts: a share is rounded down, and never less than one."""
        if isinstance(self.batch, int):
            return self.batch
        return max(1, hosts * int(self.batch[:-1]) // 100)


def parse_command(value: object) -> str:
    """A command line whose words a shell would split without complaint."""
    from shlex import split

    must = "must be a command line, with its quotes closed"
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(must)
    try:
        words = split(value)
    except ValueError:
        raise ValueError(must) from None
    if not words or words[0].startswith("-"):
        raise ValueError(must)
    return value


@dataclass(frozen=True)
class Migrate:
    """A command run once per deploy, in the new image with the new env, before the switch.

    irreversible: what the older release needs is gone after it, so that a way back needs the data.
    """

    service: ServiceName
    command: Annotated[str, parse_command]
    timeout: PositiveDuration = 600.0
    irreversible: bool = False

    @property
    def argv(self) -> tuple[str, ...]:
        from shlex import split

        return tuple(split(self.command))
