"""Whether an answer will do: judged from what came, with a reason a person can act on."""

import base64
import http.server
import json
import ssl
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from factories import API, a_check, a_situation, an_environment
from hypothesis import given
from hypothesis import strategies as st

from fairlead.config import Service
from fairlead.config.route import Route
from fairlead.config.statuses import parse_statuses
from fairlead.config.traffic import Router
from fairlead.rollout import smoke
from fairlead.rollout.smoke import Answer, judge, parse_answers


def answer(status=200, body="", seconds=0.1, **more):
    return Answer("10.0.0.2:8000", status, body, seconds, **more)


def line(raw, index=0, source="10.0.0.2:8000", seconds="0.123"):
    data = raw if isinstance(raw, bytes) else raw.encode()
    return f"@http {index} {source} {seconds} {base64.b64encode(data).decode()}"


def parsed(raw):
    [(_, [found])] = parse_answers(line(raw)).items()
    return found


class TestParsing:
    def test_a_plain_answer(self):
        """Status, body, source and time."""
        found = parsed("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        assert found == Answer("10.0.0.2:8000", 200, "hi", 0.123)

    def test_a_redirect_tells_where_to(self):
        """`/health` answering 301 says where to, however the header is written."""
        for header in ("Location: https://x.test/", "location:https://x.test/"):
            assert parsed(f"HTTP/1.1 301 Moved\r\n{header}\r\n\r\n").location == "https://x.test/"

    @given(st.lists(st.binary(min_size=1), max_size=5))
    def test_chunks_are_joined(self, chunks):
        """Any bytes in any pieces: lengths count bytes, not letters (RFC 9112, 7.1)."""
        body = b"".join(b"%X;ext=1\r\n%s\r\n" % (len(one), one) for one in chunks) + b"0\r\n\r\n"
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
        assert parsed(head + body).body == b"".join(chunks).decode("utf-8", "replace")

    def test_a_body_that_was_cut_off_is_what_came(self):
        """A host reads 64 KiB at most: the rest is missing, not garbled."""
        head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert parsed(f"{head}5\r\nhello\r\nFF\r\nworl").body == "helloworl"

    @pytest.mark.parametrize(
        ("raw", "error"),
        [
            ("curl: (7) Failed to connect\n", "curl: (7) Failed to connect"),
            ("", "no answer"),
            ("SSH-2.0-OpenSSH\r\n", "SSH-2.0-OpenSSH"),
            ("HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 abc"),
        ],
    )
    def test_what_is_no_http_is_told_as_it_is(self, raw, error):
        """Status 0, and the asking program's own words."""
        found = parsed(raw)
        assert (found.status, found.error) == (0, error)

    def test_answers_are_kept_by_check(self):
        """Each container's answer to each check; other lines are nothing."""
        text = "\n".join(["@run 1", line("x", 0), line("y", 0), "noise", line("z", 2)])
        assert {index: len(found) for index, found in parse_answers(text).items()} == {0: 2, 2: 1}

    @given(st.binary())
    def test_any_bytes_are_an_answer(self, data):
        """Whatever a server sends, it is judged and breaks nothing."""
        judge(a_check(json={"a": 1}), parsed(data))


class TestJudging:
    AT = "health (GET /health at 10.0.0.2:8000)"

    def test_a_good_answer_has_no_fault(self):
        """Status, text, JSON and time all fit."""
        body = json.dumps({"status": "ok", "deep": {"ready": True}, "list": [{"n": 1}]})
        check = a_check(contains="ok", json={"status": "ok", "deep.ready": True, "list.0.n": 1})
        assert judge(check, answer(body=body)) == []

    @pytest.mark.parametrize(
        ("check", "given_", "fault"),
        [
            ({}, {"status": 0, "error": "no answer in time"}, "no answer in time"),
            ({}, {"status": 503}, "HTTP 503, expected 200"),
            (
                {"status": parse_statuses("200-299")},
                {"status": 301, "location": "https://x.test/"},
                "HTTP 301 to https://x.test/, expected 200-299",
            ),
            ({"contains": "ok"}, {"body": "no"}, "the body does not contain 'ok'"),
            ({"json": {"a": 1}}, {"body": "<html>"}, "the body is not JSON"),
            ({"json": {"a.b": 1}}, {"body": '{"a": 5}'}, "JSON a.b is null, expected 1"),
            ({"json": {"a": "x"}}, {"body": '{"a": "y"}'}, 'JSON a is "y", expected "x"'),
            ({"max_time": 1.0}, {"seconds": 1.25}, "took 1.25 s, at most 1 s allowed"),
            ({"tls_days": 14}, {"tls_days": 3.2}, "the certificate ends in 3 days"),
            (
                {"tls_days": 14},
                {"tls_days": None},
                "not asked over https, so its certificate was not looked at",
            ),
        ],
    )
    def test_a_fault_is_one_sentence_with_its_place(self, check, given_, fault):
        """Which check, asked of whom, what was found and what was expected."""
        assert judge(a_check(**check), answer(**given_)) == [f"{self.AT}: {fault}"]

    def test_a_wrong_status_shows_what_was_answered(self):
        """The first of the body is often the reason."""
        faults = judge(a_check(), answer(500, "  database\n is   down " + "x" * 500))
        assert faults[1].startswith("  answer: database is down xxx")
        assert len(faults[1]) < 220

    def test_all_faults_are_told(self):
        """Text, JSON and time together."""
        check = a_check(contains="a", json={"b": 1, "c": 2}, max_time=1.0)
        assert len(judge(check, answer(body="{}", seconds=2))) == 4

    @pytest.mark.parametrize(
        ("wanted", "found", "equal"),
        [(1, 1.0, True), (True, 1, False), (1, True, False), ("1", 1, False), (0, False, False)],
    )
    def test_json_values_are_compared_as_json(self, wanted, found, equal):
        """`true` is no 1, and "1" is none either."""
        check = a_check(json={"a": wanted})
        assert (judge(check, answer(body=json.dumps({"a": found}))) == []) is equal


class TestAsking:
    CHECKS = (a_check("api"), a_check("docs", "/docs/"), a_check("mine", "/", from_=("client",)))
    DOCS = Service("docs", "r/docs", ("web",), 1, 80, (Route("*", "/docs"),))

    def environment(self, **more):
        return an_environment(services=(API, self.DOCS), smoke=self.CHECKS, **more)

    def test_checks_are_asked_from_where_they_say(self):
        """From hosts, from here, or both."""
        environment = self.environment()
        assert [c.name for c in smoke.from_host(environment)] == ["api", "docs"]
        assert [c.name for c in smoke.from_client(environment)] == ["api", "docs", "mine"]

    def test_the_certificate_is_looked_at_from_here(self):
        """A host asks past TLS, and is not blamed for seeing none."""
        environment = an_environment(smoke=(a_check(tls_days=14),))
        assert [c.tls_days for c in smoke.from_host(environment)] == [0]
        assert [c.tls_days for c in smoke.from_client(environment)] == [14]

    def test_the_idle_slot_is_asked_past_the_router(self):
        """Each path goes to the containers of the service it is routed to, at their own port."""
        environment = self.environment()
        commands = smoke.idle_commands(
            a_situation(environment), "web1", smoke.from_host(environment)
        )
        asked = [c.argv for c in commands]
        assert [argv[1:5] for argv in asked] == [
            ("0", "agentic-staging-green", "agentic-staging-api-green", "8000"),
            ("1", "agentic-staging-green", "agentic-staging-docs-green", "80"),
        ]
        assert {argv[0] for argv in asked} == {"fl_ask_containers"}
        assert asked[1][5:] == ("GET", "/docs/", "localhost", "2")

    def test_the_live_slot_is_asked_through_the_router(self):
        """As a visitor would, at the port the router is published at."""
        environment = self.environment()
        [first, _] = smoke.router_commands(environment, smoke.from_host(environment))
        assert first.argv == ("fl_ask_router", "0", "80", "GET", "/health", "localhost", "2")

    @pytest.mark.parametrize(
        ("url", "router"),
        [
            ("", Router(certificate="/c.pem", redirect_http=True)),
            ("https://shop.test", Router(certificate="/c.pem")),
            ("https://shop.test", Router(trusted_proxies=("10.0.0.0/8",))),
        ],
    )
    def test_where_visitors_come_over_tls_checks_do(self, url, router):
        """Else the answer is the redirect to https, by the router or by the application."""
        environment = self.environment(url=url, router=router)
        checks = smoke.from_host(environment)
        [first, _] = smoke.router_commands(environment, checks)
        assert first.argv[:3] == ("fl_ask_router", "0", "https")
        [idle, _] = smoke.idle_commands(a_situation(environment), "web1", checks)
        assert idle.argv[-2:] == ("2", "https")


class Told(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked: path, Host, Authorization."""

    def do_GET(self):
        self.send_response(301 if self.path == "/moved" else 200)
        self.send_header("Location", "/there")
        self.end_headers()
        told = [self.path, self.headers["Host"], self.headers["Authorization"]]
        self.wfile.write(json.dumps(told).encode())

    def log_message(self, *_):
        """Nothing is logged."""


@pytest.fixture(scope="module")
def url():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Told)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A PEM file for 127.0.0.1 that signs itself and is valid for ten days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.test")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=10))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    file = tmp_path_factory.mktemp("tls") / "shop.pem"
    file.write_bytes(signed.public_bytes(pem) + private)
    return file


@pytest.fixture
def secure_url(certificate, monkeypatch):
    """A server that speaks TLS, its certificate trusted by this process."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Told)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"https://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


class TestFromHere:
    """Asked by this machine, of a server in this process."""

    def test_the_path_is_below_the_url(self, url):
        """A url with a path is where the application begins."""
        found = smoke.ask(f"http://{url}/shop/", a_check(path="/health?deep=1"))
        assert (found.status, found.source) == (200, url)
        assert json.loads(found.body)[:2] == ["/shop/health?deep=1", url]

    def test_another_host_can_be_named(self, url):
        """An address that no route is called like is asked in the route's name."""
        found = smoke.ask(f"http://{url}", a_check(), "shop.test")
        assert json.loads(found.body)[1] == "shop.test"

    def test_redirects_are_not_followed(self, url):
        """They are the answer."""
        found = smoke.ask(f"http://{url}", a_check(path="/moved"))
        assert (found.status, found.location) == (301, "/there")

    def test_a_password_in_the_url_is_sent_and_not_shown(self, url):
        """TEST_URL may hold one: it reaches the server and no report."""
        found = smoke.ask(f"http://ada:hunter2@{url}", a_check())
        sent = json.loads(found.body)[2]
        assert base64.b64decode(sent.removeprefix("Basic ")) == b"ada:hunter2"
        assert "hunter2" not in found.source

    def test_the_certificate_is_looked_at(self, secure_url):
        """Over TLS that is spoken for real: how long it is valid, and that it is trusted at all."""
        check = a_check(tls_days=14)
        found = smoke.ask(secure_url, check)
        assert found.tls_days == pytest.approx(10, abs=0.1)
        assert judge(check, found) == [
            f"health (GET /health at {found.source}): the certificate ends in 10 days"
        ]
        assert judge(a_check(tls_days=9), found) == []

    def test_one_that_nobody_trusts_is_no_answer(self, secure_url, monkeypatch):
        """Visitors would not get in either."""
        monkeypatch.delenv("SSL_CERT_FILE")
        found = smoke.ask(secure_url, a_check(tls_days=14))
        assert found.status == 0
        assert "certificate verify failed" in found.error

    def test_without_tls_there_is_no_certificate(self, url):
        """As with TEST_URL=http://…: what was not looked at has not passed."""
        check = a_check(tls_days=14)
        [fault] = judge(check, smoke.ask(f"http://{url}", check))
        assert "not asked over https" in fault

    def test_nobody_there_is_an_answer(self):
        """No exception: status 0 and the reason."""
        import socket

        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            found = smoke.ask(f"http://127.0.0.1:{taken.getsockname()[1]}", a_check())
        assert found.status == 0
        assert "refused" in found.error
