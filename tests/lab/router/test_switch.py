"""Traffic moves between slots without losing a request, and lands where it was sent."""

import http.client
import shlex
import time

import pytest

from tests.lab.load import Load
from tests.lab.router.conftest import Application

pytestmark = pytest.mark.lab


def names(shop: Application, count: int) -> list[str]:
    """Who answers `count` requests in a row."""
    connection = http.client.HTTPConnection(shop.host.address, 8080, timeout=10)
    found = []
    for _ in range(count):
        connection.request("GET", "/", headers={"Host": "shop.test"})
        found.append(connection.getresponse().read().decode())
    connection.close()
    return found


def test_ten_switches_under_load_lose_nothing(shop: Application) -> None:
    shop.ready("blue", "blue0")
    shop.switch("blue")
    slots = ["blue", "green"]
    with Load(shop.host.url, "shop.test", slow_path="/slow") as load:
        for number in range(1, 11):
            new, old = slots[number % 2], slots[(number + 1) % 2]
            shop.ready(new, f"{new}{number}")
            shop.switch(new)
            shop.stop(old)
        report = load.stop()
    print(report)
    assert report.failed == 0
    assert {f"blue{n}" for n in range(0, 11, 2)} | {f"green{n}" for n in range(1, 11, 2)} == set(
        report.answers
    )


def test_a_share_of_a_third_is_a_third(shop: Application) -> None:
    shop.ready("blue", "blue0")
    shop.ready("green", "green0")
    shop.switch("blue:green:3333")
    with Load(shop.host.url, "shop.test", fresh=0, slow=0) as load:
        time.sleep(15)
        report = load.stop()
    share = report.answers["green0"] / report.ok
    print(f"{share:.2%} of {report.ok} went to green")
    assert report.failed == 0
    assert report.ok > 1_000
    spread = (0.3333 * 0.6667 / report.ok) ** 0.5  # standard deviation of a share of that many
    assert abs(share - 0.3333) < 4 * spread


def test_a_switch_counts_for_the_next_request(shop: Application) -> None:
    shop.ready("blue", "blue0")
    shop.ready("green", "green0")
    shop.switch("blue")
    took, seen = [], []
    for slot in ("green", "blue") * 5:
        began = time.monotonic()
        shop.switch(slot)
        assert set(names(shop, 1)) == {f"{slot}0"}
        seen.append(time.monotonic() - began)
        took.append(shop.switch(slot).seconds)
    print(f"switch over SSH to new answer: {min(seen):.3f}–{max(seen):.3f} s")
    print(f"the same switch again: {min(took):.3f} s")


def test_no_live_slot_is_503_and_no_route_404(shop: Application) -> None:
    def status(name: str) -> int:
        connection = http.client.HTTPConnection(shop.host.address, 8080, timeout=10)
        connection.request("GET", "/", headers={"Host": name})
        return connection.getresponse().status

    assert status("shop.test") == 503
    assert status("nobody.test") == 404
    shop.ready("blue", "blue0")
    shop.switch("blue")
    assert [status(name) for name in ("shop.test", "SHOP.test:8080", "shop.test.")] == [200] * 3
    shop.switch("-")
    assert status("shop.test") == 503


def test_a_slot_without_backends_is_refused(router, shop: Application) -> None:
    answer = shop.host.fl("fl_switch", "red", key="shop-test")
    assert answer.code == 2
    shop.host.must("rm /opt/fairlead/router/conf.d/shop-test-green.cfg")
    answer = shop.host.fl("fl_switch", "blue:green:100", key="shop-test")
    assert answer.code == 1
    assert "no green of shop-test" in answer.err


def test_a_host_without_perl_or_netcat_asks_through_docker(shop: Application) -> None:
    host = shop.host
    host.must(
        "mkdir -p /tmp/bare && ln -sf /usr/bin/* /usr/sbin/* /tmp/bare/ && "
        "rm -f /tmp/bare/perl* /tmp/bare/nc* /tmp/bare/socat"
    )
    shop.ready("blue", "blue0")
    text = host.script("fl_switch", "blue", key="shop-test")
    answer = host.run(f"PATH=/tmp/bare sh -c {shlex.quote(text)}")
    assert answer.code == 0, answer
    assert "@switched shop-test blue" in answer.out
    assert names(shop, 1) == ["blue0"]
    print(f"switch through docker exec: {answer.seconds:.3f} s")
