"""Where requests for a service come in: a Host header and a path prefix."""

import re
from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True, order=True)
class Route:
    """Requests for `host` (lower case; `*` is any) whose path begins with `path`."""

    host: str
    path: str = "/"

    def __str__(self) -> str:
        return f"{self.host}{self.path}"


def parse_route(value: object) -> Route:
    """A route from `"example.com"`, `"example.com/api"`, `"*"` or `"*/api"`."""
    must = 'must be a host with or without a path, such as "example.com", "example.com/api" or "*"'
    text = value.lower() if isinstance(value, str) else ""
    if "://" in text or re.match(r"[^/]*:\d+", text):
        raise ValueError(f"{must}; no scheme and no port")
    host, slash, _ = text.partition("/")
    path = value[len(host) :] if isinstance(value, str) and slash else "/"
    if not re.fullmatch(r"\*|[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9])?", host):
        raise ValueError(must)
    if not re.fullmatch(r"(/[A-Za-z0-9._~%-]+)*/?", path):
        raise ValueError(f"{must}; the path is of letters, digits and ._~%-")
    return Route(host, path.rstrip("/") or "/")


RouteText = Annotated[Route, parse_route]
