"""Phrases of BuildKit's client, `docker buildx`. Nothing here runs anything."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Builder:
    """How a builder is named on a command line: a buildx builder, or a Docker context."""

    name: str = ""
    is_context: bool = False

    def docker(self, *words: str) -> tuple[str, ...]:
        context = ("--context", self.name) if self.is_context and self.name else ()
        return ("docker", *context, "buildx", *words)

    @property
    def flags(self) -> tuple[str, ...]:
        return ("--builder", self.name) if self.name and not self.is_context else ()


@dataclass(frozen=True, kw_only=True)
class Request:
    """One build: paths are absolute, secrets are what follows `--secret`, without the values."""

    context: str
    dockerfile: str
    layout: str
    metadata: str
    target: str = ""
    platforms: tuple[str, ...] = ()
    args: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    epoch: int = 0


def build(builder: Builder, request: Request) -> tuple[str, ...]:
    """The build whose result is an OCI layout in a folder: index, images, provenance.

    SOURCE_DATE_EPOCH dates all that is in the image, rewrite-timestamp the files in its layers;
    so two builds of a commit give one digest (docs.docker.com/build/ci/github-actions/
    reproducible-builds).
    """
    output = f"type=oci,tar=false,rewrite-timestamp=true,dest={request.layout}"
    return builder.docker(
        "build",
        *builder.flags,
        *("--progress", "plain", "--provenance", "mode=max", "--sbom", "false"),
        *_repeated("--platform", [",".join(request.platforms)] if request.platforms else []),
        *_repeated("--target", [request.target] if request.target else []),
        *_repeated("--build-arg", (f"{key}={value}" for key, value in request.args.items())),
        *("--build-arg", f"SOURCE_DATE_EPOCH={request.epoch}"),
        *_repeated("--secret", request.secrets),
        *_repeated("--label", (f"{key}={value}" for key, value in request.labels.items())),
        *_repeated("--cache-from", request.cache_from),
        *_repeated("--cache-to", request.cache_to),
        *("--output", output, "--metadata-file", request.metadata),
        *("--file", request.dockerfile, request.context),
    )


def inspect(builder: Builder) -> tuple[str, ...]:
    """What a builder is, and which platforms it runs; started if need be."""
    return builder.docker("inspect", "--bootstrap", *((builder.name,) if builder.name else ()))


def _repeated(flag: str, values: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for value in values for word in (flag, value))
