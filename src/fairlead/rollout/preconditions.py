"""What a host must be like before anything is touched. Every host's faults in one answer."""

import re
from collections.abc import Mapping

from fairlead.commands import host as phrases
from fairlead.config import Environment
from fairlead.errors import PreconditionError
from fairlead.model import Image
from fairlead.rollout.fleet import Fleet, all_results
from fairlead.rollout.lock import held_error
from fairlead.rollout.observed import HostState, Observed
from fairlead.rollout.target import Target

COMPOSE_NEEDED = (2, 24)  # `!reset` and env_file tables
UNPACKED = 3  # an image on disk, in units of its compressed size; measured 2.4 to 2.9
SPARE_KIB = 100 * 1024


def check_lock(observed: Observed) -> None:
    """Raise LockHeld when a host is locked by somebody whose lease has not ended."""
    for name, state in sorted(observed.items()):
        if state.lock and not state.lock.expired:
            raise held_error(name, state.lock)


def check_hosts(environment: Environment, observed: Observed) -> None:
    """Raise PreconditionError unless every host can take a deploy at all."""
    _raise(
        [
            f"{name}: {fault}"
            for name, state in sorted(observed.items())
            for fault in host_faults(environment, state)
        ]
    )


def check_images(observed: Observed, target: Target) -> None:
    """Raise PreconditionError unless the images run on, and fit on, every host."""
    by_reference = {image.pinned: image for image in target.images.values()}
    faults = []
    for name, part in target.hosts.items():
        state = observed[name]
        absent = [by_reference[ref] for ref in part.images if not state.images.get(ref)]
        faults += [f"{name}: {fault}" for fault in _platform_faults(state, absent)]
        faults += [f"{name}: {fault}" for fault in _disk_faults(state, absent)]
    _raise(faults)


def check_routes(observed: Observed, target: Target) -> None:
    """Raise PreconditionError when a route belongs to another application on a host."""
    faults = []
    for name, part in target.hosts.items():
        wanted = [line.split()[0] for line in part.files["routes"].decode().splitlines()]
        owners = observed[name].foreign_routes
        faults += [
            f"{name}: route {prefix} belongs to {owners[prefix]} already"
            for prefix in wanted
            if prefix in owners
        ]
    _raise(faults)


def check_networks(fleet: Fleet, wanted: Mapping[str, tuple[str, ...]]) -> None:
    """Raise PreconditionError when a host lacks an external network. They are asked only for it."""
    asked = {name: (phrases.absent_networks(*nets),) for name, nets in wanted.items() if nets}
    answers = all_results(fleet.ask(asked)) if asked else {}
    _raise(
        [
            f"{name}: network `{line.split()[1]}` does not exist, and the compose file says that "
            f"it is external; make it there: docker network create {line.split()[1]}"
            for name, answer in answers.items()
            for line in answer.out.splitlines()
            if line.startswith("@absent ")
        ]
    )


def host_faults(environment: Environment, state: HostState) -> list[str]:
    """What is wrong with one host, each with its remedy; empty when it is fit."""
    if state.docker == "missing":
        return ["Docker is not installed; install it: inv host.setup"]
    if state.docker.startswith("unreachable"):
        return [
            f"Docker does not answer: {state.docker.removeprefix('unreachable ')}; start it, and "
            "see that the user is in the group docker (inv host.setup does both)"
        ]
    faults = []
    if compose_version(state.compose) < COMPOSE_NEEDED:
        needed = ".".join(map(str, COMPOSE_NEEDED))
        old = "missing" if state.compose == "missing" else f"{state.compose}, which is too old"
        faults.append(
            f"Docker Compose is {old}; {needed} or newer is needed: "
            "apt-get install docker-compose-plugin (Debian 13: docker-compose), or inv host.setup"
        )
    if not state.flock:
        faults.append("`flock` is missing; install util-linux")
    if state.writable != "yes":
        place = state.writable.removeprefix("no ")
        faults.append(
            f"cannot write {environment.directory}: {place} is not writable for this user; "
            "inv host.setup makes it so"
        )
    return faults


def compose_version(text: str) -> tuple[int, int]:
    """Major and minor of `docker compose version --short`; (0, 0) when it is missing."""
    found = re.match(r"v?(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _platform_faults(state: HostState, images: list[Image]) -> list[str]:
    return [
        f"image {image.repository}:{image.tag} is for {', '.join(image.platforms)}, the host is "
        f"{state.platform}; build it for {state.platform}"
        for image in images
        if image.platforms and not any(_fits(p, state.platform) for p in image.platforms)
    ]


def _fits(offered: str, wanted: str) -> bool:
    return offered == wanted or offered.startswith(f"{wanted}/")


def _disk_faults(state: HostState, images: list[Image]) -> list[str]:
    needed = sum(image.size for image in images) * UNPACKED // 1024
    if not needed or state.disk_kib >= needed + SPARE_KIB:
        return []
    names = ", ".join(f"{image.repository}:{image.tag}" for image in images)
    return [
        f"{state.disk_kib // 1024} MiB free where Docker keeps its images, and the pull of {names} "
        f"needs about {(needed + SPARE_KIB) // 1024} MiB; free some: docker system df, docker "
        "image prune"
    ]


def _raise(faults: list[str]) -> None:
    if faults:
        raise PreconditionError(
            faults[0],
            why=faults[1:],
            state="nothing was changed",
            next_step="fix that, then repeat the command; inv doctor checks everything",
        )
