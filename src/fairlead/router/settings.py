"""What the router has to know of an application: values only."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RoutedService:
    """One service that takes traffic, the same in both slots.

    port: the container's. servers: the most replicas a slot may ever have on a host.
    routes: `host` or `host/path` prefixes, `*` for any host. health_interval: seconds between two
    checks of a healthy server; one that changes is asked every 200 ms. health_status: as HAProxy's
    `http-check expect status` takes it, e.g. `200-299` or `200,204`.
    """

    name: str
    port: int
    servers: int
    health_path: str
    health_interval: float
    routes: tuple[str, ...]
    health_status: str = "200-299"


@dataclass(frozen=True)
class RoutedApplication:
    """One application in one environment: `key` is `<app>-<env>`.

    https_redirect: the port a visitor's https goes to (usually 443); None leaves plain http alone.
    trusted_proxies: networks whose X-Forwarded-Proto and X-Forwarded-For are taken for true.
    """

    key: str
    services: tuple[RoutedService, ...]
    https_redirect: int | None = None
    trusted_proxies: tuple[str, ...] = ()
