"""One host under examination: what is asked of it, and what its answers mean."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fairlead.commands import check, host
from fairlead.config import Environment
from fairlead.engines.compose.layout import ROUTER_DIRECTORY
from fairlead.errors import FairleadError, HostError
from fairlead.images.reference import DOCKER_HUB, Reference
from fairlead.model import Command, Host, Result
from fairlead.rollout.checkup import ORDER, Check, failed, not_run, passed
from fairlead.rollout.observe import parse_state
from fairlead.rollout.observed import HostState
from fairlead.rollout.preconditions import COMPOSE_NEEDED, compose_version
from fairlead.rollout.shared_router import disagreements, wanted_on

LEAST_DISK_KIB = 1 << 20  # 1 GiB: less does not hold one more release of most applications
MOST_SKEW = 5.0  # seconds; beyond, lock leases and logs of several machines do not fit together
SHARED_DIRECTORY = ROUTER_DIRECTORY.rpartition("/")[0]

_AFTER_SSH = tuple(name for name in ORDER[ORDER.index("ssh") + 1 :] if name != "certificate")
_NEED_DOCKER = ("compose", "registry", "disk", "router")
_REACHED = re.compile(r"manifest unknown|not found|name unknown|not known", re.I)
_REFUSED = re.compile(r"denied|unauthori[sz]ed|authentication required|no basic auth", re.I)


class BrokenOff(HostError):
    """A host was reached, and its answers ended early."""


@dataclass(frozen=True)
class Facts:
    """A host's answers. ahead: seconds its clock is ahead of ours. files: path → readable."""

    state: HostState
    ahead: float = 0.0
    directories: Mapping[str, str] = field(default_factory=dict)  # path → yes | no PLACE
    ports: Mapping[int, str] = field(default_factory=dict)  # port → holder
    files: Mapping[str, bool] = field(default_factory=dict)
    registries: Mapping[str, str] = field(default_factory=dict)  # repository → Docker's last line

    def lacks_router(self, environment: Environment) -> bool:
        """Whether the router would have to be pulled first."""
        image = environment.router.image
        return self.state.router == "absent" and not self.state.images.get(image)


def questions(
    environment: Environment, name: str, references: tuple[Reference, ...]
) -> tuple[Command, ...]:
    """What is asked of a host, all in one script."""
    router = environment.router
    certificate = (check.file(router.certificate),) if router.certificate else ()
    listening = (check.ports(router.http_port, router.https_port), *certificate)
    return (
        check.basics(environment.directory, SHARED_DIRECTORY),
        host.observe(router.image),
        *(listening if _is_routed(environment, name) else ()),
        check.registries(*(reference.name for reference in references)),
    )


def read(name: str, result: Result, ahead: float = 0.0) -> Facts:
    """The answers to `questions`. Raises BrokenOff when they are not all there."""
    if not result.ok:
        raise BrokenOff(
            name, last_words(result), next_step="see on the host what ends it, then: inv doctor"
        )
    words = [line.split(" ", 2) for line in result.out.splitlines()]
    told = [(word[0], word[1], word[2]) for word in words if len(word) == 3]
    return Facts(
        state=parse_state(name, result),
        ahead=ahead,
        directories={path: rest for word, path, rest in told if word == "@directory"},
        ports={int(port): rest for word, port, rest in told if word == "@port"},
        files={path: rest == "yes" for word, path, rest in told if word == "@file"},
        registries={name: rest for word, name, rest in told if word == "@registry"},
    )


def last_words(result: Result) -> str:
    """Why a script ended, in the host's own words; or that it never began."""
    said = result.err.strip().splitlines() or result.out.strip().splitlines()
    last = said[-1] if said else f"exit code {result.code}"
    if "@pid" in result.out:
        return last
    refusal = result.out.strip() or last
    return f"no command can be run there: {refusal}"


def unreached(host: Host, error: FairleadError) -> list[Check]:
    """A host that did not answer: why, and all that therefore was not looked at."""
    what = error.what.removeprefix(f"{host.name}: ")
    if isinstance(error, BrokenOff):
        again = f"{_there(host)} docker info"
        rest = _unseen(host, "the check-up broke off", 1)
        return [_reached(host), failed("docker", host.name, what, again), *rest]
    return [failed("ssh", host.name, what, error.next_step), *_unseen(host, "no connection", 0)]


