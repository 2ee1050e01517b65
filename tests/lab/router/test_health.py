"""What the router says of servers: who is proven, who is not and why, and what is still open."""

import socket
import time

import pytest

from tests.lab.load import Load
from tests.lab.router.conftest import Answer, Application, LabHost, application

pytestmark = pytest.mark.lab


def test_a_redirecting_health_path_is_told(shop: Application) -> None:
    good = shop.start("blue", "blue0")
    both = shop.start("blue", "blue1", HEALTH="301 Moved Permanently")
    bad = (set(both) - set(good)).pop()
    answer = shop.host.fl("fl_await_servers", shop.backend("blue"), "2", *both, key="shop-test")
    assert answer.code == 1
    assert f"1/2 {bad} answers 301 Moved Permanently" in answer.err
    assert "@health shop-test-web-blue 1/2" in answer.out


def test_a_dead_port_is_told(shop: Application) -> None:
    shop.host.must(
        "docker run -d --label fairlead.test --label slot=shop-test-blue --network shop-test-blue "
        f"--network-alias shop-test-blue-web --name mute {shop.host.image} sleep 60"
    )
    addresses = shop.addresses("blue")
    answer = shop.host.fl("fl_await_servers", shop.backend("blue"), "2", *addresses)
    assert answer.code == 1
    assert "refuses connections" in answer.err


def test_a_predecessors_good_health_counts_for_nothing(shop: Application) -> None:
    """The next container has the same address and the same server slot, but is not healthy."""
    for _ in range(5):
        shop.ready("blue", "blue0")
        before = shop.addresses("blue")
        shop.host.must("docker rm -f blue0")
        after = shop.start("blue", "blue1", HEALTH="503 Not Yet")
        assert after == before
        answer = shop.host.fl("fl_await_servers", shop.backend("blue"), "2", *after)
        assert answer.code == 1
        assert "answers 503 Not Yet" in answer.err
        shop.host.must("docker rm -f blue1")


def test_more_or_fewer_servers_than_expected_are_told(shop: Application) -> None:
    addresses = shop.start("blue", "blue0", "blue1")
    answer = shop.host.fl("fl_await_servers", shop.backend("blue"), "2", addresses[0])
    assert answer.code == 1
    assert f"{addresses[1]} is none of them" in answer.err
    answer = shop.host.fl("fl_await_servers", shop.backend("blue"), "2", *addresses, "10.9.9.9")
    assert answer.code == 1
    assert "10.9.9.9 is not known to the router yet" in answer.err


def test_servers_at_rest_are_asked_rarely(shop: Application) -> None:
    """The quick probes end with the wait for them."""
    shop.ready("blue", "blue0")
    seen = shop.host.did("fl_servers", f"{shop.backend('blue')}-probe")
    assert {line[4] for line in shop.host.lines("@server", seen)} == {"maint"}
    shop.host.fl("fl_await_servers", shop.backend("blue"), "1", "10.9.9.9")
    seen = shop.host.did("fl_servers", f"{shop.backend('blue')}-probe")
    assert {line[4] for line in shop.host.lines("@server", seen)} == {"maint"}


def test_replicas_grow_and_shrink_under_load(shop: Application) -> None:
    """As rolling does it: held until proven, drained before stopped."""
    host, backend = shop.host, shop.backend("blue")
    shop.ready("blue", "blue0")
    shop.switch("blue")
    with Load(host.url, "shop.test", slow_path="/slow") as load:
        for number in (1, 2):
            host.did("fl_hold_free_servers", backend)
            known = set(shop.addresses("blue"))
            new = (set(shop.start("blue", f"blue{number}")) - known).pop()
            host.did("fl_await_servers", backend, "20", *known, new)
            held = [
                s for s in host.lines("@server", host.did("fl_servers", backend)) if s[2] == new
            ]
            assert held[0][3:5] == ["up", "drain"]
            host.did("fl_admit_servers", backend)
        for number in (0, 1):
            address = host.must(
                "docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "
                f"blue{number}"
            )
            drained = drained_alone(host, 20, backend, address)
            assert drained.out.splitlines()[-1] == f"@drain {backend} 0"
            host.must(f"docker stop -t 10 blue{number}")
        host.did("fl_ready_servers", backend)
        time.sleep(1)
        report = load.stop()
    print(report)
    assert report.failed == 0
    assert set(report.answers) == {"blue0", "blue1", "blue2"}
    states = host.lines("@server", host.did("fl_servers", backend))
    assert [state[4] for state in states] == ["ready"]


def drained_alone(host: LabHost, seconds: int, backend: str, address: str) -> Answer:
    """One server of several, as a slot that shrinks does it: it gets nothing new."""
    host.did("fl_drain_server", backend, address)
    until = int(host.must("cut -d . -f 1 /proc/uptime")) + seconds
    return host.did("fl_drain_until", str(until), backend, address)


def tunnel(shop: Application) -> socket.socket:
    """An upgraded connection; what it sends comes back."""
    wire = socket.create_connection((shop.host.address, 8080), timeout=10)
    wire.sendall(
        b"GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert b"101 Switching" in wire.recv(4096)
    return wire


def test_a_tunnel_is_counted_even_in_a_replaced_process(shop: Application) -> None:
    host, backend = shop.host, shop.backend("blue")
    shop.ready("blue", "blue0")
    shop.switch("blue")
    wire = tunnel(shop)
    application(host, "blog-test", "blog.test").configure("blue", "green")
    wire.sendall(b"still here")
    assert wire.recv(100) == b"still here"
    answer = host.did("fl_drain", "2", backend)
    assert answer.out.splitlines()[-2:] == [f"@drain {backend} 1", f"@drain-timeout {backend} 1"]
    address = shop.addresses("blue")[0]
    answer = drained_alone(host, 2, backend, address)
    assert answer.out.splitlines()[-1] == f"@drain-timeout {backend} 1"
    wire.close()
    answer = host.did("fl_drain", "10", backend)
    assert answer.out.splitlines()[-1] == f"@drain {backend} 0"
    assert answer.seconds < 3


def test_held_servers_stay_held_through_a_reload(shop: Application) -> None:
    host, backend = shop.host, shop.backend("blue")
    shop.ready("blue", "blue0")
    host.did("fl_hold_free_servers", backend)
    application(host, "blog-test", "blog.test").configure("blue")
    addresses = shop.start("blue", "blue1")
    host.did("fl_await_servers", backend, "10", *addresses)
    states = host.lines("@server", host.did("fl_servers", backend))
    assert sorted(state[4] for state in states) == ["drain", "ready"]
