"""How an image is written: `[server/]repository[:tag][@digest]`, as Docker reads it."""

import re
from dataclasses import dataclass

DOCKER_HUB = "docker.io"


@dataclass(frozen=True)
class Reference:
    """server and repository as they are addressed; exactly one of tag and digest decides."""

    server: str
    repository: str
    tag: str
    digest: str = ""

    @property
    def name(self) -> str:
        """What `docker pull` takes before `:tag` or `@digest`."""
        return f"{self.server}/{self.repository}"

    @property
    def over_ssh(self) -> bool:
        """Whether hosts get it by `push --via-ssh`: the server is a port of their own."""
        return self.server.startswith("localhost:")

    def __str__(self) -> str:
        return f"{self.name}@{self.digest}" if self.digest else f"{self.name}:{self.tag}"


def parse(text: str) -> Reference:
    """Read an image reference; no server means Docker Hub, no tag means `latest`.

    The first part is a server when it has a dot or a colon or is `localhost`
    (github.com/distribution/reference, "familiar names").
    """
    rest, _, digest = text.partition("@")
    first, slash, remainder = rest.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        server, rest = first, remainder
    else:
        server = DOCKER_HUB
        rest = rest if slash else f"library/{rest}"
    found = re.fullmatch(r"(?P<repository>.+?)(:(?P<tag>[\w][\w.-]{0,127}))?", rest)
    repository = found["repository"] if found else rest
    tag = (found["tag"] if found else None) or "latest"
    return Reference(server, repository, tag, digest)
