"""The router's files, as written on a host without a router. With a real one: tests/lab/router."""

import pytest
from shells import Done, Shell


@pytest.fixture
def router(shell: Shell) -> Shell:
    """A host with the router's directories, and no router."""
    for name in ("conf.d", "maps", "run"):
        (shell.router / name).mkdir(parents=True)
    (shell.router / "maps/routes.map").touch()
    (shell.router / "maps/live.map").touch()
    return shell


def live(router: Shell) -> str:
    return (router.router / "maps/live.map").read_text()


@pytest.mark.parametrize("value", ["blue", "green", "blue:green:3333", "green:blue:10000"])
def test_without_backends_a_switch_is_kept_on_file(router: Shell, value: str) -> None:
    done = router.call("fl_switch", value)
    assert (done.code, done.marks) == (0, [f"@switched agentic-staging {value}"])
    assert live(router) == f"agentic-staging {value}\n"
    assert router.call("fl_live").marks == [f"@live agentic-staging runtime=- file={value}"]


def test_a_switch_makes_the_router_directory_of_a_host_without_one(shell: Shell) -> None:
    assert shell.call("fl_switch", "blue").code == 0
    assert (shell.router / "maps/live.map").read_text() == "agentic-staging blue\n"


def test_a_switch_leaves_others_alone_and_to_nothing_leaves_nothing(router: Shell) -> None:
    (router.router / "maps/live.map").write_text("agentic blue\nagentic-staging-2 green\n")
    router.call("fl_switch", "green")
    assert live(router) == "agentic blue\nagentic-staging-2 green\nagentic-staging green\n"
    router.call("fl_switch", "-")
    assert live(router) == "agentic blue\nagentic-staging-2 green\n"
    assert router.call("fl_live").marks == ["@live agentic-staging runtime=- file=-"]


@pytest.mark.parametrize(
    "value",
    ["", "red", "blue:red:1", "blue:green", "blue:green:", "blue:green:1:2", "blue;x", "b*"],
)
def test_what_is_no_slot_is_refused(router: Shell, value: str) -> None:
    done = router.call("fl_switch", value)
    assert done.code == 2
    assert "is no slot" in done.err
    assert live(router) == ""


def test_a_router_that_does_not_answer_is_not_switched(router: Shell) -> None:
    router.call("fl_switch", "blue")
    (router.router / "conf.d/agentic-staging-blue.cfg").touch()
    (router.router / "conf.d/agentic-staging-green.cfg").touch()
    done = router.call("fl_switch", "green")
    assert done.code == 1
    assert "does not answer; agentic-staging was not switched" in done.err
    assert live(router) == "agentic-staging blue\n"


def test_a_router_that_is_just_being_started_again_is_waited_for(router: Shell) -> None:
    """Docker takes a second or two for that; a way back is proven by what the router says."""
    answers = (
        'fl_router_api() { echo asked >>"$FL_ROUTER/asked";'
        ' [ "$(wc -l <"$FL_ROUTER/asked")" -gt 9 ] || return 1; echo "# be_id"; }'
    )
    done = router.run(f"{answers}; fl_servers_listed a-b && echo listed")
    assert done.out.splitlines()[-1] == "listed", done.err


def test_a_slot_the_router_has_no_backends_for_is_refused(router: Shell) -> None:
    (router.router / "conf.d/agentic-staging-blue.cfg").touch()
    done = router.call("fl_switch", "blue:green:100")
    assert (done.code, live(router)) == (1, "")
    assert "knows no green of agentic-staging" in done.err


def test_a_directory_that_cannot_be_written_changes_nothing(router: Shell) -> None:
    router.call("fl_switch", "blue")
    (router.router / "maps/live.new").mkdir()
    done = router.run("if fl_switch green; then echo switched; fi; echo went on")
    assert "cannot be written; agentic-staging was not switched" in done.err
    assert "switched" not in done.out.replace("@switched", "")
    assert live(router) == "agentic-staging blue\n"


def merged(router: Shell, key: str, routes: str) -> tuple[int, list[str], str]:
    done = router.call("fl_router_merge", key, stdin=routes.encode())
    return done.code, done.out.splitlines(), done.err


