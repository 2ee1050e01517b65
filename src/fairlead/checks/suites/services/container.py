"""A service in a container of this machine's engine, on a free port of the loopback."""

import os
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from fairlead.checks.suites.services import claim
from fairlead.checks.suites.services.ready import answers, answers_200, wait_until
from fairlead.checks.suites.services.recipe import LOOPBACK, Address, Recipe, Unavailable
from fairlead.model import Command
from fairlead.transport.local import Ran, run_local

PULL = 600.0  # s an image may take
LABEL = "fairlead.test"
REMOVE = ("rm", "--force", "--volumes")


@contextmanager
def container(recipe: Recipe, cancel: threading.Event) -> Iterator[Address]:
    """The service, ready; removed at the end whatever happened, with its volumes.

    What killed clients left is removed before. Raises Unavailable where no engine answers, the
    image cannot be had, or it does not get ready.
    """
    _image(recipe, cancel)
    _remove_abandoned()
    name = f"fairlead-test-{recipe.name}-{secrets.token_hex(4)}"
    with claim.claim() as owner, _removed(name):
        _docker(*_run(recipe, name, owner), env=recipe.env, cancel=cancel)
        port = _port(name, recipe)
        wait_until(
            lambda: _ready(name, port, recipe),
            seconds=recipe.timeout,
            alive=lambda: _gone(name),
            cancel=cancel,
        )
        yield Address(LOOPBACK, port, "container")


@contextmanager
def _removed(name: str) -> Iterator[None]:
    """The container is gone at the end of the block."""
    try:
        yield
    finally:
        _docker(*REMOVE, name, fails=True)


def _remove_abandoned() -> None:
    """Remove what clients left that were killed before they could do it themselves."""
    shown = f'{{{{.ID}}}} {{{{.Label "{claim.LABEL}"}}}}'
    all_claimed = ("ps", "--all", "--filter", f"label={claim.LABEL}", "--format", shown)
    for line in _docker(*all_claimed, fails=True).out.splitlines():
        container_id, _, owner = line.partition(" ")
        if claim.abandoned(owner) and _docker(*REMOVE, container_id, fails=True).ok:
            claim.forget(owner)


def _image(recipe: Recipe, cancel: threading.Event) -> None:
    """Have the image here. Raises Unavailable."""
    engine = _docker("version", "--format", "{{.Server.Version}}", fails=True, cancel=cancel)
    if engine.missing:
        raise Unavailable("docker is not installed")
    if not engine.ok:
        raise Unavailable(f"no engine answers: {_last_line(engine)}")
    if not _docker("image", "inspect", recipe.image, fails=True, cancel=cancel).ok:
        _docker("pull", "--quiet", recipe.image, timeout=PULL, cancel=cancel)


def _run(recipe: Recipe, name: str, owner: str) -> tuple[str, ...]:
    """The values of its environment come from the client's: they are in no argv."""
    env = (word for key in recipe.env for word in ("--env", key))
    publish = ("--publish", f"{LOOPBACK}::{recipe.port}")
    labels = ("--label", f"{LABEL}={recipe.name}", "--label", f"{claim.LABEL}={owner}")
    named = ("--name", name, *labels)
    start = ("run", "--detach", "--rm", "--init", *named, *publish, *env)
    return (*start, recipe.image, *recipe.command)


def _port(name: str, recipe: Recipe) -> int:
    told = _docker("port", name, f"{recipe.port}/tcp", fails=True).out.split()
    if not told:
        raise Unavailable(f"{recipe.image} ended at once")
    return int(told[0].rpartition(":")[2])


def _ready(name: str, port: int, recipe: Recipe) -> bool:
    if not recipe.ready:
        return answers(port)
    if recipe.ready[0].startswith("/"):
        return answers_200(port, recipe.ready[0])
    return _docker("exec", name, *recipe.ready, fails=True).ok


def _gone(name: str) -> str:
    state = _docker("inspect", "--format", "{{.State.Running}}", name, fails=True)
    return "" if state.out.strip() == "true" else "its container ended before it was ready"


def _docker(
    *words: str,
    env: Mapping[str, str] | None = None,
    fails: bool = False,
    timeout: float = 60.0,
    cancel: threading.Event | None = None,
) -> Ran:
    """Ask the engine. A failure raises Unavailable with its last line, unless it `fails` anyway."""
    environ = {**os.environ, **(env or {})}
    ran = run_local(Command(("docker", *words), timeout=timeout), environ=environ, cancel=cancel)
    if not ran.ok and not fails:
        raise Unavailable(f"docker {words[0]}: {_last_line(ran)}")
    return ran


def _last_line(ran: Ran) -> str:
    if ran.stopped:
        return ran.stopped
    said = (ran.err.strip() or ran.out.strip()).splitlines()
    return said[-1] if said else f"exit {ran.code}"
