"""What every strategy does before anything starts: backup, upload, pull, data services, migrate."""

import io
import tarfile
from collections.abc import Iterable, Mapping

from fairlead.commands import compose, host, router
from fairlead.config.connection import Registry
from fairlead.config.traffic import Router
from fairlead.engines.compose import project_files
from fairlead.engines.compose.layout import SETTLE_SECONDS
from fairlead.engines.compose.project_files import ProjectFile
from fairlead.images.reference import parse
from fairlead.model import SLOTS, Command, ReleaseStatus, Step
from fairlead.rollout.backups.take import backup_step
from fairlead.rollout.plan import in_order, step
from fairlead.rollout.shared_router import wanted_on
from fairlead.rollout.situation import Situation
from fairlead.router.haproxy import base_config

PULL_TIMEOUT = 1800.0


def preparation(situation: Situation) -> tuple[Step, ...]:
    """The steps up to, but without, the migration. Nothing that serves is touched."""
    return in_order(
        backup_step(situation),
        _upload(situation),
        _pull(situation),
        _router(situation),
        _data(situation),
    )


def migration(situation: Situation) -> Step | None:
    """Run the migration once, with the new image and the new env, in the idle slot's network.

    What waits in the idle slot stays there: it is what a rollback after a failed migration needs.
    """
    wanted = situation.target.migration
    if wanted is None:
        return None
    project = situation.new_project(wanted.host)
    command = compose.run_once(
        project,
        situation.file(wanted.host),
        wanted.service,
        wanted.argv,
        wanted.timeout,
    )
    commands: dict[str, tuple[Command, ...]] = {}
    if wanted.irreversible:  # every host's rollback.sh has to know, so the mark comes first
        mark = host.irreversible(situation.target.release)
        commands = dict.fromkeys(situation.hosts, (mark,))
    commands[wanted.host] = (
        *commands.get(wanted.host, ()),
        host.clear_one_off(project),
        command,
    )
    never_back = ", and there is no way back but with its data" if wanted.irreversible else ""
    return step(
        "migrate",
        f"run the migration once, on {wanted.host}{never_back}",
        commands,
        {wanted.host: (host.clear_one_off(project),)},
    )


def _upload(situation: Situation) -> Step | None:
    release = situation.target.release
    commands: dict[str, tuple[Command, ...]] = {}
    for name, part in situation.target.hosts.items():
        if part.files:
            mounted = [
                file
                for file in situation.target.mounted
                if file.digest not in situation.state(name).files
            ]
            archive = _archive(part.files, mounted)
            note = f"{len(part.files) + len(mounted)} files, {len(archive) // 1024} KiB"
            commands[name] = (host.receive(release, archive, note),)
        elif name in situation.target.restore:
            commands[name] = (host.restore(situation.target.restore[name], release),)
    undo = {name: (host.status(release, ReleaseStatus.FAILED),) for name in commands}
    return step("upload", f"write release {release}", commands, undo)


def _pull(situation: Situation) -> Step | None:
    registry = situation.environment.registry
    commands: dict[str, tuple[Command, ...]] = {}
    for name, part in situation.target.hosts.items():
        absent = [ref for ref in part.images if not situation.state(name).images.get(ref)]
        ours = [ref for ref in absent if _needs_login(situation, ref)]
        router = situation.environment.router.image
        if _needs_login(situation, router) and _needs_router(situation, name):
            ours.append(router)
        others = [ref for ref in absent if ref not in ours]
        commands[name] = (
            *((host.pull(*others, timeout=PULL_TIMEOUT),) if others else ()),
            *((_pull_as(registry, ours),) if ours else ()),
        )
    logged_in = any(command.stdin for words in commands.values() for command in words)
    account = f", logged in to {registry.server} for that long" if logged_in else ""
    return step("pull", f"pull images by digest{account}", commands)


def _needs_login(situation: Situation, reference: str) -> bool:
    registry = situation.environment.registry
    return bool(registry.username) and parse(reference).server == registry.server


def _pull_as(registry: Registry, references: list[str]) -> Command:
    password = registry.password.reveal().encode()
    account = (registry.server, registry.username, password)
    return host.pull_as(*account, *references, timeout=PULL_TIMEOUT)


def _router(situation: Situation) -> Step | None:
    """As it is declared; after a failure as it was, since what was live is reached by that one."""
    config = base_config()
    networks = tuple(situation.layout.project(slot) for slot in SLOTS)
    commands: dict[str, tuple[Command, ...]] = {}
    undo: dict[str, tuple[Command, ...]] = {}
    for name in situation.target.hosts:
        if not _needs_router(situation, name):
            continue
        wanted = wanted_on(situation.environment.router, situation.state(name))
        commands[name] = (
            host.network(*networks),
            _router_up(wanted, config),
            router.connect(*networks),
        )
        there = situation.state(name).declared_router
        if there and (there.container, there.certificate) != (wanted.container, wanted.certificate):
            undo[name] = (_router_up(there, config),)
    return step("router", "bring the router up", commands, undo)


def _router_up(wanted: Router, config: str) -> Command:
    ports = (wanted.http_port, wanted.https_port)
    return router.up(wanted.image, *ports, wanted.certificate, config.encode())


def _needs_router(situation: Situation, name: str) -> bool:
    state = situation.state(name)
    wanted = wanted_on(situation.environment.router, state)
    networks = tuple(situation.layout.project(slot) for slot in SLOTS)
    runs = state.has_router(wanted, base_config(), networks)
    return bool(situation.part(name).routed) and not runs


def _data(situation: Situation) -> Step | None:
    """Stateful services: started, or changed where their declaration changed; never doubled."""
    layout, release = situation.layout, situation.target.release
    commands: dict[str, tuple[Command, ...]] = {}
    undo: dict[str, tuple[Command, ...]] = {}
    for name, part in situation.target.hosts.items():
        if not part.stateful or _data_is_right(situation, name):
            continue
        timeout = situation.environment.health_timeout(part.stateful)
        commands[name] = (
            host.network(*(layout.project(slot) for slot in SLOTS)),
            compose.up(layout.key, layout.shared_file(release)),
            host.await_healthy(layout.key, SETTLE_SECONDS, timeout),
        )
        live = situation.state(name).live_release
        if live:
            undo[name] = (compose.up(layout.key, layout.shared_file(live)),)
        elif all(container.slot for container in situation.state(name).containers):
            undo[name] = (host.clear(layout.key),)  # a first deploy's; volumes stay
    names = sorted(
        {service for part in situation.target.hosts.values() for service in part.stateful}
    )
    return step("data", f"bring stateful services up: {', '.join(names)}", commands, undo)


def _data_is_right(situation: Situation, name: str) -> bool:
    state, part = situation.state(name), situation.part(name)
    kept = state.kept(state.live_release) if state.live_release else None
    if kept is None:
        return False
    same = kept.manifest["host"]["files"].get("shared.yaml") == part.digests.get("shared.yaml")
    running = {c.service for c in state.containers if not c.slot and c.running}
    return same and set(part.stateful) <= running


def _archive(files: Mapping[str, bytes], mounted: Iterable[ProjectFile]) -> bytes:
    """A tar of the files, mode 0600; no owner or time, so equal files make equal bytes.

    The manifest comes last, by which the host knows that it has all.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for file in mounted:
            project_files.add_to(archive, file)
        for name in sorted(files, key=lambda name: (name == "manifest.json", name)):
            content = files[name]
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
