"""`doctor`: this machine, the configuration, every host; each failure with what repairs it.

Nothing is changed anywhere. One script a host; the registry is asked from here and from there.
"""

import platform
import shutil
import time
from collections.abc import Iterator, Mapping
from typing import Any

from fairlead.commands.script import script
from fairlead.config import Environment
from fairlead.engines.compose import source
from fairlead.errors import ConfigError, FairleadError, PreconditionError
from fairlead.images.reference import DOCKER_HUB, Reference, parse
from fairlead.model import Step
from fairlead.rollout.checkup import HERE, ORDER, Check, failed, in_order, not_run, passed
from fairlead.rollout.deploy import read_project
from fairlead.rollout.doctor_host import Facts, clock_note, judge, questions, read, unreached
from fairlead.rollout.registries import registry_for
from fairlead.rollout.session import Session
from fairlead.transport.fanout import fan_out

Services = Mapping[str, Any]
References = tuple[Reference, ...]
AFTER_CONFIG = tuple(n for n in ORDER[ORDER.index("compose file") :] if n != "certificate")


def this_machine() -> list[Check]:
    """What every command needs here: Python, Docker's client with Compose; git, if there is one."""
    return [passed("python", HERE, f"Python {platform.python_version()}"), _client(), _git()]


def unreadable(error: ConfigError) -> list[Check]:
    """The faults of a configuration, and what therefore was not looked at."""
    faults = _config_faults("config", error)
    return [
        *faults,
        *(not_run(name, "", "the configuration is not valid") for name in AFTER_CONFIG),
    ]


def project(environment: Environment) -> tuple[list[Check], References]:
    """The configuration, which is read by now, and its compose file; and whose images they name.

    The references are a repository of each registry that images come from.
    """
    count = len(environment.variables)
    read = f"{environment.name}: {len(environment.files)} files, {count} container variables"
    about, services = _compose_file(environment)
    return [passed("config", HERE, read), about], _references(environment, services)


def hosts(session: Session, references: References) -> tuple[list[Check], list[str]]:
    """Every host, and the registries as seen from here and from there; and notes on clocks."""
    environment = session.environment
    here = [_from_here(environment, reference) for reference in references]
    answers = fan_out(session.fleet.hosts, lambda name: _answer(session, name, references))
    notes = [clock_note(name, facts) for name, facts in answers.items() if isinstance(facts, Facts)]
    return in_order([*here, *_judged(session, answers, references)]), list(filter(None, notes))


def plan(session: Session, references: References) -> tuple[Step, ...]:
    """What a check-up would run."""
    words = {name: questions(session.environment, name, references) for name in session.fleet.hosts}
    asked = ", ".join(reference.server for reference in references)
    return (
        Step("local", "look at this machine, the configuration and the compose file", {}),
        Step("registry", f"ask {asked} from here", {}),
        Step("hosts", "look at every host", words),
    )


# -- here


def _client() -> Check:
    try:
        return passed("client", HERE, f"docker with Compose {source.require_compose()}")
    except PreconditionError as error:
        return failed("client", HERE, error.what, error.next_step)


def _git() -> Check:
    if shutil.which("git"):
        return passed("git", HERE, "a release records its commit")
    return passed("git", HERE, "not installed: a release will not know its commit")


def _compose_file(environment: Environment) -> tuple[Check, Services]:
    name = environment.compose_file.name
    try:
        services: Services = read_project(environment)[0]["services"]
    except ConfigError as error:
        first, *others = _config_faults("compose file", error)
        more = f" (and {len(others)} more: inv deploy --plan)" if others else ""
        return failed(first.name, HERE, first.what + more, first.fix), {}
    except PreconditionError as error:
        return not_run("compose file", HERE, error.what), {}
    return passed("compose file", HERE, f"{name}: {', '.join(sorted(services))}"), services


def _config_faults(name: str, error: ConfigError) -> list[Check]:
    return [
        failed(name, HERE, str(problem), f"edit {problem.file} at {problem.path}, then: inv doctor")
        for problem in error.problems
    ]


# -- registries


def _references(environment: Environment, services: Services) -> References:
    declared = [service.image for service in environment.services.values()]
    others = [
        str(body.get("image", ""))
        for name, body in services.items()
        if not environment.service(name).image  # else the file's image counts for nothing
    ]
    found: dict[str, Reference] = {}
    for text in filter(None, (*declared, *others, environment.router.image)):
        reference = parse(text)
        if not reference.over_ssh:
            found.setdefault(reference.server, reference)
    return tuple(found.values())


def _from_here(environment: Environment, reference: Reference) -> Check:
    registry = registry_for(environment.registry, reference.server)
    settings = environment.registry
    plain = settings.insecure and settings.server == reference.server
    address = "registry-1.docker.io" if reference.server == DOCKER_HUB else reference.server
    look = f"curl -i {'http' if plain else 'https'}://{address}/v2/"
    try:
        registry.tags(reference)
    except PreconditionError as error:
        fix = error.next_step if "docker login" in error.next_step else look
        return failed("registry", HERE, error.what, fix)
    except ValueError:
        return failed("registry", HERE, f"{reference.server} does not answer as a registry", look)
    return passed("registry", HERE, f"{reference.server} answers")


def _router_image(environment: Environment) -> str:
    """Why the router's image cannot be had; empty when it can."""
    reference = parse(environment.router.image)
    try:
        registry_for(environment.registry, reference.server).resolve(reference)
    except (PreconditionError, ValueError) as error:
        return str(error)
    return ""


# -- hosts


def _answer(session: Session, name: str, references: References) -> Facts:
    """One host's answers. Raises HostError when it gives none that can be understood."""
    words = questions(session.environment, name, references)
    ahead: list[float] = []

    def listen(line: str) -> None:
        if line.startswith("@clock ") and not ahead:  # compared as it arrives; a look tells it too
            ahead.append(float(line.split()[1]) - time.time())

    whole = script(words, {"FL_TOKEN": "", **session.fleet.variables})
    return read(name, session.fleet.transports[name].run(whole, listen), *ahead)


def _judged(
    session: Session, answers: Mapping[str, Facts | Exception], references: References
) -> Iterator[Check]:
    environment = session.environment
    without = [f for f in answers.values() if isinstance(f, Facts) and f.lacks_router(environment)]
    fault = _router_image(environment) if without else ""
    for name, facts in answers.items():
        host = session.fleet.transports[name].host
        if isinstance(facts, Facts):
            yield from judge(environment, host, facts, references, fault)
        elif isinstance(facts, FairleadError):
            yield from unreached(host, facts)
        else:
            raise facts
