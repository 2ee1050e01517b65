"""Changing what the router is configured with: nothing is lost, and what is wrong is refused."""

import http.client
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.router.haproxy import slot_config
from fairlead.router.settings import RoutedApplication
from tests.lab.load import Load
from tests.lab.router.conftest import Application, LabHost, application, up

pytestmark = pytest.mark.lab


def get(host: LabHost, name: str, path: str = "/") -> tuple[int, str]:
    connection = http.client.HTTPConnection(host.address, 8080, timeout=10)
    connection.request("GET", path, headers={"Host": name})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def live(shop: Application) -> Application:
    shop.ready("blue", "blue0")
    shop.switch("blue")
    return shop


def test_another_application_comes_and_goes_under_load(shop: Application) -> None:
    host = live(shop).host
    blog = application(host, "blog-test", "blog.test", "shop.test/blog")
    with Load(host.url, "shop.test", slow_path="/slow") as load:
        blog.configure("blue", "green")
        assert blog.route().code == 0
        blog.ready("blue", "blog0")
        blog.switch("blue")
        assert get(host, "blog.test") == (200, "blog0")
        assert get(host, "shop.test", "/blog") == (200, "blog0")
        assert get(host, "shop.test", "/blogs") == (200, "blue0")
        for _ in range(3):
            host.did("fl_router_forget", "blog-test", key="blog-test")
            assert get(host, "blog.test")[0] == 404
            blog.configure("green", "blue")
            assert blog.route().code == 0
        report = load.stop()
    print(report)
    assert report.failed == 0
    assert report.ok > 1000
    assert host.did("fl_live", key="blog-test").out.strip().endswith("runtime=- file=-")


def test_idle_connections_survive_reload_switch_and_stop(shop: Application) -> None:
    """Clients that were idle through a reload are still connected to the replaced process."""
    host = live(shop).host
    blog = application(host, "blog-test", "blog.test")
    with Load(
        host.url, "shop.test", keepalive=30, fresh=0, slow=2, slow_path="/slow", think=2.5
    ) as load:
        for number in range(1, 4):
            new, old = (("green", "blue"), ("blue", "green"))[(number + 1) % 2]
            shop.ready(new, f"{new}{number}")
            blog.configure("blue")
            shop.switch(new)
            shop.stop(old)
            host.did("fl_router_forget", "blog-test", key="blog-test")
            time.sleep(3)
        report = load.stop()
    print(report)
    assert report.failed == 0


def test_a_replaced_process_passes_requests_on(shop: Application) -> None:
    """Its successor sees them as if they had come to it, and the connection's end is announced."""
    host = live(shop).host
    shop.ready("green", "green0")
    connection = http.client.HTTPConnection(host.address, 8080, timeout=10)
    ask = ("GET", "/headers", None, {"Host": "shop.test"})
    connection.request(*ask)
    direct = connection.getresponse().read().decode().lower()
    wire = connection.sock
    application(host, "blog-test", "blog.test").configure("blue")
    shop.switch("green")
    shop.stop("blue")
    connection.request(*ask)
    assert connection.sock is wire
    answer = connection.getresponse()
    assert answer.getheader("Connection") == "close"
    assert answer.read().decode().lower() == direct
    assert direct.count("x-forwarded-for: 172.30.") == 1
    assert direct.count("x-forwarded-proto: http\r") == 1


def told(connection: http.client.HTTPConnection) -> list[str]:
    """What the application is told of a visitor who comes by a proxy; sorted."""
    forwarded = {"X-Forwarded-Proto": "HTTPS", "X-Forwarded-For": "192.0.2.7"}
    connection.request("GET", "/headers", headers={"Host": "shop.test", **forwarded})
    lines = connection.getresponse().read().decode().lower().splitlines()
    return sorted(line for line in lines if line.startswith("x-f"))


def test_only_a_trusted_proxy_is_believed(shop: Application) -> None:
    """Also on a connection to a process that a reload has replaced; and it is not redirected."""
    host = live(shop).host
    connection = http.client.HTTPConnection(host.address, 8080, timeout=10)
    [visitor, proto] = told(connection)
    me = visitor.removeprefix("x-forwarded-for: ")
    assert (me[:7], proto) == ("172.30.", "x-forwarded-proto: http")

    for trusted, redirect in (((f"{me}/32", "2001:db8::/32"), 443), (("192.0.2.0/24",), None)):
        services = shop.settings.services
        wanted = RoutedApplication("shop-test", services, redirect, trusted)
        host.must("cat >/tmp/blue.cfg", slot_config(wanted, "blue"))
        host.did("fl_router_apply", "shop-test-blue", "/tmp/blue.cfg", key="shop-test")
        fresh = http.client.HTTPConnection(host.address, 8080, timeout=10)
        told_to_both = [told(connection), told(fresh)]
        believed = [visitor, "x-forwarded-for: 192.0.2.7", "x-forwarded-proto: https"]
        assert told_to_both == [believed if redirect else [visitor, proto]] * 2
        connection = fresh


