"""The router's configuration, rendered for HAProxy 3.0: pure functions from values to text.

The container sees the host's router directory as `/fairlead`. Which slot serves an application is
an entry of a map, looked up per request, so that one entry switches all its services at once.
Options: https://docs.haproxy.org/3.0/configuration.html
"""

from fairlead.router.settings import RoutedApplication, RoutedService

# ${FAIRLEAD} is /fairlead where it runs, and /fairlead/next where a change is tried first.
_BASE = """\
# Written by Fairlead: the part all applications of this host share.
global
    log stdout format raw daemon err
    fd-hard-limit 50000
    # A reload leaves the old process to its open connections, for as long as a tunnel may live.
    hard-stop-after 1h
    stats socket /fairlead/run/admin.sock mode 660 level admin
    # A new process asks all its servers soon, not over a whole interval.
    max-spread-checks 200ms
    # Exists only while a reload is under way: see fl_router_reload.
    server-state-file /state/servers

defaults
    mode http
    log global
    # Neither query strings nor headers other than Host: they may hold secrets.
    log-format "%ci %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %ts %rc %HM %[var(txn.host)]%HPO"
    option dontlog-normal
    option log-separate-errors
    option redispatch 1
    # A kept server connection may be closed by the container while a request is under way on it,
    # and a POST cannot be sent twice. So every request gets a connection of its own.
    option http-server-close
    # Clients' idle connections survive a reload until their next request.
    option idle-close-on-response
    retries 3
    timeout connect 1s
    timeout check 2s
    timeout http-request 10s
    timeout http-keep-alive 75s
    timeout queue 10s
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
    timeout client-fin 30s
    load-server-state-from-file global
    http-error status 503 content-type text/plain string "No healthy server at the moment.\\n"

# Docker's own name server. A name it does not know is gone at once; while Docker itself is away
# (no answer, or refused) the last known addresses stay.
resolvers docker
    nameserver docker 127.0.0.11:53
    accepted_payload_size 8192
    resolve_retries 2
    timeout resolve 200ms
    timeout retry 200ms
    hold valid 200ms
    hold nx 200ms
    hold other 200ms
    hold obsolete 0s
    hold refused 1h
    hold timeout 1h

frontend public
    bind :8080
    bind :8443 ssl crt "${FAIRLEAD}/certificates/" alpn h2,http/1.1
    bind unix@/fairlead/run/relay.sock mode 660 accept-proxy name relay
    # Published nowhere: checks of this host, which need not speak TLS, count as come over it here.
    bind :8081 name checks

    # What a proxy in front says. Each application has its own that it trusts: slot_config.
    http-request set-var(txn.proto) req.hdr(X-Forwarded-Proto),lower unless { so_name relay }
    http-request set-var(txn.proto) req.hdr(X-Fairlead-Proto) if { so_name relay }
    http-request del-header X-Fairlead-Proto
    http-request set-header X-Forwarded-Proto http unless { so_name relay }
    http-request set-header X-Forwarded-Proto https if { ssl_fc } || { so_name checks }
    http-request add-header X-Forwarded-For %[src] unless { so_name relay }

    http-request set-var(txn.host) req.hdr(host),host_only,rtrim(.),lower
    http-request set-var-fmt(txn.place) %[var(txn.host)]%[path]/
    http-request set-var(txn.route) "var(txn.place),map_beg(${FAIRLEAD}/maps/routes.map)"
    http-request set-var-fmt(txn.place) *%[path]/ unless { var(txn.route) -m found }
    http-request set-var(txn.route) "var(txn.place),map_beg(${FAIRLEAD}/maps/routes.map)" \
unless { var(txn.route) -m found }
    http-request return status 404 content-type text/plain \
string "No application is routed for this host and path.\\n" \
unless { stopping } || { var(txn.route) -m found }

    # live.map: `blue`, or `blue:green:3333` for 3333 of 10000 requests to green.
    http-request set-var(txn.key) var(txn.route),field(1,/)
    http-request set-var(txn.service) var(txn.route),field(2,/)
    http-request set-var(txn.live) "var(txn.key),map(${FAIRLEAD}/maps/live.map)"
    http-request return status 503 content-type text/plain \
string "No release is live here.\\n" unless { stopping } || { var(txn.live) -m found }
    http-request set-var(txn.slot) var(txn.live),field(1,:)
    http-request set-var(txn.share) var(txn.live),field(3,:)
    http-request set-var(txn.slot) var(txn.live),field(2,:) \
if { var(txn.share) -m found } { rand(10000),sub(txn.share) -m int lt 0 }

    # A process that a reload has replaced knows neither today's slots nor today's servers: it
    # finishes what it has begun, and hands what still comes on its connections to its successor.
    use_backend relay if { stopping }
    use_backend %[var(txn.key)]-%[var(txn.service)]-%[var(txn.slot)]

backend relay
    http-request set-header X-Fairlead-Proto %[var(txn.proto)] if { var(txn.proto) -m found }
    server successor unix@/fairlead/run/relay.sock send-proxy-v2
"""