def test_an_applications_routes_replace_its_own(router: Shell) -> None:
    (router.router / "maps/routes.map").write_text("a.test/ shop-x/web\nb.test/ blog-x/web\n")
    assert merged(router, "shop-x", "c.test/ shop-x/web\n")[:2] == (
        0,
        ["b.test/ blog-x/web", "c.test/ shop-x/web"],
    )
    assert merged(router, "shop-x", "")[:2] == (0, ["b.test/ blog-x/web"])


def test_anothers_route_is_refused_by_name(router: Shell) -> None:
    (router.router / "maps/routes.map").write_text("a.test/ shop-x/web\n*/ shop-x/web\n")
    code, _, error = merged(router, "shop", "b.test/ shop/web\n*/ shop/web\na.test/ shop/web\n")
    assert code != 0
    assert "route */ belongs to shop-x already" in error
    assert "route a.test/ belongs to shop-x already" in error
    assert "b.test" not in error


def test_the_first_routes_of_a_host_are_taken(router: Shell) -> None:
    assert merged(router, "shop", "*/ shop/web\n")[:2] == (0, ["*/ shop/web"])


def test_a_host_without_a_router_says_so(shell: Shell) -> None:
    done = shell.call("fl_observe_router")
    assert done.code == 0
    assert done.marks == [
        "@router absent",
        "@router-config stale",
        "@live agentic-staging runtime=- file=-",
    ]


class TestTheCertificate:
    """Whose file it is from is remembered, once it is loaded."""

    UP = (
        'fl_router_runs() { true; }\nfl_router_commit() { fl_router_install "$FL_ROUTER/next"; }\n'
        "docker() { true; }\n"
    )

    @pytest.fixture
    def host(self, router: Shell) -> Shell:
        (router.router / "certificates").mkdir()
        for name in ("base.cfg", "haproxy.cfg"):
            (router.router / name).write_text("global\n")
        router.base.mkdir()
        for name in ("one", "two"):
            (router.base / f"{name}.pem").write_text(f"{name}\n")
        return router

    def up(self, host: Shell, certificate: str, more: str = "") -> Done:
        file = f"{host.base}/{certificate}.pem" if certificate else ""
        return host.run(f"{self.UP}{more}\nfl_router_up haproxy:3.0 80 443 {file} </dev/null")

    def seen(self, host: Shell) -> list[str]:
        marks = host.run("docker() { false; }\nfl_observe_router").marks
        return [mark.split("/")[-1] for mark in marks if mark.startswith("@router-certificate ")]

    def installed(self, host: Shell) -> str:
        file = host.router / "certificates/agentic-staging.pem"
        return file.read_text().strip() if file.exists() else ""

    def test_it_comes_changes_and_goes(self, host: Shell) -> None:
        for name, seen in (("", []), ("one", ["one.pem"]), ("two", ["two.pem"]), ("", [])):
            done = self.up(host, name)
            assert done.code == 0, done.err
            assert (self.seen(host), self.installed(host)) == (seen, name)

    @pytest.mark.parametrize("after", ["two", ""])
    def test_what_was_not_loaded_is_not_remembered(self, host: Shell, after: str) -> None:
        """Else the next look would take the change for done."""
        self.up(host, "one")
        done = self.up(host, after, 'fl_router_commit() { fl_fail "not accepted"; }')
        assert done.code == 1
        assert (self.seen(host), self.installed(host)) == (["one.pem"], "one")


SEEN = """\
@server shop-x-web-blue s1 10.0.0.3 up ready - 200 Layer7_check_passed 0
@server shop-x-web-blue s2 10.0.0.4 down ready L7STS 301 Moved_Permanently 0
@server shop-x-web-blue s3 10.0.0.5 up ready - - - 0
@server shop-x-web-blue-probe s1 10.0.0.3 up ready L7OK 200 Layer7_check_passed 0
@server shop-x-web-blue-probe s2 10.0.0.4 down ready L7STS 301 Moved_Permanently 0
@server shop-x-web-blue-probe s3 10.0.0.5 up ready - 200 Layer7_check_passed 0
@server shop-x-web-blue-probe s4 10.0.0.7 up ready L7OK 200 Layer7_check_passed 0
"""


