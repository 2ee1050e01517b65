"""The router's configuration as text. That HAProxy takes it and does so: tests/lab/router."""

import re

import pytest

from fairlead.router.haproxy import base_config, route_lines, slot_config
from fairlead.router.settings import RoutedApplication, RoutedService


def service(name: str = "web", *routes: str, **changes: object) -> RoutedService:
    given = {"port": 8000, "servers": 4, "health_path": "/health", "health_interval": 2.0}
    return RoutedService(name=name, routes=routes, **(given | changes))  # type: ignore[arg-type]


def app(
    *services: RoutedService, redirect: int | None = None, trusted: tuple[str, ...] = ()
) -> RoutedApplication:
    return RoutedApplication("shop-staging", services, redirect, trusted)


def backends(text: str) -> list[str]:
    return re.findall(r"^backend (\S+)$", text, re.M)


def test_a_slot_has_a_backend_and_a_probe_for_each_routed_service() -> None:
    text = slot_config(app(service("web"), service("api")), "green")
    assert backends(text) == [
        "shop-staging-web-green",
        "shop-staging-web-green-probe",
        "shop-staging-api-green",
        "shop-staging-api-green-probe",
    ]
    assert "blue" not in text


def test_servers_are_found_by_the_slots_own_alias() -> None:
    text = slot_config(app(service("api", port=9000, servers=12)), "blue")
    assert text.count("server-template s 1-12 shop-staging-blue-api:9000 resolvers docker") == 2


@pytest.mark.parametrize(("seconds", "text"), [(2.0, "2000ms"), (0.5, "500ms"), (0.0015, "2ms")])
def test_the_health_interval_is_told_in_milliseconds(seconds: float, text: str) -> None:
    config = slot_config(app(service(health_interval=seconds)), "blue")
    assert f"check inter {text} fastinter 200ms downinter 200ms rise 1 fall 3" in config


def test_health_is_asked_as_declared_by_traffic_and_probe_alike() -> None:
    config = slot_config(app(service(health_path="/up?deep=1", health_status="200,204")), "blue")
    asked = "http-check send meth GET uri /up?deep=1 ver HTTP/1.1 hdr Host localhost"
    assert config.count(asked) == 2
    assert config.count("http-check expect status 200,204") == 2


def test_probes_rest_until_they_are_needed() -> None:
    lines = slot_config(app(service()), "blue").splitlines()
    assert [line.endswith(" disabled") for line in lines if "server-template" in line] == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("port", "place"),
    [(443, "https://%[var(txn.host)]%[pathq]"), (8443, "https://%[var(txn.host)]:8443%[pathq]")],
)
def test_a_redirect_leads_to_the_port_that_visitors_see(port: int, place: str) -> None:
    text = slot_config(app(service(), redirect=port), "blue")
    assert f"http-request redirect location {place} code 308" in text
    assert text.count("redirect location") == 1
    assert "redirect location" not in slot_config(app(service()), "blue")


def test_what_a_trusted_proxy_says_counts_before_the_redirect_does() -> None:
    trusted = ("10.0.0.0/8", "2001:db8::/32")
    text = slot_config(app(service(), redirect=443, trusted=trusted), "blue")
    assert [line.split()[-1] for line in text.splitlines() if "acl trusted src" in line] == [
        "10.0.0.0/8",
        "2001:db8::/32",
    ]
    kept = "set-header X-Forwarded-Proto %[var(txn.proto)] if trusted { var(txn.proto) -m str http"
    assert text.index(kept) < text.index("redirect location")
    assert "set-header X-Forwarded-For %[src] unless trusted\n" in text


def test_without_trusted_proxies_nobody_is_believed() -> None:
    text = slot_config(app(service()), "blue")
    assert "set-header X-Forwarded-For %[src]\n" in text
    assert "txn.proto" not in text


def test_routes_are_prefixes_that_end_at_a_slash() -> None:
    one = app(
        service("web", "Example.COM", "*"), service("api", "example.com/api", "example.com/v2/")
    )
    assert route_lines(one) == (
        "*/ shop-staging/web\n"
        "example.com/ shop-staging/web\n"
        "example.com/api/ shop-staging/api\n"
        "example.com/v2/ shop-staging/api\n"
    )


def test_an_application_without_routes_has_no_lines() -> None:
    assert route_lines(app(service())) == ""


def test_the_tls_listener_is_one_line_that_can_be_left_out() -> None:
    lines = [line for line in base_config().splitlines() if " ssl crt " in line]
    assert len(lines) == 1
    assert lines[0].strip().startswith("bind :8443 ")


def test_who_asks_as_over_tls_is_let_in_from_this_host_alone() -> None:
    """The container publishes 8080 and 8443."""
    lines = [line.strip() for line in base_config().splitlines()]
    assert "bind :8081 name checks" in lines
    secure = "http-request set-header X-Forwarded-Proto https if { ssl_fc } || { so_name checks }"
    assert secure in lines


def test_the_text_is_plain_ascii_and_no_line_is_continued() -> None:
    for text in (base_config(), slot_config(app(service()), "blue")):
        assert not [line for line in text.splitlines() if line.endswith("\\")]
        assert not re.search(r"[^\x20-\x7e\n]", text)


def test_nothing_is_sent_twice_that_may_have_been_carried_out() -> None:
    text = base_config()
    assert "option http-server-close" in text
    assert "retry-on" not in text