def test_two_applications_change_at_the_same_time(shop: Application) -> None:
    """Their files and entries are shared; what one writes the other must not lose."""
    host = live(shop).host
    shop.ready("green", "green0")
    blog = application(host, "blog-test", "blog.test")
    blog.configure("blue", "green")
    assert blog.route().code == 0
    with ThreadPoolExecutor() as pool:
        for number in range(12):
            slot = ("green", "blue")[number % 2]
            changed = slot_config(blog.settings, "blue").replace("2000ms", f"{2001 + number}ms")
            host.must("cat >/tmp/blog-blue.cfg", changed)
            words = ("fl_router_apply", "blog-test-blue", "/tmp/blog-blue.cfg")
            jobs = [
                pool.submit(host.did, *words, key="blog-test"),
                pool.submit(shop.switch, slot),
                pool.submit(blog.switch, slot),
            ]
            for job in jobs:
                job.result()
            assert get(host, "shop.test") == (200, f"{slot}0")
            for key in ("shop-test", "blog-test"):
                live_now = host.did("fl_live", key=key).out
                assert f"@live {key} runtime={slot} file={slot}" in live_now


def test_a_kill_at_any_moment_leaves_a_router_that_serves(shop: Application) -> None:
    host = live(shop).host
    blog = application(host, "blog-test", "blog.test")
    text = slot_config(blog.settings, "blue")
    with Load(host.url, "shop.test", keepalive=10, fresh=5, slow=2, slow_path="/slow") as load:
        for number in range(16):
            host.must("cat >/tmp/blog-blue.cfg", text.replace("2000ms", f"{2001 + number}ms"))
            apply = host.script("fl_router_apply", "blog-test-blue", "/tmp/blog-blue.cfg")
            host.must("cat >/tmp/apply.sh", apply)
            host.must(
                "setsid sh /tmp/apply.sh >/dev/null 2>&1 & "
                f"sleep {0.02 * (number + 1):.2f}; kill -9 -- -$! 2>/dev/null; true"
            )
            assert get(host, "shop.test") == (200, "blue0")
        up(host)
        host.did("fl_router_apply", "blog-test-blue", "/tmp/blog-blue.cfg", key="blog-test")
        report = load.stop()
    print(report)
    assert report.failed == 0
    seen = host.did("fl_observe_router", key="shop-test")
    assert host.lines("@router-config", seen) != [["stale"]]
    host.must("docker restart fairlead-router")
    time.sleep(1)
    assert get(host, "shop.test") == (200, "blue0")


def test_kept_posts_survive_servers_that_close_idle_connections(shop: Application) -> None:
    """The server closes after .3 s what the client uses again after .3 s."""
    host = shop.host
    shop.ready("blue", "blue0", IDLE="0.3")
    shop.switch("blue")
    with Load(
        host.url, "shop.test", keepalive=60, fresh=0, slow=0, think=0.3, method="POST"
    ) as load:
        time.sleep(12)
        report = load.stop()
    print(report)
    assert report.failed == 0
    assert report.ok > 1000


def test_joining_networks_disturbs_nobody(shop: Application) -> None:
    """Joining may change a container's default route; clients here are outside the host."""
    host = live(shop).host
    with Load(host.url, "shop.test", slow_path="/slow") as load:
        for name in ("aaa", "zzz"):
            host.must(f"docker network create --label fairlead.test {name}-test")
            host.did("fl_router_connect", f"{name}-test")
            host.did("fl_router_connect", f"{name}-test")
            time.sleep(1)
        for name in ("aaa", "zzz"):
            host.must(f"docker network disconnect {name}-test fairlead-router")
            time.sleep(1)
        report = load.stop()
    print(report)
    assert report.failed == 0


def test_a_route_belongs_to_one_application(shop: Application) -> None:
    host = live(shop).host
    blog = application(host, "blog-test", "blog.test", "shop.test")
    answer = blog.route()
    assert answer.code == 1
    assert "route shop.test/ belongs to shop-test already" in answer.err
    assert get(host, "blog.test")[0] == 404
    assert get(host, "shop.test") == (200, "blue0")
    seen = host.did("fl_observe_router", key="blog-test")
    assert host.lines("@route", seen) == [["shop.test/", "shop-test"]]


