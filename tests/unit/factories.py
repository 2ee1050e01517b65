"""Small builders of the values tests are about: each has sensible defaults, and takes changes.

`deployed(...)` and `empty_host(...)` are hosts as observed, `target_of(...)` is a release as a
deploy compiles it: by the program's own code, so that tests know no second format.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fairlead.config import Environment, Health, Service, SmokeCheck
from fairlead.config.backup import Backup as BackupRules
from fairlead.config.connection import Registry, Ssh
from fairlead.config.document import EnvNames
from fairlead.config.gates import Gates
from fairlead.config.route import Route
from fairlead.config.traffic import Migrate, Rolling, Router
from fairlead.engines.compose.layout import Layout
from fairlead.model import SLOTS, Host, Image, ReleaseStatus, Secret
from fairlead.rollout import manifest
from fairlead.rollout.compile import compile_release, replicas
from fairlead.rollout.observed import Backup, Container, HostState, KeptRelease, Live
from fairlead.rollout.situation import Situation
from fairlead.rollout.target import Target
from fairlead.router.haproxy import base_config

API = Service("api", "registry.test/api", ("web",), 2, 8000, (Route("*"),), Health("/health"))
WORKER = Service("worker", "registry.test/worker", ("web",), 1)
REDIS = Service("redis", roles=("data",), stateful=True)
SECRET = "hunter2-correct-horse"


def an_environment(
    hosts: Sequence[str] = ("web1",),
    services: Sequence[Service] = (API, WORKER),
    roles: Mapping[str, tuple[str, ...]] | None = None,
    **changes: Any,
) -> Environment:
    """`agentic staging`: hosts carry the role `web` unless `roles` says otherwise."""
    root = Path("/project")
    given: dict[str, Any] = {
        "root": root,
        "app": "agentic",
        "name": "staging",
        "hosts": tuple(a_host(name, (roles or {}).get(name, ("web",))) for name in hosts),
        "services": {service.name: service for service in services},
        "compose_file": root / "deploy/compose.yaml",
        "base_directory": "/opt",
        "strategy": "blue-green",
        "keep_warm": 600.0,
        "keep_releases": 5,
        "drain_timeout": 60.0,
        "lock_lease": 60.0,
        "approval": False,
        "url": "",
        "ssh": Ssh(),
        "registry": Registry(),
        "router": Router(),
        "rolling": Rolling(),
        "migrate": None,
        "backup": BackupRules(),
        "smoke": (),
        "gates": Gates(),
        "env": EnvNames(),
        "variables": {"TOKEN": Secret(SECRET)},
        "from_process": (),
        "config_hash": "c0ffee",
        "files": (),
    }
    return Environment(**{**given, **changes})


def a_host(name: str = "web1", roles: tuple[str, ...] = ("web",)) -> Host:
    return Host(name, f"{name}.test", "deploy", 22, roles)


def a_check(name: str = "health", path: str = "/health", **changes: Any) -> SmokeCheck:
    return SmokeCheck(name, path, **changes)


def a_migration(service: str = "api") -> Migrate:
    return Migrate(service, "python -m agentic.migrate")


def an_image(service: str = "api", tag: str = "v1", **changes: Any) -> Image:
    """An image whose digest is told by its service and tag."""
    digest = "sha256:" + f"{service}-{tag}".encode().hex().ljust(64, "0")[:64]
    return replace(Image(f"registry.test/{service}", tag, digest), **changes)


def images_for(environment: Environment, tag: str) -> dict[str, Image]:
    """Services with a repository get the tag's image; the others what the compose file names."""
    return {
        name: an_image(name, tag if service.image else "7")
        for name, service in environment.services.items()
    }


def a_project(environment: Environment) -> dict[str, Any]:
    """The least compose project that has the environment's services."""
    return {
        "services": {
            name: {"image": f"registry.test/{name}:latest"} for name in environment.services
        }
    }


def target_of(
    environment: Environment,
    sequence: int = 2,
    tag: str = "v2",
    stamp: str = "20251202-143022",
    images: Mapping[str, Image] | None = None,
) -> Target:
    """The release `<sequence>-<tag>` of an environment, compiled as a deploy compiles it."""
    facts = manifest.Facts(
        release=f"{sequence:04d}-{tag}",
        sequence=sequence,
        tag=tag,
        app=environment.app,
        environment=environment.name,
        commit="",
        created="2025-12-02T14:30:22Z",
        strategy=environment.strategy,
        config_hash=environment.config_hash,
    )
    wanted = images or images_for(environment, tag)
    return compile_release(environment, a_project(environment), wanted, facts, stamp, {})