@pytest.mark.parametrize(
    ("wanted", "verdict"),
    [
        (
            "10.0.0.3 10.0.0.4 10.0.0.7",
            "1/3 10.0.0.4 answers 301 Moved Permanently, 10.0.0.7 is not known to the router yet, "
            "10.0.0.5 is none of them",
        ),
        (
            "10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7",
            "1/5 10.0.0.4 answers 301 Moved Permanently, 10.0.0.5 not asked yet, "
            "10.0.0.6 is not known to the router yet, 10.0.0.7 is not known to the router yet",
        ),
    ],
)
def test_what_is_missing_is_told_address_by_address(
    router: Shell, wanted: str, verdict: str
) -> None:
    done = router.call("fl_servers_judge", wanted, stdin=SEEN.encode())
    assert done.out.strip() == verdict


def test_all_wanted_and_none_besides_is_ok(router: Shell) -> None:
    lines = SEEN.splitlines()
    one = f"{lines[0]}\n{lines[3]}\n".encode()
    assert router.call("fl_servers_judge", "10.0.0.3", stdin=one).out == "1/1 ok\n"
    assert router.call("fl_servers_judge", "", stdin=b"").out == "0/0 ok\n"


# A Docker whose containers are files: status, image, ports. `broken:1` never starts.
DOCKER = """
for last; do :; done
cd "$HERE"
case "$1" in
  inspect) [ -e "$last" ] && cat "$last" ;;
  rename) mv "$2" "$3" 2>/dev/null ;;
  rm) rm -f "$last" ;;
  create) [ ! -e crash ] || kill -9 0; echo "created new:1 80 443" >fairlead-router ;;
  start) ! grep -q broken "$last" && sed -i "s/^[a-z]*/running/" "$last" ;;
  stop) sed -i "s/^[a-z]*/exited/" "$last" ;;
  update) echo "$@" >>updated ;;
  exec) echo answers ;;
esac
"""


class TestReplacing:
    """Another image: the old container goes when the new one answers, and not before."""

    @pytest.fixture
    def host(self, router: Shell) -> Shell:
        (router.router / "certificates").mkdir()
        for name in ("base.cfg", "haproxy.cfg"):
            (router.router / name).write_text("global\n")
        router.base.mkdir()
        router.tool("docker", f'HERE="{router.base}"\n{DOCKER}')
        self.holds(router, "fairlead-router", "running old:1 80 443")
        return router

    def holds(self, host: Shell, name: str, what: str) -> None:
        (host.base / name).write_text(f"{what}\n")

    def held(self, host: Shell) -> dict[str, str]:
        return {path.name: path.read_text().strip() for path in host.base.glob("fairlead-*")}

    UP = "fl_router_group() { echo 0; }\nfl_router_up new:1 80 443 </dev/null"

    def test_the_new_one_is_the_router(self, host: Shell) -> None:
        done = host.run(self.UP)
        assert done.code == 0, done.err
        assert self.held(host) == {"fairlead-router": "running new:1 80 443"}

    def test_a_crash_in_between_leaves_one_that_comes_back_at_boot(self, host: Shell) -> None:
        """Nothing is said to Docker of its restart: it was made with `always`."""
        (host.base / "crash").touch()
        crashed = host.start(self.UP)
        crashed.communicate(timeout=30)
        assert self.held(host) == {"fairlead-router-old": "exited old:1 80 443"}
        assert not (host.base / "updated").exists()

    def test_one_that_was_renamed_is_replaced_for_all(self, host: Shell) -> None:
        """How its owners agree on another (docs/how-to/day-two.md): it serves until then."""
        self.holds(host, "fairlead-router-old", "running old:1 80 443")
        (host.base / "fairlead-router").unlink()
        assert host.run(self.UP).code == 0
        assert self.held(host) == {"fairlead-router": "running new:1 80 443"}

    @pytest.mark.parametrize("state", ["running", "exited"])
    @pytest.mark.parametrize("new", ["created broken:1 80 443", ""])
    def test_after_a_crash_the_old_one_is_the_router(
        self, host: Shell, state: str, new: str
    ) -> None:
        """It is no left-over: when the next attempt fails, it serves again."""
        self.holds(host, "fairlead-router-old", f"{state} old:1 80 443")
        (host.base / "fairlead-router").unlink()
        if new:
            self.holds(host, "fairlead-router", new)
        host.tool("docker", f'HERE="{host.base}"\n{DOCKER.replace("new:1", "broken:1")}')
        done = host.run(self.UP)
        assert "the old one runs again" in done.err
        assert self.held(host) == {"fairlead-router": "running old:1 80 443"}
