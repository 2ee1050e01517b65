"""The builder: whether it can do what will be asked of it, known before anything is built."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fairlead.commands import buildx
from fairlead.errors import PreconditionError
from fairlead.images.recipe import Buildable
from fairlead.model import Command
from fairlead.transport.local import run_local

TIMEOUT = 60.0
STATE = "nothing was built"


@dataclass(frozen=True)
class Able:
    """A builder that answers. driver: docker, docker-container, …; platforms: those it runs."""

    builder: buildx.Builder
    driver: str
    platforms: tuple[str, ...]

    @property
    def native(self) -> str:
        return self.platforms[0] if self.platforms else "linux/amd64"

    def require(self, wanted: Iterable[Buildable]) -> None:
        """Raise PreconditionError for a platform that it cannot build, with ways to get it."""
        for one in wanted:
            lacking = [
                platform
                for platform in one.platforms
                if _plain(platform) not in self.platforms and not one.cross
            ]
            if lacking:
                raise _lacks(self, one, lacking)


def find_builder(name: str) -> Able:
    """The builder of that name; the one in use for an empty one.

    Raises PreconditionError: no docker, no buildx, no such builder, or one that cannot write OCI
    layouts (the engine's own one without the containerd image store).
    """
    builder = buildx.Builder(name, bool(name) and _is_context(name))
    said = run_local(Command(buildx.inspect(builder), timeout=TIMEOUT))
    if not said.ok:
        raise _unusable(name, said.err, said.missing)
    driver = _field("Driver", said.out)
    if driver == "docker" and not _has_image_store(builder):
        raise PreconditionError(
            f"the builder `{_field('Name', said.out)}` is the engine's own, without the containerd "
            "image store: it can build neither several platforms nor provenance",
            state=STATE,
            next_step='docker buildx create --use, or set "features": {"containerd-snapshotter": '
            "true} in /etc/docker/daemon.json (Docker 24 and newer) and restart it; "
            "[build] builder names another builder",
            docs="how-to/build-and-push.md#the-builder",
        )
    return Able(builder, driver, platforms_of(said.out))


def platforms_of(text: str) -> tuple[str, ...]:
    """What the nodes of a builder run, all together, as `docker buildx inspect` tells it.

    The first node's own platform is the first.
    """
    lines = re.findall(r"^Platforms: *(.*)$", text, re.M)
    listed = (part.strip().rstrip("*") for line in lines for part in line.split(","))
    return tuple(dict.fromkeys(_plain(part) for part in listed if part))


def _plain(platform: str) -> str:
    """arm64 has one variant, which some write and some do not."""
    return platform.removesuffix("/v8") if platform.endswith("arm64/v8") else platform


def _is_context(name: str) -> bool:
    listed = run_local(Command(("docker", "context", "ls", "--format", "{{.Name}}"), timeout=10))
    return name in listed.out.split()


def _has_image_store(builder: buildx.Builder) -> bool:
    context = ("--context", builder.name) if builder.is_context else ()
    format_ = "{{json .DriverStatus}}"
    said = run_local(Command(("docker", *context, "info", "--format", format_), timeout=TIMEOUT))
    return "containerd.snapshotter" in said.out


def _field(name: str, text: str) -> str:
    found = re.search(rf"^{name}: *(.*)$", text, re.M)
    return found[1].strip() if found else ""


def _unusable(name: str, err: str, missing: bool) -> PreconditionError:
    words = err.strip().splitlines()[-3:]
    if missing or "is not a docker command" in err:
        return PreconditionError(
            "this machine has no `docker buildx`, which builds images",
            state=STATE,
            next_step="apt-get install docker-buildx-plugin (Debian: docker-buildx)",
        )
    return PreconditionError(
        f"the builder {f'`{name}`' if name else 'in use'} does not answer",
        why=words,
        state=STATE,
        next_step="docker buildx ls shows the builders; [build] builder names one",
    )


def _lacks(able: Able, one: Buildable, lacking: list[str]) -> PreconditionError:
    has = ", ".join(able.platforms) or "unknown"
    return PreconditionError(
        f"the builder cannot run {', '.join(lacking)}, which {one.name} is to be built for",
        why=[f"it runs: {has}"],
        state=STATE,
        next_step="install emulators (apt-get install qemu-user-static binfmt-support), or add a "
        "machine of that kind (docker buildx create --append ssh://…), or, if the Dockerfile runs "
        f"nothing of that platform, set [build.services.{one.name}] cross = true",
        docs="how-to/build-and-push.md#other-platforms",
    )
