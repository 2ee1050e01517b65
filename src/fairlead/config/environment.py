"""One environment, resolved: what every other floor is given."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fairlead.config.backup import Backup, BackupData
from fairlead.config.connection import Registry, Ssh
from fairlead.config.document import EnvNames, Strategy
from fairlead.config.gates import Gates
from fairlead.config.redaction import Redactor
from fairlead.config.service import Health, Service
from fairlead.config.smoke_check import SmokeCheck
from fairlead.config.traffic import Migrate, Rolling, Router
from fairlead.errors import Problem
from fairlead.model import Host, Secret


@dataclass(frozen=True)
class Environment:
    """All that is declared for one environment, checked. Durations are seconds.

    variables: the containers' environment. from_process: keys of it that the process environment
    gave, since no file did. config_hash: sha256 (hex) over everything here but where it lies on
    this machine. files: what was read, absolute. services: those that are declared; `service`
    answers for the others too. missing: what a deploy needs and is set nowhere on this machine.
    """

    root: Path
    app: str
    name: str
    hosts: tuple[Host, ...]
    services: Mapping[str, Service]
    compose_file: Path
    base_directory: str
    strategy: Strategy
    keep_warm: float
    keep_releases: int
    drain_timeout: float
    lock_lease: float
    approval: bool
    url: str
    ssh: Ssh
    registry: Registry
    router: Router
    rolling: Rolling
    migrate: Migrate | None
    backup: Backup
    smoke: tuple[SmokeCheck, ...]
    gates: Gates
    env: EnvNames
    variables: Mapping[str, Secret]
    from_process: tuple[str, ...]
    config_hash: str
    files: tuple[Path, ...]
    missing: tuple[Problem, ...] = ()

    @property
    def key(self) -> str:
        """What names everything of this environment on a host: `agentic-staging`."""
        return f"{self.app}-{self.name}"

    @property
    def directory(self) -> str:
        """The environment's folder on a host: `/opt/agentic/staging`."""
        return f"{self.base_directory}/{self.app}/{self.name}"

    @property
    def routed(self) -> tuple[Service, ...]:
        return tuple(service for service in self.services.values() if service.routed)

    @property
    def stateful(self) -> tuple[Service, ...]:
        return tuple(service for service in self.services.values() if service.stateful)

    def service(self, name: str) -> Service:
        """What is declared of a compose service; the defaults when nothing is."""
        return self.services.get(name) or Service(name=name)

    def hosts_for(self, service: str | Service) -> tuple[Host, ...]:
        """The hosts that run a service: those with one of its roles, all when it names none."""
        one = service if isinstance(service, Service) else self.service(service)
        return tuple(
            host for host in self.hosts if not one.roles or set(one.roles) & set(host.roles)
        )

    def health_timeout(self, services: Iterable[str]) -> float:
        """Seconds until all of these must be healthy: what the slowest of them may take."""
        timeouts = (self.service(name).health.timeout for name in services)
        return max(timeouts, default=Health().timeout)

    def data_on(self, host: str) -> tuple[BackupData, ...]:
        """The data that are dumped on this host: those of services that run there."""
        return tuple(
            one
            for one in self.backup.data
            if host in {found.name for found in self.hosts_for(one.service)}
        )

    def redactor(self) -> Redactor:
        """What masks this environment's secrets in any text."""
        return Redactor(self.variables, self.env.secret, self.env.clear, [self.registry.password])
