"""A project's compose file, as Compose itself reads it: the local plugin resolves and checks it.

No engine is needed for that, and nothing of the caller's shell takes part: a variable is one of the
environment's own or it is a problem.
"""

import os
import re
import subprocess
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fairlead.config.redaction import Redactor
from fairlead.engines.compose.declared import Declared, declared_services
from fairlead.errors import ConfigError, PreconditionError, Problem
from fairlead.model import Secret

OLDEST = (2, 24)  # the first Compose that knows `!reset`
PROJECT = "fairlead"  # the project's name while a file is read
MARK = "x-env-file"  # of a service: it has an env_file, whose values a release gives
STAND_IN = Secret("1")  # for what is not set: a port or a number of replicas takes that too
TIMEOUT = 60.0

_UNSET = re.compile(r'The \\?"(\w+)\\?" variable is not set')
_REQUIRED = re.compile(r"required variable (\w+) is missing a value")
_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "$": "\\$", "\n": "\\n", "\r": "\\r"})
_INSTALL = "https://docs.docker.com/compose/install/linux/"


@dataclass(frozen=True)
class Survey:
    """A first look at a compose file. unset: variables it refers to and nothing sets."""

    project: Mapping[str, Any]
    unset: tuple[str, ...]
    declared: Declared

    def required(self, images: Collection[str]) -> tuple[str, ...]:
        """The unset variables that matter when the images of these services come from --tag."""
        needless = self.declared.only_for_images(images)
        return tuple(name for name in self.unset if name not in needless)


def read(
    compose_file: Path, variables: Mapping[str, Secret], images: Collection[str] = ()
) -> dict[str, Any]:
    """The normalised project: what `docker compose config` makes of the file and `variables`.

    images: services whose image comes from elsewhere, so that a variable which does nothing but
    name or build it (`app:${TAG}`) need not be set.

    Strings are escaped as in a compose file (`$$` is a literal `$`), so the result can be written
    and read again; relative paths stay relative to the file. A service with an `env_file` has
    `x-env-file: true` instead, and none of that file's values. Networks, volumes, secrets and
    configs have a `name` only where the file gives one. Services of profiles that are not in
    COMPOSE_PROFILES (a variable) are left out.

    Raises ConfigError (Compose's own words, or variables that are set nowhere) and
    PreconditionError (no Compose here, or one that is too old).
    """
    compose_file = compose_file.absolute()
    declared = declared_services(compose_file, variables)
    given = {**dict.fromkeys(declared.only_for_images(images), STAND_IN), **variables}
    answer = _config(compose_file, declared, given)
    project = _project(compose_file, answer, variables)
    if problems := list(_problems(compose_file, project, declared, answer.stderr)):
        raise ConfigError(problems)
    return _marked(project, declared)


def survey(compose_file: Path, variables: Mapping[str, Secret]) -> Survey:
    """The project as `read` gives it, before there is any configuration, and what it lacks.

    Raises as `read` does, but not for variables that are not set.
    """
    compose_file = compose_file.absolute()
    unset: list[str] = []
    while True:
        given = {**variables, **dict.fromkeys(unset, STAND_IN)}
        declared = declared_services(compose_file, given)
        answer = _config(compose_file, declared, given)
        found = _UNSET.findall(answer.stderr) + _REQUIRED.findall(answer.stderr)
        if not (new := [name for name in dict.fromkeys(found) if name not in given]):
            break
        unset += new
    project = _marked(_project(compose_file, answer, given), declared)
    for body in project.get("services", {}).values():
        unset += [key for key, value in (body.get("environment") or {}).items() if value is None]
    return Survey(project, tuple(dict.fromkeys(unset)), declared)


def require_compose() -> str:
    """The version of the local Compose, such as `2.26.1`; PreconditionError if it will not do."""
    return _sufficient(_finished(_started("compose", "version", "--short")))


def _sufficient(answer: subprocess.CompletedProcess[str]) -> str:
    version = answer.stdout.strip().removeprefix("v")
    found = re.match(r"(\d+)\.(\d+)", version)
    if answer.returncode or not found:
        raise PreconditionError(
            "this machine's docker has no Compose plugin, which reads the compose file",
            why=answer.stderr.strip().splitlines()[:3],
            state="no host was contacted; nothing was changed",
            next_step="Debian 13: apt-get install docker-compose; else docker-compose-plugin from "
            f"Docker's own repository: {_INSTALL}",
        )
    if (int(found[1]), int(found[2])) < OLDEST:
        raise PreconditionError(
            f"this machine's Compose is {version}; {'.'.join(map(str, OLDEST))} or newer is needed",
            state="no host was contacted; nothing was changed",
            next_step=f"install a newer one: {_INSTALL}",
        )
    return version


def env_file_text(variables: Mapping[str, Secret]) -> str:
    """An env file that Compose reads back to exactly these values, whatever they hold.

    Double quotes with escapes: in single quotes Compose has no way to write a quote or a
    backslash at the end.
    """
    return "".join(
        f'{key}="{value.reveal().translate(_ESCAPED)}"\n'
        for key, value in sorted(variables.items())
    )


