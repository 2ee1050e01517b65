"""A router that others are served by is not changed; a change of one's own is told before."""

import pytest
from factories import WORKER, a_situation, an_environment, deployed, empty_host, target_of

from fairlead.config.traffic import Router
from fairlead.errors import ConfigError
from fairlead.rollout.shared_router import announced, refuse_another, wanted_on

SHOP = {"shop.test/": "shop-live", "blog.test/": "blog-live"}
OTHER_PORT = an_environment(router=Router(http_port=8080))


def refused(environment, **state):
    """What is said about web1, whose router runs with haproxy:3.0 on 80 and 443."""
    observed = {"web1": deployed(environment, **state)}
    with pytest.raises(ConfigError) as caught:
        refuse_another(environment, observed, target_of(environment))
    return caught.value


def test_one_that_serves_others_is_not_moved():
    """Whose it is, what it has, and that nothing was changed; exit code 2."""
    error = refused(OTHER_PORT, foreign_routes=SHOP)
    assert [str(problem) for problem in error.problems] == [
        "deploy/fairlead.toml: router.http_port: is 8080, and the router of web1, which serves "
        "blog-live, shop-live, has 80"
    ]
    assert (error.exit_code, error.state) == (2, "nothing was changed")


def test_every_port_that_differs_is_told():
    """A router that is stopped is the others', too."""
    environment = an_environment(router=Router(http_port=8080, https_port=8443))
    error = refused(environment, foreign_routes=SHOP, router="exited haproxy:3.0 a,b")
    assert [one.path for one in error.problems] == ["router.http_port", "router.https_port"]


def test_the_image_of_one_that_serves_others_stays():
    """An upgrade of one application costs the others nothing; it is told."""
    environment = an_environment(router=Router("haproxy:3.2", certificate="/c.pem"))
    state = deployed(environment, foreign_routes=SHOP)
    situation = a_situation(environment, {"web1": state})
    refuse_another(environment, {"web1": state}, target_of(environment))
    assert wanted_on(environment.router, state) == Router("haproxy:3.0", certificate="/c.pem")
    assert announced(situation) == [
        "web1: its router stays haproxy:3.0, not haproxy:3.2, as it serves blog-live, shop-live"
    ]


def test_ones_own_gets_the_declared_image():
    environment = an_environment(router=Router("haproxy:3.2"))
    assert wanted_on(environment.router, deployed(environment)) == environment.router


@pytest.mark.parametrize(
    ("environment", "state"),
    [
        (an_environment(), {"foreign_routes": SHOP}),  # the same
        (an_environment(router=Router(certificate="/c.pem")), {"foreign_routes": SHOP}),
        (OTHER_PORT, {}),  # nobody else
        (OTHER_PORT, {"foreign_routes": SHOP, "router": "absent", "router_ports": (0, 0)}),
    ],
)
def test_what_takes_nothing_from_others_is_let_through(environment, state):
    """A certificate is each application's own; with nobody else there is nobody to ask."""
    refuse_another(environment, {"web1": deployed(environment, **state)}, target_of(environment))


def test_a_host_without_routed_services_does_not_care():
    """Its router is not touched by this application."""
    environment = an_environment(services=(WORKER,), router=Router(http_port=8080))
    observed = {"web1": deployed(environment, foreign_routes=SHOP)}
    refuse_another(environment, observed, target_of(environment))


def test_a_replacement_is_announced():
    """Which router, from what to what, when, and what it costs."""
    situation = a_situation(OTHER_PORT)
    assert announced(situation) == [
        "web1: its router, haproxy:3.0 on ports 80 and 443, is replaced by haproxy:3.0 on ports "
        "8080 and 443 before the release is proven: no answer for about a second. A failure brings "
        "the old one back"
    ]


@pytest.mark.parametrize("state", [empty_host(), deployed(an_environment())])
def test_nothing_is_told_of_a_first_one_or_the_same(state):
    """Nobody misses anything."""
    assert announced(a_situation(an_environment(), {"web1": state})) == []