def kept(
    target: Target, host: str = "web1", status: ReleaseStatus = ReleaseStatus.PROVEN
) -> KeptRelease:
    """A target as the host keeps it afterwards."""
    recorded = json.loads(target.hosts[host].files["manifest.json"])
    return KeptRelease(target.release, target.sequence, status, recorded)


def containers_of(target: Target, host: str, slot: str, layout: Layout) -> tuple[Container, ...]:
    """The containers of a target in a slot of a host, all healthy."""
    part = target.hosts[host]
    return tuple(
        a_container(
            service,
            slot,
            target.release,
            number,
            key=layout.key,
            image=target.images[service].pinned,
            backend=layout.backend(slot, service) if service in part.routed else "",
        )
        for service, count in part.replicas.items()
        for number in range(1, count + 1)
    )


def a_container(
    service: str = "api",
    slot: str = "blue",
    release: str = "0001-v1",
    number: int = 1,
    *,
    key: str = "agentic-staging",
    backend: str | None = None,
    **changes: Any,
) -> Container:
    project = f"{key}-{slot}" if slot else key
    name = f"{project}-{service}-{number}"
    given: dict[str, Any] = {
        "id": f"{abs(hash((name, release))) % 16**12:012x}",
        "name": name,
        "service": service,
        "slot": slot,
        "release": release,
        "image": an_image(service, release.partition("-")[2]).pinned,
        "status": "running",
        "exit_code": 0,
        "oom": False,
        "restarts": 0,
        "health": "",
        "backend": f"{key}-{service}-{slot}" if backend is None else backend,
    }
    return Container(**{**given, **changes})


def deployed(
    environment: Environment,
    host: str = "web1",
    live: str = "blue",
    target: Target | None = None,
    idle: Target | None = None,
    **changes: Any,
) -> HostState:
    """A host that serves `target` (default: release 1) from the slot `live`, all well.

    idle: a release whose containers wait in the other slot, running.
    """
    layout = Layout.of(environment)
    serving = target or target_of(environment, 1, "v1")
    held = [serving, *([idle] if idle else [])]
    containers = [*containers_of(serving, host, live, layout)]
    containers += [
        a_container(name, "", "", key=layout.key, backend="", image=serving.images[name].pinned)
        for name in serving.hosts[host].stateful
    ]
    if idle:
        containers += containers_of(idle, host, other(live), layout)
    images = {reference: True for one in held for reference in one.hosts[host].images}
    given: dict[str, Any] = {
        "live_runtime": Live(live),
        "live_file": Live(live),
        "containers": tuple(containers),
        "releases": tuple(kept(one, host) for one in held),
        "backups": (Backup("20251201-120000", serving.release, serving.sequence + 1),),
        "images": images,
        **_router_of(layout, bool(serving.hosts[host].routed)),
    }
    return replace(empty_host(host), **{**given, **changes})


def other(slot: str) -> str:
    return SLOTS[1 - SLOTS.index(slot)]


def empty_host(host: str = "web1", **changes: Any) -> HostState:
    """A host with Docker and nothing of ours."""
    fit = HostState(host, "26.1.5", "linux/amd64", "2.26.1", disk_kib=50 * 1024 * 1024)
    return replace(fit, **changes)


def a_situation(
    environment: Environment,
    observed: Mapping[str, HostState] | None = None,
    target: Target | None = None,
) -> Situation:
    """A deploy of release 2; hosts that `observed` leaves out serve release 1."""
    names = [host.name for host in environment.hosts]
    seen = {name: deployed(environment, name) for name in names}
    wanted = target or target_of(environment)
    return Situation(environment, {**seen, **(observed or {})}, wanted, Layout.of(environment))


def replicas_of(environment: Environment, service: str) -> int:
    return replicas(environment, a_project(environment), service)


def _router_of(layout: Layout, present: bool) -> dict[str, Any]:
    if not present:
        return {}
    from hashlib import sha256

    networks = ",".join(layout.project(slot) for slot in SLOTS)
    return {
        "router": f"running {Router().image} {networks}",
        "router_ports": (Router().http_port, Router().https_port),
        "router_config": sha256(base_config().encode()).hexdigest(),
    }