def test_many_routes_change_at_once(shop: Application) -> None:
    host = live(shop).host
    hosts = tuple(f"host-number-{number:04}.shop.test" for number in range(1000))
    many = application(host, "shop-test", "shop.test", *hosts)
    assert many.route().code == 0
    assert get(host, hosts[0]) == get(host, hosts[-1]) == (200, "blue0")
    assert shop.route().code == 0
    assert get(host, hosts[0])[0] == 404


def test_a_bad_configuration_is_refused_and_leaves_no_trace(shop: Application) -> None:
    host = live(shop).host
    before = host.must("cd /opt/fairlead/router && sha256sum haproxy.cfg conf.d/* maps/*")
    host.must("cat >/tmp/bad.cfg", "backend shop-test-web-green\n    balance nonsense\n")
    answer = host.fl("fl_router_apply", "shop-test-green", "/tmp/bad.cfg", key="shop-test")
    assert answer.code == 1
    assert "does not accept this configuration" in answer.err
    assert "[conf.d/shop-test-green.cfg:2] : balance only supports" in answer.err
    after = host.must("cd /opt/fairlead/router && sha256sum haproxy.cfg conf.d/* maps/*")
    assert before == after
    host.must("docker restart fairlead-router")
    time.sleep(1)
    assert get(host, "shop.test") == (200, "blue0")


def test_a_kill_between_file_and_load_is_noticed(shop: Application) -> None:
    host = live(shop).host
    changed = slot_config(shop.settings, "green").replace("inter 2000ms", "inter 3000ms")
    host.must("cat >/opt/fairlead/router/conf.d/shop-test-green.cfg", changed)
    seen = host.did("fl_observe_router", key="shop-test")
    assert host.lines("@router-config", seen) == [["stale"]]
    up(host)
    seen = host.did("fl_observe_router", key="shop-test")
    assert host.lines("@router-config", seen) != [["stale"]]
    assert host.lines("@router", seen)[0][:2] == ["running", host.router_image]


def test_the_idle_slots_port_may_change(shop: Application) -> None:
    """What a reload remembers of a server is not to bring its old port back."""
    host = live(shop).host
    shop.ready("green", "green0")
    wrong = slot_config(shop.settings, "green").replace(":8000", ":8001")
    host.must("cat >/tmp/green.cfg", wrong)
    host.did("fl_router_apply", "shop-test-green", "/tmp/green.cfg", key="shop-test")
    addresses = shop.addresses("green")
    answer = host.fl("fl_await_servers", shop.backend("green"), "2", *addresses, key="shop-test")
    assert answer.code == 1
    assert "refuses connections" in answer.out
    shop.configure("green")
    host.did("fl_await_servers", shop.backend("green"), "3", *addresses, key="shop-test")


def test_another_port_replaces_the_container_and_keeps_its_applications(shop: Application) -> None:
    host = live(shop).host
    answer = up(host, http=8081)
    assert "replacing the router" in answer.err
    time.sleep(1)
    connection = http.client.HTTPConnection(host.address, 8081, timeout=10)
    connection.request("GET", "/", headers={"Host": "shop.test"})
    assert connection.getresponse().read() == b"blue0"
    quick = up(host, http=8081)
    assert "replacing" not in quick.err
    print(
        f"fl_router_up: replaced in {answer.seconds:.2f} s, nothing to do in {quick.seconds:.2f} s"
    )


def test_a_taken_port_is_told_and_the_old_router_serves(shop: Application) -> None:
    host = live(shop).host
    host.must(
        f"docker run -d --label fairlead.test --name squatter -p 8082:80 {host.image} sleep 60"
    )
    words = ("fl_router_up", host.router_image, "8082", "8443")
    config = host.must("cat /opt/fairlead/router/base.cfg") + "\n"
    answer = host.fl(*words, key="shop-test", stdin=config)
    assert answer.code == 1
    assert "taken by container squatter" in answer.err
    assert "the old one runs again" in answer.err
    time.sleep(1)
    assert get(host, "shop.test") == (200, "blue0")


def test_only_docker_users_drive_the_router(shop: Application) -> None:
    host = shop.host
    modes = host.must("stat -c '%a %G' /opt/fairlead/router/run/*.sock /opt/fairlead/router/run")
    assert set(modes.splitlines()) == {"660 docker", "2770 docker"}
    others = host.must("find /opt/fairlead/router -perm /o=rwx")
    assert others == ""