def _reached(host: Host) -> Check:
    return passed("ssh", host.name, f"{host.user}@{host.address}:{host.port}")


def _unseen(host: Host, why: str, since: int) -> list[Check]:
    return [not_run(name, host.name, why) for name in _AFTER_SSH[since:]]


def judge(
    environment: Environment,
    host: Host,
    facts: Facts,
    references: tuple[Reference, ...],
    router_fault: str = "",
) -> list[Check]:
    """Every check of a host that answered. router_fault: why the router's image cannot be had."""
    setup = f"inv host.setup --env={environment.name} --hosts={host.name}"
    docker = _docker(host, facts.state, setup)
    checks = [
        _reached(host),
        docker,
        *_tools(host, facts, setup),
        *_listening(host, facts, docker.failed),
    ]
    if docker.failed:
        return checks + [
            not_run(name, host.name, "Docker does not answer") for name in _NEED_DOCKER
        ]
    return [
        *checks,
        _compose(host, facts.state, setup),
        *(_registry(environment, host, facts, reference) for reference in references),
        _disk(host, facts.state),
        *_router(environment, host, facts.state, router_fault),
    ]


def clock_note(name: str, facts: Facts) -> str:
    """A sentence when the host's clock is off; empty when it is right."""
    if abs(facts.ahead) <= MOST_SKEW:
        return ""
    way = "ahead of" if facts.ahead > 0 else "behind"
    return f"{name}: its clock is {abs(facts.ahead):.0f} s {way} this machine's"


def _docker(host: Host, state: HostState, setup: str) -> Check:
    if state.docker == "missing":
        return failed("docker", host.name, "Docker is not installed", setup)
    if not state.docker.startswith("unreachable"):
        return passed("docker", host.name, f"Docker {state.docker}, {state.platform}")
    why = state.docker.removeprefix("unreachable ")
    if "permission denied" in why.lower():
        what = f"user {host.user} may not use Docker: it is not in the group docker"
        return failed(
            "docker", host.name, what, f"{setup} (or there: usermod -aG docker {host.user})"
        )
    what = f"Docker is installed, but does not answer: {why}"
    by_hand = f"{_as_root(host)} systemctl enable --now docker"
    return failed("docker", host.name, what, f"{setup} (or {by_hand})")


def _compose(host: Host, state: HostState, setup: str) -> Check:
    if compose_version(state.compose) >= COMPOSE_NEEDED:
        return passed("compose", host.name, f"Compose {state.compose}")
    needed = ".".join(map(str, COMPOSE_NEEDED))
    what = f"Compose is {state.compose}; {needed} or newer is needed"
    return failed("compose", host.name, what, setup)


def _tools(host: Host, facts: Facts, setup: str) -> Iterator[Check]:
    if facts.state.flock:
        yield passed("flock", host.name, "flock is there")
    else:
        install = f"{_as_root(host)} apt-get install util-linux"
        yield failed("flock", host.name, "flock, which keeps the lock, is missing", install)
    for path, answer in facts.directories.items():
        place = answer.removeprefix("no ")
        what = f"{path}: user {host.user} may not write {place}"
        yield (
            passed("directory", host.name, f"{path} can be written")
            if answer == "yes"
            else failed("directory", host.name, what, setup)
        )


def _listening(host: Host, facts: Facts, mute: bool) -> Iterator[Check]:
    """Ports and certificate. mute: Docker does not answer, so that its ports cannot be told."""
    for port, holder in facts.ports.items():
        yield (
            not_run("port", host.name, f"{port} is taken; by whom, Docker does not tell")
            if mute and holder == "taken"
            else _port(host, port, *holder.split(" ", 1))
        )
    for path, readable in facts.files.items():
        what = f"{path} cannot be read by user {host.user}"
        fix = f"{_as_root(host)} ls -l {path}; [router] certificate names it"
        yield (
            passed("certificate", host.name, f"{path} can be read")
            if readable
            else failed("certificate", host.name, what, fix)
        )


