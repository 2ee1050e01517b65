"""From what is declared to a release: every file of it for every host, ready to upload."""

import hashlib
from collections.abc import Mapping
from typing import Any

from fairlead.config import Environment
from fairlead.engines.compose import render
from fairlead.engines.compose.layout import Layout
from fairlead.engines.compose.onhost import rollback_script, smoke_script
from fairlead.engines.compose.project_files import ProjectFile, placed
from fairlead.engines.compose.source import MARK, env_file_text
from fairlead.errors import UsageError
from fairlead.model import SLOTS, Image
from fairlead.rollout import manifest
from fairlead.rollout.target import HostTarget, Migration, Target
from fairlead.router.haproxy import route_lines, slot_config
from fairlead.router.settings import RoutedApplication, RoutedService

Project = Mapping[str, Any]
SPARE_SERVERS = 4  # server slots come in fours, so that one replica more needs no reload


def compile_release(
    environment: Environment,
    project: Project,
    images: Mapping[str, Image],
    facts: manifest.Facts,
    stamp: str,
    mounted: Mapping[str, ProjectFile],
) -> Target:
    """The target of a deploy, with its files. Pure: the same input gives the same bytes."""
    placed_project = placed(project, mounted, environment.directory)
    compiler = _Compiler(environment, placed_project, images, facts)
    return Target(
        release=facts.release,
        sequence=facts.sequence,
        tag=facts.tag,
        images=images,
        hosts={host.name: compiler.host(host.name) for host in environment.hosts},
        stamp=stamp,
        migration=migration_of(environment),
        mounted=tuple(mounted.values()),
        bypass=facts.bypass,
    )


def replicas(environment: Environment, project: Project, service: str) -> int:
    """How many of a service run on each host: declared here, else in the compose file, else 1."""
    declared = environment.service(service).replicas
    body = project["services"][service]
    return declared or (body.get("deploy") or {}).get("replicas") or body.get("scale") or 1


def migration_of(environment: Environment) -> Migration | None:
    """The declared migration, on the first host of its service.

    Raises UsageError when --hosts leaves out all of those.
    """
    migrate = environment.migrate
    if migrate is None:
        return None
    hosts = environment.hosts_for(migrate.service)
    if not hosts:
        raise UsageError(
            f"the migration runs in {migrate.service}, and that on none of "
            + ", ".join(host.name for host in environment.hosts),
            state="nothing was changed",
            next_step=f"name a host of {migrate.service} with --hosts, or leave --hosts out",
        )
    return Migration(
        hosts[0].name, migrate.service, migrate.argv, migrate.timeout, migrate.irreversible
    )


class _Compiler:
    """What stays the same while the hosts' parts are made."""

    def __init__(
        self,
        environment: Environment,
        project: Project,
        images: Mapping[str, Image],
        facts: manifest.Facts,
    ) -> None:
        self.environment = environment
        self.project = project
        self.images = images
        self.facts = facts
        self.layout = Layout.of(environment)
        self.identity = render.Identity(facts.app, facts.environment, facts.release)
        self.variables = {key: value.reveal() for key, value in environment.variables.items()}

    def host(self, name: str) -> HostTarget:
        here = [
            service
            for service in sorted(self.project["services"])
            if name in {host.name for host in self.environment.hosts_for(service)}
        ]
        stateful = tuple(s for s in here if self.environment.service(s).stateful)
        slotted = tuple(s for s in here if s not in stateful)
        routed = tuple(s for s in slotted if self.environment.service(s).routed)
        files = self._files(slotted, stateful)
        files |= {"routes": route_lines(self._application(routed)).encode()}
        for slot in SLOTS:
            text = slot_config(self._application(routed), slot)
            files[f"router-{slot}.cfg"] = text.encode()
        target = HostTarget(
            host=name,
            replicas={s: replicas(self.environment, self.project, s) for s in slotted},
            routed=routed,
            stateful=stateful,
            images=tuple(sorted({self.images[s].pinned for s in here})),
            digests={key: hashlib.sha256(text).hexdigest() for key, text in files.items()},
        )
        files["manifest.json"] = manifest.write(self.facts, self.images, target.record())
        files["rollback.sh"] = rollback_script(
            self.environment, self.layout, slotted, routed=bool(routed), host_name=name
        )
        files["smoke_tests.sh"] = smoke_script(self.environment, self.layout)
        return HostTarget(**{**vars(target), "files": files})

    def _files(self, slotted: tuple[str, ...], stateful: tuple[str, ...]) -> dict[str, bytes]:
        placements = tuple(self._placement(service) for service in slotted)
        common = (self.images, self.layout, self.identity)
        files = {
            f"{slot}.yaml": render.slot_file(self.project, placements, *common, slot)
            for slot in SLOTS
        }
        files["env"] = env_file_text(self.environment.variables).encode()
        if stateful:
            shared = tuple(self._placement(service) for service in stateful)
            files["shared.yaml"] = render.shared_file(self.project, shared, *common, self.variables)
        return files

    def _placement(self, service: str) -> render.Placement:
        declared = self.environment.service(service)
        body = self.project["services"][service]
        return render.Placement(
            name=service,
            replicas=replicas(self.environment, self.project, service),
            routed=declared.routed,
            takes_env=bool(body.get(MARK)) or bool(declared.image),
            health=f"{declared.port} {declared.health.path}" if declared.routed else "",
        )

    def _application(self, routed: tuple[str, ...]) -> RoutedApplication:
        router = self.environment.router
        return RoutedApplication(
            self.layout.key,
            tuple(self._routed(service) for service in routed),
            router.https_port if router.redirect_http else None,
            router.trusted_proxies,
        )

    def _routed(self, name: str) -> RoutedService:
        service = self.environment.service(name)
        count = replicas(self.environment, self.project, name)
        return RoutedService(
            name=name,
            port=service.port or 0,
            servers=-(-count // SPARE_SERVERS) * SPARE_SERVERS,
            health_path=service.health.path,
            health_interval=service.health.interval,
            routes=tuple(str(route) for route in service.routes),
            health_status=str(service.health.status),
        )
