"""A service of the compose file, as far as a roll-out must know it."""

from dataclasses import dataclass, field, fields
from typing import ClassVar

from fairlead.config.kinds import (
    Count,
    Name,
    Port,
    PositiveDuration,
    Repository,
    ServiceName,
    UrlPath,
)
from fairlead.config.route import RouteText
from fairlead.config.source import Source
from fairlead.config.statuses import ANY_2XX, StatusesText


@dataclass(frozen=True)
class Health:
    """The answer that says a container is ready: asked every `interval` s for `timeout` s."""

    shorthand: ClassVar[str] = "path"  # `health = "/health"` is `health = { path = "/health" }`

    path: UrlPath = "/"
    timeout: PositiveDuration = 60.0
    status: StatusesText = ANY_2XX
    interval: PositiveDuration = 2.0


@dataclass(frozen=True)
class Service(Source):
    """A compose service with its place (roles), number, image and entrance (routes).

    A table that has only keys of Source is about source alone, such as a library's: `rolled_out`
    is false, and the compose file need not know it.

    image: repository to which --tag is added; empty: the compose file's image as it stands.
    roles: the hosts that carry one of them run it; empty: every host.
    replicas: None leaves it to the compose file. port: the container's, needed by routes.
    stateful: runs once, outside the slots, and is never doubled by a deploy.
    """

    name: ServiceName = field(metadata={"from_key": True})
    image: Repository = ""
    roles: tuple[Name, ...] = ()
    replicas: Count | None = None
    port: Port | None = None
    routes: tuple[RouteText, ...] = ()
    health: Health = field(default_factory=Health)
    stateful: bool = False

    @property
    def routed(self) -> bool:
        return bool(self.routes)

    @property
    def rolled_out(self) -> bool:
        """Whether anything is said of it but where its source is."""
        return self.path is None or self != Service(self.name, **vars(self.source))

    @property
    def source(self) -> Source:
        return Source(**{one.name: getattr(self, one.name) for one in fields(Source)})
