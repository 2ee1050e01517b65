"""Traffic moves between slots without losing a request, and lands where it was sent."""

import http.client
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
    found = names(shop, 10_000)
    share = found.count("green0") / len(found)
    print(f"{share:.2%} of 10000 went to green")
    assert set(found) == {"blue0", "green0"}
    assert abs(share - 0.3333) < 0.01


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
    print(
        f"switch over SSH to new answer: {min(seen):.3f}–{max(seen):.3f} s; again: {min(took):.3f} s"
    )


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
