"""What no single key can show: whether the keys of a document agree with each other.

Each check takes the document and yields (path, message, suggestion); `CHECKS` lists them.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from fairlead.config.document import Document
from fairlead.config.loader import nearest
from fairlead.config.service import Service
from fairlead.config.toml_lines import KeyPath

Fault = tuple[KeyPath, str, str]
Check = Callable[[Document], Iterator[Fault]]


def hosts_are_declared(document: Document) -> Iterator[Fault]:
    if not document.hosts:
        message = "is required: at least one [hosts.<name>] table with an `address`"
        yield ("hosts",), message, ""


def hosts_are_different(document: Document) -> Iterator[Fault]:
    seen: dict[tuple[str, int], str] = {}
    for host in document.hosts.values():
        place = (host.address, host.port or document.ssh.port)
        if host.address and place in seen:
            message = f"is the same machine as hosts.{seen[place]} (address and port)"
            yield ("hosts", host.name, "address"), message, ""
        seen.setdefault(place, host.name)


def roles_exist(document: Document) -> Iterator[Fault]:
    known = tuple(dict.fromkeys(role for host in document.hosts.values() for role in host.roles))
    for service in document.services.values():
        for index, role in enumerate(service.roles):
            if document.hosts and role not in known:
                meant = nearest(role, known)
                has = "" if meant else f"; roles of the hosts: {', '.join(known) or 'none'}"
                path = ("services", service.name, "roles", index)
                yield path, f'no host has the role "{role}"{has}', meant


def stateful_services_are_single(document: Document) -> Iterator[Fault]:
    for service in document.services.values():
        if not service.stateful:
            continue
        path: KeyPath = ("services", service.name)
        reached = _reached(document, service)
        if len(reached) > 1:
            message = f"is stateful and so runs on exactly one host, not on {', '.join(reached)}"
            yield (*path, "roles"), f"{message}; name a role that one host has", ""
        if service.routes:
            yield (*path, "routes"), "a stateful service has no slots, so it cannot be routed", ""
        if (service.replicas or 1) > 1:
            yield (*path, "replicas"), "a stateful service is never doubled; it has one replica", ""


def routed_services_have_a_port(document: Document) -> Iterator[Fault]:
    for service in document.services.values():
        if service.routes and service.port is None:
            message = "is required, since the service has routes: the container's port"
            yield ("services", service.name, "port"), message, ""


def routes_are_unique(document: Document) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for service in document.services.values():
        for index, route in enumerate(service.routes):
            if str(route) in seen:
                message = f'"{route}" is a route of services.{seen[str(route)]} already'
                yield ("services", service.name, "routes", index), message, ""
            seen.setdefault(str(route), service.name)


def migration_has_its_service(document: Document) -> Iterator[Fault]:
    migrate = document.migrate
    if migrate and migrate.service and migrate.service not in document.services:
        known = ", ".join(document.services) or "none"
        message = f"no such service; [services.<name>] declared: {known}"
        yield ("migrate", "service"), message, nearest(migrate.service, document.services)


NEEDED = {
    "postgres": ("database",),
    "volume": ("volume",),
    "command": ("dump", "restore"),
}
"""What a kind of data cannot do without."""


def backup_data_are_complete(document: Document) -> Iterator[Fault]:
    counts = Counter(one.name for one in document.backup.data)
    for index, one in enumerate(document.backup.data):
        path: KeyPath = ("backup", "data", index)
        if counts[one.name] > 1 and one.name:
            yield (*path, "name"), f'"{one.name}" names more than one', ""
        for key in NEEDED.get(one.kind, ()):
            if not getattr(one, key):
                yield (*path, key), f'is required by kind "{one.kind}"', ""


def backup_data_have_their_service(document: Document) -> Iterator[Fault]:
    for index, one in enumerate(document.backup.data):
        path: KeyPath = ("backup", "data", index, "service")
        service = document.services.get(one.service)
        if service is None:
            known = ", ".join(document.services) or "none"
            message = f"no such service; [services.<name>] declared: {known}"
            yield path, message, nearest(one.service, document.services)
        elif not service.stateful and one.kind != "volume":
            yield path, f"{one.service} is not stateful, so it has no data of its own", ""
        elif len(_reached(document, service)) > 1:
            yield path, f"{one.service} runs on several hosts; data have to be on one", ""


def router_can_listen(document: Document) -> Iterator[Fault]:
    router = document.router
    if router.http_port == router.https_port:
        yield ("router", "https_port"), "is the http_port already", ""
    if router.redirect_http and not (router.certificate or router.trusted_proxies):
        message = "redirects to https, which needs `certificate`, or `trusted_proxies` that end TLS"
        yield ("router", "redirect_http"), message, ""


def smoke_checks_are_named_apart(document: Document) -> Iterator[Fault]:
    counts = Counter(check.name for check in document.smoke)
    for index, check in enumerate(document.smoke):
        path: KeyPath = ("smoke", index, "name")
        if counts[check.name] > 1 and check.name:
            yield path, f'"{check.name}" names more than one smoke check', ""
        if check.name and not check.name.isprintable():
            yield path, "must be printable text on one line", ""


def smoke_checks_make_sense(document: Document) -> Iterator[Fault]:
    for index, check in enumerate(document.smoke):
        path: KeyPath = ("smoke", index)
        if check.method == "HEAD" and (check.contains or check.json):
            yield (*path, "method"), "an answer to HEAD has no body to look into", ""
        if check.tls_days and check.from_ == ("host",):
            yield (*path, "tls_days"), 'is looked at from here: `from` has to name "client"', ""
        elif check.tls_days and not document.url.startswith("https://"):
            yield (*path, "tls_days"), "needs an https `url`", ""
        if not check.from_:
            yield (*path, "from"), 'must name "client", "host" or both', ""


def _reached(document: Document, service: Service) -> list[str]:
    return [
        host.name
        for host in document.hosts.values()
        if not service.roles or set(service.roles) & set(host.roles)
    ]


CHECKS: tuple[Check, ...] = (
    hosts_are_declared,
    hosts_are_different,
    roles_exist,
    stateful_services_are_single,
    routed_services_have_a_port,
    routes_are_unique,
    migration_has_its_service,
    backup_data_are_complete,
    backup_data_have_their_service,
    router_can_listen,
    smoke_checks_are_named_apart,
    smoke_checks_make_sense,
)
