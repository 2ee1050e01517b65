"""How machines are reached: SSH, the hosts themselves, the registry."""

from dataclasses import dataclass, field

from fairlead.config.kinds import (
    Address,
    LocalPath,
    Name,
    Port,
    PositiveDuration,
    RegistryServer,
    User,
)
from fairlead.model import Secret

NO_SECRET = Secret("")


@dataclass(frozen=True)
class Ssh:
    """What all hosts share; a host's own `user` and `port` win.

    key, known_hosts: files on this machine (`~` is expanded, relative ones start at the project's
    root); empty: what ssh itself would use. connect_timeout: seconds.
    """

    user: User = "deploy"
    port: Port = 22
    key: LocalPath = ""
    known_hosts: LocalPath = ""
    connect_timeout: PositiveDuration = 10.0


@dataclass(frozen=True)
class HostEntry:
    """A `[hosts.<name>]` table, before [ssh] filled in what it leaves out."""

    name: Name = field(metadata={"from_key": True})
    address: Address
    roles: tuple[Name, ...] = ()
    user: User | None = None
    port: Port | None = None


@dataclass(frozen=True)
class Registry:
    """Where images are pushed to and pulled from; insecure: plain HTTP, for a lab."""

    server: RegistryServer = ""
    username: str = ""
    password: Secret = NO_SECRET
    insecure: bool = False
