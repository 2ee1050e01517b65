"""`host.setup`: what makes a fresh server ready for deploys, done once and idempotent."""

import base64
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fairlead.commands import setup as phrases
from fairlead.commands.script import script
from fairlead.config import Environment
from fairlead.engines.compose.layout import ROUTER_DIRECTORY, Layout
from fairlead.errors import FairleadError, HostError, UsageError
from fairlead.events import (
    HostFinished,
    HostProgress,
    Listener,
    PhaseFinished,
    PhaseStarted,
)
from fairlead.model import Command, Host, Result, Step
from fairlead.rollout.doctor_host import last_words
from fairlead.rollout.preconditions import COMPOSE_NEEDED
from fairlead.rollout.session import connect
from fairlead.transport.fanout import fan_out

STEP = "setup"
PUBLIC_KEY = re.compile(r"(ssh-|ecdsa-|sk-)[\w@.-]+ [A-Za-z0-9+/]+={0,2}( .*)?")
OWN, SHARED = "2750", "2770"  # setgid: what is written there belongs to the group docker


@dataclass(frozen=True)
class PublicKey:
    """A line for authorized_keys, and how people are told of it."""

    line: str
    name: str


@dataclass(frozen=True)
class Deed:
    """Something that is right on a host now: `changed`, or so already."""

    changed: bool
    what: str


@dataclass(frozen=True)
class Outcome:
    """What came of one host; with an error, what was done before it."""

    deeds: tuple[Deed, ...]
    error: FairleadError | None = None


def public_key(environment: Environment, given: str) -> PublicKey:
    """The key that may log in: the file `given`, else that of [ssh] key, else ~/.ssh/id_ed25519.

    Raises UsageError when it cannot be read, or is not one public key.
    """
    path = Path(given or f"{environment.ssh.key or '~/.ssh/id_ed25519'}.pub").expanduser()
    advice = "name a public key with --key-file, or make one: ssh-keygen -t ed25519"
    nothing = "no host was contacted; nothing was changed"
    try:
        lines = path.read_text("utf-8").strip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise UsageError(
            f"the public key {path} cannot be read: {why}", state=nothing, next_step=advice
        ) from error
    if len(lines) != 1 or not PUBLIC_KEY.fullmatch(lines[0]):
        raise UsageError(f"{path} is not one public key", state=nothing, next_step=advice)
    return PublicKey(lines[0], _name(lines[0]))


def _name(line: str) -> str:
    """As `ssh-keygen -l` shows it: the digest of the key, and its comment."""
    _, blob, *comment = line.split(" ", 2)
    try:
        digest = hashlib.sha256(base64.b64decode(blob)).digest()
    except ValueError:
        digest = b""
    shown = base64.b64encode(digest).decode().rstrip("=")
    return " ".join([f"SHA256:{shown}", *(f"({text})" for text in comment)])


def plan(environment: Environment, key: PublicKey, docker_repository: str = "") -> tuple[Step, ...]:
    """Every step on every host, in the order in which one script carries them out."""

    def step(title: str, words: Callable[[Host], tuple[Command, ...]]) -> Step:
        return Step(STEP, title, {host.name: words(host) for host in environment.hosts})

    compose = ".".join(map(str, COMPOSE_NEEDED))
    shared = ROUTER_DIRECTORY.rpartition("/")[0]
    return (
        step(
            f"install Docker and Compose {compose}",
            lambda host: (phrases.docker(compose, docker_repository),),
        ),
        step("start Docker, now and at boot", lambda host: (phrases.service(),)),
        step("a user for deploys, in the group docker", lambda host: (phrases.user(host.user),)),
        step(f"let {key.name} log in", lambda host: (phrases.key(host.user, key.line, key.name),)),
        step(
            "the directories of this environment, and of the router",
            lambda host: (
                phrases.directory(environment.directory, host.user, OWN),
                phrases.directory(shared, host.user, SHARED),
            ),
        ),
        step("see that this user may use Docker", lambda host: (phrases.proof(host.user),)),
    )


def set_up(
    environment: Environment, user: str, steps: tuple[Step, ...], listen: Listener
) -> Mapping[str, Outcome]:
    """Carry the steps out as `user` on all hosts at once. No host's failure stops another."""
    hosts = {host.name: host for host in environment.hosts}
    started = time.monotonic()
    listen(PhaseStarted(STEP, f"set up, as {user}", tuple(hosts)))
    answers = fan_out(hosts, lambda name: _one(environment, hosts[name], user, steps, listen))
    outcomes = {name: _outcome(answer) for name, answer in answers.items()}
    ok = not any(outcome.error for outcome in outcomes.values())
    listen(PhaseFinished(STEP, ok, time.monotonic() - started))
    return outcomes


def _one(
    environment: Environment, host: Host, user: str, steps: tuple[Step, ...], listen: Listener
) -> Outcome:
    words = tuple(command for step in steps for command in step.commands[host.name])
    whole = script(words, Layout.of(environment).variables)
    if user != "root":
        whole = replace(whole, argv=("sudo", "-n", *whole.argv))
    transport = connect(environment, replace(host, user=user))
    started = time.monotonic()
    ok = False
    try:
        result = transport.run(whole, lambda line: _tell(line, host.name, listen))
        ok = result.ok
        return Outcome(_deeds(result.out), None if ok else _failure(host, user, result))
    finally:
        transport.close()
        listen(HostFinished(STEP, host.name, ok, time.monotonic() - started))


def one_error(outcomes: Mapping[str, Outcome]) -> FairleadError | None:
    """What went wrong, over all hosts; None when nothing did."""
    errors = [outcome.error for outcome in outcomes.values() if outcome.error]
    if len(errors) < 2:
        return errors[0] if errors else None
    return FairleadError(
        f"{len(errors)} of {len(outcomes)} hosts are not ready",
        why=[line for error in errors for line in (error.what, f"  next: {error.next_step}")],
        state="what was done stays; a repeat goes on from there",
        next_step="fix these, then repeat the command",
    )


def _tell(line: str, host: str, listen: Listener) -> None:
    if line.startswith("@setup "):
        _, kind, what = line.split(" ", 2)
        text = what if kind == "now" else f"{what}{' already' if kind == 'had' else ''}"
        listen(HostProgress(STEP, host, text, 0, 0))


def _deeds(output: str) -> tuple[Deed, ...]:
    found = re.findall(r"^@setup (did|had) (.*)$", output, re.M)
    return tuple(Deed(kind == "did", what) for kind, what in found)


def _failure(host: Host, user: str, result: Result) -> HostError:
    last, before = last_words(result), result.err.strip().splitlines()[:-1]
    if "sudo:" in last:
        return HostError(
            host.name,
            f"user {user} may not become root there: {last}",
            state="nothing was changed",
            next_step="log in as root (--user=root), or let that user run sudo without a password",
        )
    return HostError(
        host.name,
        last,
        why=before[-8:],
        state="what was done before that stays; a repeat goes on from there",
        next_step="fix that, then repeat the command",
    )


def _outcome(outcome: Outcome | Exception) -> Outcome:
    if isinstance(outcome, Outcome):
        return outcome
    if not isinstance(outcome, FairleadError):
        raise outcome
    if "was refused by sshd" in outcome.what:
        outcome.next_step = (
            "log in as another with --user: root, or one who may use sudo without a password; "
            f"{outcome.next_step.split(';')[0]}"
        )
    return Outcome((), outcome)
