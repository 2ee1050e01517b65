"""Router, engine and host end and begin again: traffic returns to the live slot by itself."""

import http.client
import subprocess
import time

import pytest

from tests.lab.router.conftest import ROOT, Application, LabHost

pytestmark = pytest.mark.lab


def answers(host: LabHost, seconds: float) -> str:
    """Who answers, as soon as somebody does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection(host.address, 8080, timeout=2)
            connection.request("GET", "/", headers={"Host": "shop.test"})
            answer = connection.getresponse()
            if answer.status == 200:
                return answer.read().decode()
        except OSError:
            pass
        time.sleep(0.05)
    pytest.fail(f"nobody answered within {seconds} s")


@pytest.fixture
def both(shop: Application) -> Application:
    """Both slots run, as right after a deploy; green is live."""
    shop.ready("blue", "blue0")
    shop.ready("green", "green0")
    shop.switch("blue")
    shop.switch("green")
    return shop


def returned(shop: Application, began: float, what: str) -> None:
    assert answers(shop.host, 60) == "green0"
    print(f"{what}: served again after {time.monotonic() - began:.2f} s")
    assert {answers(shop.host, 5) for _ in range(50)} == {"green0"}
    live = shop.host.did("fl_live", key="shop-test").out
    assert "runtime=green file=green" in live


def test_router_restart(both: Application) -> None:
    began = time.monotonic()
    both.host.must("docker restart fairlead-router")
    returned(both, began, "docker restart fairlead-router")


def test_router_killed(both: Application) -> None:
    pid = both.host.must("docker inspect -f '{{.State.Pid}}' fairlead-router")
    began = time.monotonic()
    as_root(both.host, f"kill -9 {pid}")
    returned(both, began, "kill -9 of HAProxy")


def test_engine_killed(both: Application) -> None:
    began = time.monotonic()
    as_root(both.host, "kill -9 $(cat /run/docker.pid)")
    time.sleep(1)
    returned(both, began, "kill -9 of dockerd")
    both.switch("blue")
    assert answers(both.host, 5) == "blue0"


def test_host_restarted(both: Application) -> None:
    began = time.monotonic()
    subprocess.run(["docker", "restart", f"fairlead-{both.host.name}"], check=True, timeout=90)
    returned(both, began, "restart of the host")
    both.switch("blue")
    assert answers(both.host, 5) == "blue0"


def test_a_kill_between_file_and_runtime_is_reconciled(both: Application) -> None:
    both.host.must("echo 'shop-test blue' >/opt/fairlead/router/maps/live.map")
    assert "runtime=green file=blue" in both.host.did("fl_live", key="shop-test").out
    both.host.did("fl_live_reconcile", key="shop-test")
    assert "runtime=green file=green" in both.host.did("fl_live", key="shop-test").out


def as_root(host: LabHost, shell: str) -> None:
    words = [str(ROOT / "scripts/lab"), "exec", host.name, "sh", "-c", shell]
    subprocess.run(words, check=True, timeout=60)
