"""Which name and which service a request to an environment is for."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from fairlead.config import Environment


def host_name(environment: Environment) -> str:
    """The Host header that checks send: the url's name, else the first route's."""
    named = urlsplit(environment.url).hostname or ""
    routes = [route.host for service in environment.routed for route in service.routes]
    if named and (named in routes or "*" in routes):
        return named
    return next((host for host in routes if host != "*"), named or "localhost")


def host_header(environment: Environment, url: str) -> str:
    """The Host header of a request to `url`: its own name; for an IP address, which no route is
    called like, the name that checks send (as with `curl -H Host:`). Empty: the client's own."""
    try:
        ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return ""
    routes = [route.host for service in environment.routed for route in service.routes]
    return "" if "*" in routes or not routes else host_name(environment)


def entrance(environment: Environment) -> str:
    """Where a host's router is asked: `https` when visitors come over TLS, else its HTTP port."""
    router = environment.router
    ended = bool(router.certificate or router.trusted_proxies)  # here, or before it
    secure = ended and environment.url.startswith("https://")
    return "https" if secure or router.redirect_http else str(router.http_port)


def service_for(environment: Environment, path: str) -> str | None:
    """The routed service that a path of the environment's own address leads to."""
    address = host_name(environment)
    wanted = path.split("?")[0].rstrip("/") + "/"
    matching = [
        (len(route.path), service.name)
        for service in environment.routed
        for route in service.routes
        if route.host in (address, "*") and wanted.startswith(route.path.rstrip("/") + "/")
    ]
    return max(matching)[1] if matching else None
