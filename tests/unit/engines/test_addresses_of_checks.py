"""For whom a check asks: the name that it sends, and the service behind its path."""

import pytest
from factories import API, an_environment

from fairlead.config import Service
from fairlead.config.route import Route
from fairlead.engines.compose.addresses import host_name, service_for

DOCS = Service("docs", port=80, routes=(Route("shop.test", "/docs"), Route("docs.test")))


def environment(*routes, url="", more=()):
    from dataclasses import replace

    return an_environment(services=(replace(API, routes=routes), *more), url=url)


@pytest.mark.parametrize(
    ("routes", "url", "name"),
    [
        ((Route("shop.test"),), "https://shop.test", "shop.test"),
        ((Route("a.test"), Route("shop.test")), "https://shop.test:8443/x", "shop.test"),
        ((Route("*"),), "https://anything.test", "anything.test"),
        ((Route("shop.test"),), "https://10.0.0.1", "shop.test"),
        ((Route("shop.test"),), "", "shop.test"),
        ((Route("*"),), "", "localhost"),
    ],
)
def test_the_name_is_the_url_s_if_it_is_routed(routes, url, name):
    """The url's own name where a route takes it; else the first route's."""
    assert host_name(environment(*routes, url=url)) == name


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/", "api"),
        ("/docs", "docs"),
        ("/docs/intro?page=2", "docs"),
        ("/docsearch", "api"),
    ],
)
def test_the_longest_prefix_takes_the_path(path, service):
    """As the router decides: whole path parts, the longest route first."""
    assert service_for(environment(Route("shop.test"), more=(DOCS,)), path) == service


def test_a_path_nobody_takes_has_no_service():
    """Without a route for it there is no container to ask."""
    assert service_for(environment(Route("shop.test", "/api")), "/health") is None
