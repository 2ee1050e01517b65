"""`[build]`: how images are made, and what one must do before it may be pushed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from fairlead.config.kinds import (
    Count,
    Port,
    PositiveDuration,
    Repository,
    ServiceName,
    UrlPath,
    matching,
)
from fairlead.config.source import TreeGlob, TreePath
from fairlead.config.statuses import ANY_2XX, StatusesText

Cache = Literal["local", "inline", "registry", "gha"]
Proof = Literal["smoke", "scan"]
Platform = Annotated[
    str,
    matching(r"[a-z0-9]+/[a-z0-9_]+(/v[0-9]+)?", 'must be a platform such as "linux/amd64"'),
]
BuilderName = Annotated[
    str,
    matching(r"|[A-Za-z0-9][A-Za-z0-9_.-]*", "must be a buildx builder's or Docker context's name"),
]
SecretSource = Annotated[
    str,
    matching(
        r"env:[A-Za-z_][A-Za-z0-9_]*|file:[^-,\s][^,\n]*",
        'must say where the secret is: "env:NAME" or "file:path"',
    ),
]

TESTS = ("**/tests/**", "**/test_*.py", "**/*_test.py", "**/conftest.py")


@dataclass(frozen=True)
class ImageCheck:
    """One request to a container of the new image. contains: text that the body holds."""

    path: UrlPath
    status: StatusesText = ANY_2XX
    contains: str = ""


@dataclass(frozen=True, kw_only=True)
class ImageSmoke:
    """How an image is tried before it is pushed: started here, asked, stopped.

    port: the container's; none: [services.<name>] says. path: asked until it answers well; empty:
    [services.<name>.health], or the image's HEALTHCHECK. variables: the container's environment.
    stays_up: s that one which is asked nothing has to run. timeout: s to become ready.
    """

    skip: bool = False
    port: Port | None = None
    path: Annotated[str, matching(r"|/\S*", 'must be a path such as "/health"')] = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    checks: tuple[ImageCheck, ...] = ()
    stays_up: PositiveDuration = 3.0
    timeout: PositiveDuration = 60.0


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What the compose file's `build` or the service's source leaves open, or says otherwise.

    secrets: id → "env:NAME" or "file:path". cross: the Dockerfile runs nothing of the target
    platform, so no emulator is needed for it. generated: files or folders of the context that git
    ignores and the image needs.
    """

    name: ServiceName = field(metadata={"from_key": True})
    image: Repository = ""
    context: TreePath | None = None
    dockerfile: TreePath | None = None
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, SecretSource] = field(default_factory=dict)
    platforms: tuple[Platform, ...] = ()
    cross: bool = False
    generated: tuple[TreePath, ...] = ()
    smoke: ImageSmoke = field(default_factory=ImageSmoke)


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """The packaged artifact. requirements: a file of pins; empty: what the lock file exports."""

    requirements: TreePath | None = None
    exclude: tuple[TreeGlob, ...] = TESTS


@dataclass(frozen=True, kw_only=True)
class Build:
    """builder: a buildx builder or a Docker context; empty: the one in use. parallel: builds at a
    time. timeout: s for one build. keep: commits whose images stay in .fairlead. require: what an
    image must have passed to be pushed; one that was not run is none.
    """

    builder: BuilderName = ""
    main_branch: str = "main"
    platforms: tuple[Platform, ...] = ()
    caches: tuple[Cache, ...] = ()
    parallel: Count = 2
    timeout: PositiveDuration = 1800.0
    keep: Count = 3
    require: tuple[Proof, ...] = ("smoke",)
    artifact: Artifact = field(default_factory=Artifact)
    services: Mapping[str, Recipe] = field(default_factory=dict)
