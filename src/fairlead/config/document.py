"""The schema of deploy/fairlead.toml and of the environment's file laid over it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fairlead.config.backup import Backup
from fairlead.config.connection import HostEntry, Registry, Ssh
from fairlead.config.gates import Gates
from fairlead.config.kinds import (
    AppName,
    BaseDirectory,
    BaseUrl,
    Count,
    Duration,
    LocalPath,
    Name,
    PositiveDuration,
)
from fairlead.config.local import LocalTables
from fairlead.config.service import Service
from fairlead.config.smoke_check import SmokeCheck
from fairlead.config.traffic import Migrate, Rolling, Router

Strategy = Literal["recreate", "rolling", "blue-green"]


@dataclass(frozen=True)
class EnvNames:
    """Names of env variables that are secret, or clear, whatever they look like."""

    secret: tuple[str, ...] = ()
    clear: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Document(LocalTables):
    """Both files, merged: every key that may be written. reference.toml explains each."""

    app: AppName
    compose: LocalPath = "compose.yaml"
    default_environment: Name = "staging"
    base_directory: BaseDirectory = "/opt"
    strategy: Strategy = "blue-green"
    keep_warm: Duration = 600.0
    keep_releases: Count = 5
    drain_timeout: Duration = 60.0
    lock_lease: PositiveDuration = 60.0
    approval: bool = False
    url: BaseUrl = ""
    ssh: Ssh = field(default_factory=Ssh)
    registry: Registry = field(default_factory=Registry)
    router: Router = field(default_factory=Router)
    rolling: Rolling = field(default_factory=Rolling)
    migrate: Migrate | None = None
    backup: Backup = field(default_factory=Backup)
    env: EnvNames = field(default_factory=EnvNames)
    services: Mapping[str, Service] = field(default_factory=dict)
    smoke: tuple[SmokeCheck, ...] = ()
    gates: Gates = field(default_factory=Gates)
    hosts: Mapping[str, HostEntry] = field(default_factory=dict)