# leastconn: requests and tunnels differ in length, and one router sees all of a host's replicas,
# so the fewest open ones is exact knowledge; equal ones take turns.
# A server is taken for healthy when its name is resolved, until its next check; an error on a
# request brings that check forward.
_BACKEND = """
backend {name}
    balance leastconn
{rules}{check}    default-server check inter {interval} fastinter 200ms downinter 200ms rise 1 \
fall 3 observe layer4 error-limit 1 on-error fastinter
    server-template s {servers} init-addr last,none
"""

# Asks the same servers twenty times a second, and only while a deploy waits for them: a server at
# rest would else be asked for the first time after a whole interval. See fl_await_servers.
_PROBE = """
backend {name}-probe
{check}    default-server check inter 50ms rise 1 fall 3
    server-template s {servers} init-addr last,none disabled
"""

_CHECK = """\
    option httpchk
    http-check send meth GET uri {path} ver HTTP/1.1 hdr Host localhost
    http-check expect status {status}
"""


def base_config() -> str:
    """The part all applications share: listeners, routing by the maps, timeouts, resolver.

    `fl_router_up` leaves the TLS listener out for as long as no certificate was installed.
    """
    return _BASE


def slot_config(app: RoutedApplication, slot: str) -> str:
    """A slot's `conf.d/<key>-<slot>.cfg`: a backend and a probe per routed service."""
    backends = (_backends(app, service, slot) for service in app.services)
    return f"# Written by Fairlead: {app.key}, {slot}\n" + "".join(backends)


def route_lines(app: RoutedApplication) -> str:
    """An application's lines of `routes.map`: prefix, blank, `<key>/<service>`; sorted.

    A prefix ends in `/`, as does what it is compared with, so that `/api` never takes `/apiary`.
    """
    lines = (
        f"{_prefix(route)} {app.key}/{service.name}\n"
        for service in app.services
        for route in service.routes
    )
    return "".join(sorted(lines))


def _prefix(route: str) -> str:
    host, _, path = route.partition("/")
    path = path.strip("/")
    return f"{host.lower()}/{path}/" if path else f"{host.lower()}/"


def _backends(app: RoutedApplication, service: RoutedService, slot: str) -> str:
    name = f"{app.key}-{service.name}-{slot}"
    alias = f"{app.key}-{slot}-{service.name}"
    servers = f"1-{service.servers} {alias}:{service.port} resolvers docker resolve-prefer ipv4"
    check = _CHECK.format(path=service.health_path, status=service.health_status)
    traffic = _BACKEND.format(
        name=name,
        servers=servers,
        check=check,
        rules=_forwarded(app.trusted_proxies) + _redirect(app.https_redirect),
        interval=f"{round(service.health_interval * 1000)}ms",
    )
    return traffic + _PROBE.format(name=name, servers=servers, check=check)


def _forwarded(trusted: tuple[str, ...]) -> str:
    """What strangers say of scheme and visitor is dropped; what these proxies say is kept."""
    if not trusted:
        return "    http-request set-header X-Forwarded-For %[src]\n"
    lines = [f"    acl trusted src {network}\n" for network in trusted]
    return "".join(lines) + (
        "    http-request set-header X-Forwarded-Proto %[var(txn.proto)] "
        "if trusted { var(txn.proto) -m str http https }\n"
        "    http-request set-header X-Forwarded-For %[src] unless trusted\n"
    )


def _redirect(port: int | None) -> str:
    if port is None:
        return ""
    suffix = "" if port == 443 else f":{port}"
    # Certificate authorities ask for their challenge over plain http.
    return (
        f"    http-request redirect location https://%[var(txn.host)]{suffix}%[pathq] code 308 "
        "if { req.hdr(X-Forwarded-Proto) http } !{ path_beg /.well-known/acme-challenge/ }\n"
    )
