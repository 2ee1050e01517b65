"""`deploy`: from a tag to a plan. Nothing here changes a host."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from fairlead.config import Environment
from fairlead.engines.compose import source
from fairlead.engines.compose.networks import external_networks
from fairlead.engines.compose.project_files import ProjectFile, project_files
from fairlead.engines.compose.refusals import refusals, resets
from fairlead.errors import ConfigError, PreconditionError, Problem
from fairlead.images.record import delivered
from fairlead.images.reference import Reference, parse
from fairlead.model import Image, Secret
from fairlead.rollout import manifest, preconditions, shared_router
from fairlead.rollout.backups.take import new_stamp, next_sequence
from fairlead.rollout.compile import compile_release
from fairlead.rollout.gates import check_gates
from fairlead.rollout.observed import Container, HostState, Observed
from fairlead.rollout.plan import Plan
from fairlead.rollout.registries import registry_for
from fairlead.rollout.rollback import without_way_back
from fairlead.rollout.session import Session
from fairlead.rollout.situation import Situation
from fairlead.rollout.sources import checked_out, commit_of, with_commits
from fairlead.rollout.strategies import STRATEGIES
from fairlead.rollout.target import HostTarget
from fairlead.rollout.unfinished import refuse_unfinished

Project = Mapping[str, Any]
Mounted = Mapping[str, ProjectFile]


def plan_deploy(
    session: Session,
    tag: str,
    services: tuple[str, ...] = (),
    bypass: str = "",
    skip_backup: str = "",
) -> tuple[Situation, Plan]:
    """The plan that makes `tag` live. With `services`, the others stay at what is live now.

    bypass: why closed gates are passed by. skip_backup: why no data are dumped before, though that
    is declared. Raises ConfigError, PreconditionError, GateRefused, LockHeld, HostError: all before
    anything is touched.
    """
    environment = session.environment
    if environment.missing:  # `--resume` that begins anew: all else asked for them before
        raise ConfigError(environment.missing, state="nothing was changed")
    session.fleet.look_ahead()  # hosts are greeted while Compose reads
    try:
        project, mounted = read_project(environment)
        wanted = _wanted(environment, project, tag)
        images = _resolved(environment, wanted, services or wanted)
        commit = commit_of(environment.root, tag)
    except ConfigError as error:
        error.state = "nothing was changed"  # hosts were asked meanwhile
        raise
    observed = session.fleet.observe()
    preconditions.check_lock(observed)
    refuse_unfinished(observed)
    preconditions.check_hosts(environment, observed)
    gates = check_gates(environment, images, bypass)
    if services:
        live = _live_images(environment, observed, services)
        new = [name for name in wanted if name not in images and name not in live]
        images = {**live, **images, **_resolved(environment, wanted, new)}
        images = {name: images[name] for name in wanted}
    images = with_commits(environment, images, observed, commit)
    passed_by = gates if bypass else ""
    situation = _situation(session, (project, mounted), images, observed, tag, passed_by, services)
    rules = environment.backup
    dump = bool(rules.data) and rules.before_deploy and not skip_backup
    situation = replace(situation, target=replace(situation.target, dump=dump))
    preconditions.check_images(observed, situation.target)
    preconditions.check_routes(observed, situation.target)
    shared_router.refuse_another(environment, observed, situation.target)
    preconditions.check_networks(session.fleet, _external(project, situation))
    plan = STRATEGIES[environment.strategy](situation)
    slotted = _slotted(environment, project)
    routed = {service.name for service in environment.routed}
    notes = [*resets(project, slotted, routed), *([gates] if gates else [])]
    plan = _described(plan, situation, notes)
    return situation, _without_backup(plan, skip_backup) if skip_backup else plan


def read_project(environment: Environment) -> tuple[Project, Mounted]:
    """The compose file as Compose reads it, and the files it mounts.

    Raises ConfigError with every key that two slots could not share.
    """
    ours = [name for name, service in environment.services.items() if service.image]
    project = _started(source.read(environment.compose_file, _variables(environment), ours))
    names = sorted(project["services"])
    file = str(environment.compose_file.relative_to(environment.root))
    mounted, problems = project_files(project, environment.compose_file.parent)
    problems += refusals(project, _slotted(environment, project), file)
    for name, service in environment.services.items():
        if service.rolled_out and name not in project["services"]:
            problems.append(_unknown_service(name, names, file))
    if problems:
        raise ConfigError(problems, next_step="inv deploy --plan shows whether it will do")
    return project, mounted


def _external(project: Project, situation: Situation) -> dict[str, tuple[str, ...]]:
    """By host, the networks that its services join and a deploy does not make."""
    return {
        name: tuple(
            sorted(set(external_networks(project, (*part.replicas, *part.stateful)).values()))
        )
        for name, part in situation.target.hosts.items()
    }


def _started(project: Project) -> Project:
    """The project without what its file says is not to run: `scale: 0`, `replicas: 0`."""

    def off(body: Mapping[str, Any]) -> bool:
        replicas: object = body.get("scale", (body.get("deploy") or {}).get("replicas"))
        return replicas == 0

    services = {name: body for name, body in project["services"].items() if not off(body)}
    return {**project, "services": services}


def _variables(environment: Environment) -> Mapping[str, Secret]:
    """What a compose file may refer to: the environment's own, and which environment it is.

    The latter is for names that must differ between environments on one host, such as a volume's:
    `name: ${FAIRLEAD_APP}-${FAIRLEAD_ENVIRONMENT}-uploads`.
    """
    about = {"FAIRLEAD_APP": environment.app, "FAIRLEAD_ENVIRONMENT": environment.name}
    return {**{key: Secret(value) for key, value in about.items()}, **environment.variables}


def _unknown_service(name: str, names: list[str], file: str) -> Problem:
    import difflib

    near = difflib.get_close_matches(name, names, 1)
    message = f"{file} has no such service; it has {', '.join(names)}"
    return Problem(
        "deploy/fairlead.toml", f"services.{name}", message, suggestion=near[0] if near else ""
    )


def _slotted(environment: Environment, project: Project) -> set[str]:
    return {name for name in project["services"] if not environment.service(name).stateful}


def _wanted(environment: Environment, project: Project, tag: str) -> dict[str, Reference]:
    """Each service's image: at the tag for our own images, the compose file's else."""
    references: dict[str, Reference] = {}
    for name, body in project["services"].items():
        own = environment.service(name).image
        text = f"{own}:{tag}" if own else body.get("image", "")
        if not text:
            raise ConfigError(
                [
                    Problem(
                        "deploy/fairlead.toml",
                        f"services.{name}.image",
                        "is missing: the "
                        "compose file builds it, so write the repository it is pushed to",
                    )
                ]
            )
        references[name] = parse(text)
    return references


def _resolved(
    environment: Environment, wanted: Mapping[str, Reference], names: Iterable[str]
) -> dict[str, Image]:
    """The images of these services, by digest: the registry is asked once for each image."""

    def ask(reference: Reference) -> Image:
        here = delivered(environment.root, reference)
        return here or registry_for(environment.registry, reference.server).resolve(reference)

    ours = {name: wanted[name] for name in names if name in wanted}
    ordered = sorted(set(ours.values()), key=str)
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = dict(zip(ordered, pool.map(ask, ordered), strict=True))
    return {name: found[reference] for name, reference in ours.items()}


def _live_images(
    environment: Environment, observed: Observed, services: tuple[str, ...]
) -> dict[str, Image]:
    """What is live now; nothing, where nothing is and `services` are all we build."""
    for state in observed.values():
        kept = state.kept(state.live_release) if state.live_release else None
        if kept:
            return manifest.images(kept.manifest)
    if {name for name, one in environment.services.items() if one.image} <= set(services):
        return {}
    raise PreconditionError(
        f"no release is live, so {', '.join(services)} cannot be deployed alone",
        state="nothing was changed",
        next_step="deploy everything first, without --service",
    )


def _situation(
    session: Session,
    source_of: tuple[Project, Mounted],
    images: Mapping[str, Image],
    observed: Observed,
    tag: str,
    bypass: str,
    services: tuple[str, ...],
) -> Situation:
    environment = session.environment
    now = datetime.now(UTC)
    sequence = next_sequence(observed)
    facts = manifest.Facts(
        release=f"{sequence:04d}-{tag}",
        sequence=sequence,
        tag=tag,
        app=environment.app,
        environment=environment.name,
        commit=checked_out(environment.root),
        created=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        strategy=environment.strategy,
        config_hash=environment.config_hash,
        bypass=bypass,
    )
    target = compile_release(
        environment, source_of[0], images, facts, new_stamp(observed, now), source_of[1]
    )
    return Situation(environment, observed, replace(target, services=services), session.layout)


def _described(plan: Plan, situation: Situation, notes: list[str]) -> Plan:
    target, observed = situation.target, situation.observed
    live = sorted({s.live_release or "nothing" for s in observed.values()})
    header = {
        "environment": situation.environment.name,
        "release": target.release,
        "live now": ", ".join(live),
        "strategy": situation.environment.strategy,
        "images": ", ".join(
            f"{name} {image.tag} {image.digest[:19]}" for name, image in target.images.items()
        ),
    }
    if situation.environment.from_process:
        names = ", ".join(situation.environment.from_process)
        notes = [*notes, f"from this process's environment, not from a file: {names}"]
    notes = [*notes, *shared_router.announced(situation), *_dropped(situation)]
    notes += _no_way_back(situation.environment.name, observed)
    return Plan(plan.steps, plan.tidy, tuple(notes), header)


def _without_backup(plan: Plan, reason: str) -> Plan:
    note = f"no backup of the data is taken: {reason}"
    return replace(plan, notes=(note, *plan.notes), audit={"skipped_backup": reason})


def _no_way_back(name: str, observed: Observed) -> list[str]:
    new = without_way_back(observed)
    if not new:
        return []
    others = ",".join(sorted(set(observed) - set(new)))
    return [
        f"{', '.join(new)}: no older release is there, so a rollback of this one has to leave it "
        f"out: inv rollback --quick --env={name} --hosts={others}"
    ]


def _dropped(situation: Situation) -> list[str]:
    """Services that run now and are in the new release no more."""
    notes = []
    for name, state in sorted(situation.observed.items()):
        part = situation.target.hosts.get(name)
        running = {c.service for c in state.slot(state.live_slot)} if state.live_slot else set()
        gone = sorted(running - set(part.replicas)) if part else []
        notes += [
            f"{service}: not in this release; stopped on {name} after the switch"
            for service in gone
        ]
        notes += [_left_running(one, name) for one in _orphans(state, part)]
    return notes


def _orphans(state: HostState, part: HostTarget | None) -> list[Container]:
    """Containers of stateful services that are in this release no more."""
    if part is None:
        return []
    shared = [c for c in state.containers if c.running and not c.slot and not c.one_off]
    return [container for container in shared if container.service not in part.stateful]


def _left_running(container: Container, host: str) -> str:
    return (
        f"{container.service}: not in this release, but it keeps data, so it runs on; when nothing "
        f"needs it any more, on {host}: docker rm -f {container.name} (its named volumes stay)"
    )
