"""One HTTP request from a host, really sent, by each of the programs a host may have."""

import http.server
import shutil
import socket
import threading
import time

import pytest
from factories import a_check

from fairlead.rollout.smoke import judge, parse_answers

BODY = '{"status": "ok", "name": "café au lait", "count": 12, "deep": {"ready": true}}'


class Answers(http.server.BaseHTTPRequestHandler):
    """A small application: what it answers is told by the path."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.server.asked.append((self.command, self.path, self.headers["Host"]))
        time.sleep({"/slow": 0.3, "/stuck": 1.5}.get(self.path, 0))
        if self.path == "/moved":
            self.reply(301, b"", ("Location", "https://example.com/new"))
        elif self.path == "/chunked":
            self.chunks()
        elif self.path == "/proto":
            self.reply(200, self.headers.get("X-Forwarded-Proto", "none").encode())
        elif self.path == "/header":
            self.reply(200, BODY.encode(), ("X-State", '{"status":"bad"}'))
        elif self.path == "/teapot":
            self.reply(418, b"short and stout")
        else:
            self.reply(200, BODY.encode())

    def reply(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def chunks(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in ("42\r\n", "café", "-end"):
            data = part.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_HEAD = do_POST = do_OPTIONS = answer  # noqa: N815 (http.server's names)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


class Application(http.server.ThreadingHTTPServer):
    """Keeps what it was asked; a client that hangs up is no error."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.asked: list[tuple[str, str, str]] = []

    def handle_error(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture(scope="module")
def app():
    server = Application()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def port(app):
    app.asked.clear()
    return str(app.server_address[1])


@pytest.fixture(params=["curl", "perl", "the router's bash"])
def host(request, shell):
    """A host that has just this program to ask with."""
    if request.param in ("curl", "perl"):
        if not shutil.which(request.param):
            pytest.skip(f"{request.param} is not installed here")
        return shell.with_system(request.param)
    # What `docker exec` would run in the router's container is run here: the question is its text.
    shell.tool("docker", 'shift 2; exec "$@"')
    return shell.with_system("bash", "timeout")


@pytest.fixture
def refused():
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield str(taken.getsockname()[1])


def ask(host, port, path="/", method="GET", seconds="2", proto=""):
    """The one answer to one question, as the program reads it."""
    words = ("7", "127.0.0.1", port, method, path, "shop.example.com", seconds)
    words += (proto,) if proto else ()
    done = host.call("fl_ask", *words)
    assert done.code == 0, done.err
    [(index, [answer])] = parse_answers(done.out).items()
    assert index == 7
    assert answer.source == f"127.0.0.1:{port}"
    return answer


def test_an_answer_comes_back_whole(host, app, port):
    """Status and body arrive byte by byte, and the request names the host it is for."""
    answer = ask(host, port)
    assert (answer.status, answer.body, answer.error) == (200, BODY, "")
    assert app.asked == [("GET", "/", "shop.example.com")]
    assert answer.seconds >= 0


def test_a_redirect_is_an_answer_and_is_not_followed(host, port):
    """301 is reported with where it leads to."""
    answer = ask(host, port, "/moved")
    assert (answer.status, answer.location) == (301, "https://example.com/new")


def test_a_chunked_answer_is_put_together(host, port):
    """Chunks are joined by their length in bytes, whatever letters and line ends they hold."""
    assert ask(host, port, "/chunked").body == "42\r\ncafé-end"


def test_what_came_over_tls_is_told(host, app, port):
    """An application that insists on https answers a check as it answers visitors."""
    assert ask(host, port, "/proto", proto="https").body == "https"
    assert ask(host, port, "/proto").body == "none"


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
def test_other_methods_are_sent_as_such(host, app, port, method):
    """A check may ask by HEAD, POST or OPTIONS, without a body."""
    assert ask(host, port, "/x?y=1&z=2", method).status == 200
    assert app.asked == [(method, "/x?y=1&z=2", "shop.example.com")]


def test_a_slow_answer_is_timed(host, port):
    """How long it took comes back with an answer, and the judge calls it too slow."""
    answer = ask(host, port, "/slow")
    assert answer.seconds > 0.25
    assert "at most 0.1 s allowed" in judge(a_check(max_time=0.1), answer)[0]


def test_nobody_there_is_an_answer_too(host, refused):
    """A refused connection has no status, and says so in words."""
    answer = ask(host, refused)
    assert answer.status == 0
    assert "connect" in answer.error.lower()


def test_an_answer_that_never_ends_is_given_up(shell, port):
    """After the limit, and not before, each program ends by itself: no check hangs a deploy."""
    shell.with_system("curl", "perl", "bash", "timeout")
    shell.tool("docker", 'shift 2; exec "$@"')
    words = f"127.0.0.1 {port} GET /stuck shop.example.com 1"
    hidden = 'command() { [ "$2" = "$only" ]; }'  # a host that has only this program
    limit = "fl_whole() { echo 1; }"
    asked = [f"(only={only}; {hidden}; fl_http {words} || :) &" for only in ("curl", "perl", "-")]
    started = time.monotonic()
    shell.run("\n".join([limit, *asked, "wait"]))
    assert time.monotonic() - started > 0.9


@pytest.mark.parametrize(("most", "limit"), [("2", "3"), ("0.5", "2"), ("2.5", "4")])
def test_the_limit_leaves_room_for_the_judge(shell, most, limit):
    """Programs count whole seconds: the limit is max_time rounded up, and one more."""
    assert shell.call("fl_whole", most).out == f"{limit}\n"


class TestWhereTheRouterIsAsked:
    def reach(self, shell, where):
        return shell.run(f'fl_reach {where}\necho "$fl_there $fl_port $fl_proto"')

    def test_at_its_port_as_any_visitor(self, shell):
        """Plain HTTP comes in where the router is published."""
        shell.tool("curl", "")
        assert self.reach(shell, "80").out == "127.0.0.1 80 \n"

    def test_a_router_that_asks_itself_does_so_at_its_own_port(self, shell):
        """A host without curl and perl: port 80 is not there inside the container."""
        shell.tool("docker", "echo 172.19.0.2")
        assert self.reach(shell, "80").out == "172.19.0.2 8080 \n"

    def test_as_over_tls_in_dockers_network(self, shell):
        """A host that cannot speak TLS is not redirected to it."""
        shell.tool("docker", '[ "$4" = fairlead-router ] && echo 172.19.0.2')
        assert self.reach(shell, "https").out == "172.19.0.2 8081 https\n"

    @pytest.mark.parametrize("docker", ["exit 1", "echo"])
    def test_a_router_that_is_not_there_fails(self, shell, docker):
        """Gone, or stopped and so without an address."""
        shell.tool("docker", docker)
        done = self.reach(shell, "https")
        assert done.code == 1
        assert "no router runs on this host" in done.err


class TestStatusFits:
    @pytest.mark.parametrize(
        ("status", "wanted", "fits"),
        [
            ("200", "200", True),
            ("204", "200-299", True),
            ("299", "200-299", True),
            ("300", "200-299", False),
            ("199", "200-299", False),
            ("404", "200-299,404", True),
            ("403", "200-299,404", False),
            ("301", "200,301-302", True),
        ],
    )
    def test_statuses_are_ranges_and_lists(self, shell, status, wanted, fits):
        """`200-299,404` means what it says, at both ends."""
        assert shell.call("fl_status_fits", status, wanted).code == (0 if fits else 1)

    def test_it_agrees_with_the_program(self, shell):
        """The host's reading of a status list is the configuration's own."""
        from fairlead.config.statuses import parse_statuses

        wanted = parse_statuses(["200-204", 301, "404-405"])
        text = f'for s in 199 200 204 205 301 302 403 404 405 406; do fl_status_fits $s "{wanted}"'
        found = shell.run(f"{text} && echo $s || :; done").out.split()
        assert [int(one) for one in found] == [
            one for one in (199, 200, 204, 205, 301, 302, 403, 404, 405, 406) if one in wanted
        ]


class TestSmokeOnTheHost:
    """deploy/smoke_tests.sh judges with text tools alone: `passed NAME`, or `FAILED NAME: why`."""

    @pytest.fixture
    def curl(self, shell):
        return shell.with_system("curl")

    def smoke(self, host, port, path="/", status="200", contains="", *pairs, seconds="2"):
        words = (port, "shop", "GET", path, "shop.example.com", seconds, status, contains, *pairs)
        from shlex import join

        call = join(("fl_smoke", *words))
        return host.run(f'fl_smoke_faults=0\n{call}\necho "faults: $fl_smoke_faults"').out

    def test_a_good_answer_passes(self, curl, port):
        """Status, text and JSON values all fit."""
        pairs = ('"status":"ok"', '"ready":true', '"count":12')
        said = self.smoke(curl, port, "/", "200-299", "café", *pairs)
        assert said == "passed  shop\nfaults: 0\n"

    def test_a_value_with_blanks_is_found(self, curl, port):
        """Blanks between JSON's words do not count, those inside a value do not hurt."""
        assert "passed" in self.smoke(curl, port, "/", "200", "", '"name":"café au lait"')

    def test_a_longer_value_is_another_value(self, curl, port):
        """`"count": 12` is no `"count": 1`."""
        assert "FAILED" in self.smoke(curl, port, "/", "200", "", '"count":1')

    @pytest.mark.parametrize(
        ("path", "status", "contains", "pairs", "why"),
        [
            ("/teapot", "200", "", (), "HTTP 418, expected 200"),
            ("/", "200", "tea", (), "the body does not contain 'tea'"),
            ("/", "200", "OK", (), "the body does not contain 'OK'"),
            ("/", "200", "Content-Length", (), "the body does not contain 'Content-Length'"),
            ("/header", "200", "", ('"status":"bad"',), 'the body does not hold "status":"bad"'),
            ("/", "200", "", ('"status":"bad"',), 'the body does not hold "status":"bad"'),
        ],
    )
    def test_a_bad_answer_fails_with_its_reason(
        self, curl, port, path, status, contains, pairs, why
    ):
        """What is wrong is said in one line; the checks after it are still asked."""
        said = self.smoke(curl, port, path, status, contains, *pairs)
        assert said == f"FAILED  shop: {why}\nfaults: 1\n"

    def test_nobody_there_fails(self, curl, refused):
        """A refused connection is a failed check with curl's own words."""
        said = self.smoke(curl, refused)
        assert said.startswith("FAILED  shop: curl: (7)")
        assert said.endswith("faults: 1\n")

    def test_too_slow_fails(self, curl, port):
        """An answer that takes longer than max_time is no pass."""
        assert "s, at most 0.1 s allowed" in self.smoke(curl, port, "/slow", seconds="0.1")