def _config(
    compose_file: Path, declared: Declared, variables: Mapping[str, Secret]
) -> subprocess.CompletedProcess[str]:
    """`docker compose config`, with the variables and nothing else to fill in."""
    if not compose_file.is_file():
        raise ConfigError([Problem(_shown(compose_file), "file", "no such file")])
    with TemporaryDirectory(prefix="fairlead-") as folder:  # mode 0700
        env_file = _private(Path(folder, "env"), env_file_text(variables))
        override = _private(Path(folder, "override.yaml"), _without_env_files(declared))
        # Asked at the same time: a Compose that does not know `!reset` would say nothing and pour
        # the values in, and one after the other would take twice as long.
        version = _started("compose", "version", "--short")
        config = _started(
            *("compose", "--project-name", PROJECT, "--env-file", str(env_file)),
            *("-f", str(compose_file), "-f", str(override)),
            *("config", "--no-path-resolution", "--format", "json"),
        )
        answers = _finished(version), _finished(config)
    _sufficient(answers[0])
    return answers[1]


def _project(
    compose_file: Path,
    answer: subprocess.CompletedProcess[str],
    variables: Mapping[str, Secret],
) -> dict[str, Any]:
    """The project Compose answered with, or its refusal as a ConfigError."""
    from json import loads

    if answer.returncode:
        raise ConfigError([_refusal(compose_file, answer.stderr, Redactor(variables))])
    project: dict[str, Any] = loads(answer.stdout)
    return project


def _started(*argv: str) -> subprocess.Popen[str]:
    """docker with an environment of its own: only where its configuration and plugins are."""
    from shutil import which

    program = which("docker")
    if not program:
        raise PreconditionError(
            "this machine has no `docker` program, which reads the compose file",
            state="no host was contacted; nothing was changed",
            next_step="install Docker's client and Compose; no engine is needed for that",
        )
    folder = os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")
    return subprocess.Popen(
        [program, *argv],
        env={"DOCKER_CONFIG": folder},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )


def _finished(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    try:
        out, err = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise PreconditionError(
            f"docker compose did not answer within {TIMEOUT:.0f} s on this machine",
            state="no host was contacted; nothing was changed",
            next_step="try it by hand: docker compose config",
        ) from None
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def _private(path: Path, text: str) -> Path:
    """Write a file that only its owner may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(text)
    return path


def _without_env_files(declared: Declared) -> str:
    """A compose file that takes `env_file` out of every service, before Compose looks for it."""
    from json import dumps

    lines = [f"  {dumps(name)}: {{env_file: !reset null}}\n" for name in sorted(declared.names)]
    return "services:\n" + "".join(lines) if lines else "services: {}\n"


def _refusal(compose_file: Path, stderr: str, redactor: Redactor) -> Problem:
    """What Compose said last, without the paths of this machine and without secrets."""
    words = [line for line in stderr.strip().splitlines() if not line.startswith("time=")]
    text = redactor.redact(" ".join(words) or "Compose refuses the file and does not say why")
    text = text.replace(f"{compose_file.parent}{os.sep}", "")
    line = re.search(r"\bline (\d+)", text)
    path = re.search(r"\b((?:services|networks|volumes|secrets|configs)[.\[][^\s:'\"]+)", text)
    return Problem(
        _shown(compose_file),
        path[1] if path else "compose",
        text.removeprefix("validating ").removeprefix(f"{compose_file.name}: "),
        int(line[1]) if line else None,
    )


def _problems(
    compose_file: Path, project: Mapping[str, Any], declared: Declared, stderr: str
) -> Iterator[Problem]:
    """What Compose accepts and a deploy must not: blanks for variables, services unseen here."""
    file = _shown(compose_file)
    if not project.get("services"):
        yield Problem(file, "services", "no service is declared, or all are in profiles left out")
    give = "give it in .env or .env.<environment>, or write a default: ${%s:-…}"
    for name in dict.fromkeys(_UNSET.findall(stderr)):
        yield Problem(file, f"${{{name}}}", f"is set nowhere and would be empty; {give % name}")
    for service, body in sorted(project.get("services", {}).items()):
        if service not in declared.names:
            message = "comes from a file that cannot be read here; include it as a local file"
            yield Problem(file, f"services.{service}", message)
        for name, value in sorted((body.get("environment") or {}).items()):
            if value is None:
                message = f"has no value and is set nowhere; {give % name}"
                yield Problem(file, f"services.{service}.environment.{name}", message)


def _marked(project: dict[str, Any], declared: Declared) -> dict[str, Any]:
    """The project with env_file's marks, and without the names that only PROJECT gave."""
    for name in declared.with_env_file & project.get("services", {}).keys():
        project["services"][name][MARK] = True
    for section in ("networks", "volumes", "secrets", "configs"):
        for key, body in (project.get(section) or {}).items():
            if body and body.get("name") == f"{PROJECT}_{key}":
                del body["name"]
    return project


def _shown(file: Path) -> str:
    """The file as a person at the prompt would name it."""
    relative = os.path.relpath(file)
    return str(file) if relative.startswith("..") else relative
