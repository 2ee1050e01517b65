"""An image's own smoke test: start it on this machine, wait for it, ask it, stop it."""

import http.client
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

from fairlead.config.build import ImageCheck
from fairlead.errors import FairleadError
from fairlead.images.archive import write_archive
from fairlead.images.layout import Blob, Layout
from fairlead.images.recipe import Buildable
from fairlead.model import Command
from fairlead.transport.local import Ran, run_local

PASSED = "passed"
SKIPPED = "not run: [build] says skip"
LOG_LINES = 12
POLL = 0.2


class SmokeFailed(FairleadError):
    """The image does not do what it must; it is neither recorded nor pushed."""

    kind = "smoke"


@dataclass(frozen=True)
class Loaded:
    """A build's images in this machine's engine. names: by platform. native: the one it runs.

    why: no image of a platform is there.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    native: str = ""
    why: str = ""


@contextmanager
def in_engine(layout: Layout, one: Buildable) -> Iterator[Loaded]:
    """The images as this machine's engine has them, while the block runs; then they are removed.

    All platforms: what is not run can be looked into all the same. Raises SmokeFailed when the
    engine does not take one.
    """
    engine = _docker("version", "--format", "{{.Server.Os}}/{{.Server.Arch}}")
    if not engine.ok:
        yield Loaded(why="not run: this machine has no Docker engine")
        return
    where = _docker("context", "inspect", "--format", "{{.Endpoints.docker.Host}}").out.strip()
    if not where.startswith(("unix://", "npipe://")):  # its ports are not this machine's
        yield Loaded(why=f"not run: the engine is on another machine ({where})")
        return
    native = engine.out.strip()
    names: dict[str, str] = {}
    try:
        for image in layout.images():
            name = f"fairlead-smoke/{one.name.lower()}:{image.digest[7:19]}"
            names[image.platform or native] = name
            _load(layout, image, name, one)
        yield Loaded(names, native)
    finally:
        _docker("image", "rm", "--force", *names.values())


def _load(layout: Layout, image: Blob, name: str, one: Buildable) -> None:
    with tempfile.TemporaryDirectory(prefix="fairlead-") as folder:
        archive = Path(folder, "image.tar")
        write_archive(layout, image, name, archive)
        loaded = _docker("load", "--quiet", "--input", str(archive), timeout=600)
    if not loaded.ok:
        raise _failed(one, f"this machine's engine does not take it ({image.platform})", loaded.err)


def try_image(loaded: Loaded, one: Buildable, cancel: threading.Event) -> str:
    """PASSED, of the platform that this machine runs; or why nothing was tried.

    Raises SmokeFailed with the container's last words. Setting `cancel` ends the wait for it to
    become ready; the container is removed as ever.
    """
    if one.smoke.skip:
        return SKIPPED
    if loaded.why:
        return loaded.why
    if loaded.native not in loaded.names:
        return f"not run: it is not built for this machine ({loaded.native})"
    _Trial(one, loaded.names[loaded.native], cancel).run()
    return PASSED


@dataclass
class _Trial:
    one: Buildable
    image: str
    cancel: threading.Event
    container: str = field(default_factory=lambda: f"fairlead-smoke-{token_hex(8)}")

    def run(self) -> None:
        try:
            self.start()
            self.await_ready()
            for check in self.one.smoke.checks:
                if said := self.ask(check):
                    raise self.failed(f"{check.path} {said}")
        finally:
            _docker("rm", "--force", "--volumes", self.container)

    def start(self) -> None:
        """Start it on a port that the system chooses; no variable's value is in any argv.

        A value of several lines, which an env file cannot hold, is taken from the environment of
        `docker`; the others not: one might be meant for `docker` itself, such as PATH.
        We give it its name, so that it is removed also when its start took too long to tell.
        """
        variables = self.one.smoke.variables
        long = {key: value for key, value in variables.items() if "\n" in value}
        descriptor, env_file = tempfile.mkstemp(prefix="fairlead-")  # mode 0600
        with os.fdopen(descriptor, "w") as file:
            file.writelines(f"{key}={variables[key]}\n" for key in variables if key not in long)
        port = ("--publish", f"127.0.0.1::{self.one.port}") if self.one.port else ()
        name = ("--name", self.container)
        words = (
            "run",
            "--detach",
            *name,
            "--label",
            "fairlead.smoke=1",
            "--env-file",
            env_file,
            *(word for name in long for word in ("--env", name)),
            *port,
        )
        try:
            said = _docker(*words, self.image, *self.one.smoke.command, variables=long)
        finally:
            os.unlink(env_file)
        if not said.ok:
            raise self.failed("it cannot be started", said.err)

    def await_ready(self) -> None:
        smoke = self.one.smoke
        began = time.monotonic()
        reason = "it answered nothing"
        while time.monotonic() - began < smoke.timeout:
            state = self.running()
            if self.one.port and self.one.health:
                reason = self.ask(ImageCheck(self.one.health))
            elif "Health" in state:
                reason = self.verdict(state["Health"])
            else:
                ran = time.monotonic() - began
                reason = "" if ran >= smoke.stays_up else "it has only just started"
            if not reason:
                return
            if self.cancel.wait(POLL):
                raise self.failed("it was interrupted")
        raise self.failed(f"not ready within {smoke.timeout:g} s: {reason}")

    def running(self) -> dict[str, Any]:
        """Its state; raises SmokeFailed when it has ended."""
        state = self.state()
        if not state.get("Running"):
            killed = ", killed for lack of memory" if state.get("OOMKilled") else ""
            raise self.failed(f"it ended with exit code {state.get('ExitCode')}{killed}")
        return state

    def verdict(self, health: Mapping[str, Any]) -> str:
        if health.get("Status") == "healthy":
            return ""
        last = (health.get("Log") or [{}])[-1].get("Output", "").strip()
        return f"its HEALTHCHECK says {health.get('Status')}" + (f": {last[:200]}" if last else "")

    def ask(self, check: ImageCheck) -> str:
        """What is wrong with the answer; empty when nothing is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.published(), timeout=5)
        try:
            connection.request("GET", check.path, headers={"Host": "localhost"})
            answer = connection.getresponse()
            body = answer.read(1 << 20).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            return f"gave no answer ({error or type(error).__name__})"
        finally:
            connection.close()
        if answer.status not in check.status:
            return f"answered HTTP {answer.status}: {' '.join(body.split())[:200]}"
        return f"does not say {check.contains!r}" if check.contains not in body else ""

    def published(self) -> int:
        said = _docker("port", self.container, f"{self.one.port}/tcp").out
        with suppress(ValueError, IndexError):
            return int(said.splitlines()[0].rpartition(":")[2])
        self.running()  # one that has ended since has no port either
        raise self.failed(f"port {self.one.port} is not published")

    def state(self) -> dict[str, Any]:
        said = _docker("inspect", "--format", "{{json .State}}", self.container)
        found: dict[str, Any] = json.loads(said.out) if said.ok else {}
        return found

    def failed(self, what: str, err: str = "") -> SmokeFailed:
        if not err:
            said = _docker("logs", "--tail", str(LOG_LINES), self.container)
            err = said.out + said.err
        return _failed(self.one, what, err)


def _failed(one: Buildable, what: str, log: str) -> SmokeFailed:
    return SmokeFailed(
        f"{one.name}: the image fails its smoke test: {what}",
        why=log.strip().splitlines()[-LOG_LINES:],
        state="it was built, but neither recorded nor pushed",
        next_step=f"[build.services.{one.name}.smoke] says what it is given and asked",
        docs="how-to/build-and-push.md#the-smoke-test",
    )


def _docker(*words: str, timeout: float = 60.0, variables: Mapping[str, str] | None = None) -> Ran:
    environ = {**os.environ, **(variables or {})}
    return run_local(Command(("docker", *words), timeout=timeout), environ=environ)