def _port(host: Host, port: int, kind: str, holder: str = "") -> Check:
    if kind == "free" or holder == "fairlead-router":
        return passed("port", host.name, f"{port} is {'held by the router' if holder else 'free'}")
    other = "or give the router another port: [router] http_port, https_port"
    if kind == "container":
        what = f"{port} is published by container {holder}"
        return failed("port", host.name, what, f"docker stop {holder} there, {other}")
    named = f" by {holder}" if holder else ", by a process that only root may see"
    look = f"{_as_root(host)} ss -ltnp 'sport = :{port}' names it; stop it, {other}"
    return failed("port", host.name, f"{port} is taken{named}", look)


def _registry(environment: Environment, host: Host, facts: Facts, reference: Reference) -> Check:
    answer = facts.registries.get(reference.name, "no answer")
    server = reference.server
    if _REFUSED.search(answer):
        return _refused(environment, host, reference, answer)
    if _REACHED.search(answer):
        return passed("registry", host.name, f"{server} answers its Docker")
    said = answer.removeprefix("Error response from daemon: ")
    what = f"its Docker cannot reach {server}: {said}"
    if "HTTP response to HTTPS client" in answer:
        entry = f'"insecure-registries": ["{server}"] in /etc/docker/daemon.json there'
        return failed("registry", host.name, what, f"{entry}, then systemctl restart docker")
    return failed("registry", host.name, what, f"{_there(host)} docker pull {reference}")


def _refused(environment: Environment, host: Host, reference: Reference, answer: str) -> Check:
    """A registry wants a login: a deploy brings the configured one along."""
    settings = environment.registry
    if settings.server == reference.server and settings.username:
        what = f"{reference.server} answers its Docker; a deploy logs in as {settings.username}"
        return passed("registry", host.name, what)
    if reference.server == DOCKER_HUB:  # what Docker Hub says of anything that is not public
        return passed("registry", host.name, f"{reference.server} answers its Docker")
    said = answer.rpartition('": ')[2]
    what = f"{reference.server} refuses {reference.repository} to its Docker: {said}"
    login = f"{_there(host)} -t docker login {reference.server}"
    fix = f"set [registry] username and password, or: {login}"
    return failed("registry", host.name, what, fix)


def _disk(host: Host, state: HostState) -> Check:
    free = f"{state.disk_kib / (1 << 20):.1f} GiB free where Docker keeps its images"
    if state.disk_kib >= LEAST_DISK_KIB:
        return passed("disk", host.name, free)
    return failed("disk", host.name, free, f"{_there(host)} 'docker system df; docker image prune'")


def _router(environment: Environment, host: Host, state: HostState, fault: str) -> Iterator[Check]:
    if not _is_routed(environment, host.name):
        return
    status, _, about = state.router.partition(" ")
    image, wanted = about.split(" ")[0], environment.router.image
    shared = disagreements(environment.router, state)
    if status == "absent" and fault and not state.images.get(wanted):
        what = f"not there yet, and its image cannot be had: {fault}"
        yield failed("router", host.name, what, f"push {wanted}, or set [router] image to another")
    elif status == "absent":
        yield passed("router", host.name, "not there yet; the first deploy starts it")
    elif status != "running":
        log = f"{_there(host)} docker logs --tail 20 fairlead-router"
        yield failed(
            "router", host.name, f"the router is {status}", f"{log}; a deploy starts it anew"
        )
    elif shared:
        what = "; ".join(f"[router] {key} {message}" for key, message in shared.items())
        yield failed("router", host.name, what, "write into [router] what that router has")
    else:
        next_one = wanted_on(environment.router, state).image
        if image != next_one:
            note = f"; the next deploy makes it {wanted}"
        else:
            note = "" if image == wanted else f", not {wanted}, as it serves other applications too"
        yield passed("router", host.name, f"runs {image}{note}")


def _is_routed(environment: Environment, name: str) -> bool:
    return any(
        name == host.name
        for service in environment.routed
        for host in environment.hosts_for(service)
    )


def _there(host: Host) -> str:
    port = f"-p {host.port} " if host.port != 22 else ""
    return f"ssh {port}{host.user}@{host.address}"


def _as_root(host: Host) -> str:
    return f"on {host.name}, as root:"
