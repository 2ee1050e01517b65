"""TLS with certificates from files: loaded, renewed, refused when bad, per application."""

import datetime
import http.client
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fairlead.rollout.smoke import parse_answers
from fairlead.router.haproxy import base_config, slot_config
from fairlead.router.settings import RoutedApplication
from tests.lab.router.conftest import Application, LabHost, up

pytestmark = pytest.mark.lab
PEM = "/tmp/shop-test.pem"


def certificate(name: str) -> str:
    """A self-signed certificate and its key, as one PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return (built.public_bytes(serialization.Encoding.PEM) + private).decode()


def served(host: LabHost, name: str | None = "shop.test", path: str = "/") -> tuple[str, str]:
    """Common name of the certificate and body of the answer, over TLS; name None sends no SNI."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    wire = socket.create_connection((host.address, 8443), timeout=10)
    with context.wrap_socket(wire, server_hostname=name) as secured:
        raw = secured.getpeercert(binary_form=True)
        secured.sendall(
            f"GET {path} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: secured.recv(65536), b""))
    subject = x509.load_der_x509_certificate(raw or b"").subject
    return str(subject.rfc4514_string()), answer.partition(b"\r\n\r\n")[2].decode()


@pytest.fixture
def secured(shop: Application) -> Application:
    shop.ready("blue", "blue0")
    shop.switch("blue")
    shop.host.must(f"umask 077; cat >{PEM}", certificate("first"))
    up(shop.host, certificate=PEM)
    return shop


def test_tls_serves_and_says_so_to_the_application(secured: Application) -> None:
    assert served(secured.host) == ("CN=first", "blue0")
    assert served(secured.host, None)[0] == "CN=first"
    head = served(secured.host, path="/headers")[1].lower()
    assert "x-forwarded-proto: https" in head
    assert "x-forwarded-for: 172.30." in head


def test_a_renewed_certificate_is_noticed_and_loaded(secured: Application) -> None:
    host = secured.host
    host.must(f"cat >{PEM}", certificate("second"))
    seen = host.did("fl_observe_router", key="shop-test")
    assert host.lines("@router-config", seen) == [["stale"]]
    up(host, certificate=PEM)
    assert served(host)[0] == "CN=second"
    seen = host.did("fl_observe_router", key="shop-test")
    assert host.lines("@router-config", seen) != [["stale"]]


def test_a_bad_certificate_is_refused(secured: Application) -> None:
    host = secured.host
    host.must(f"cat >{PEM}", "no certificate at all\n")
    words = ("fl_router_up", host.router_image, "8080", "8443", PEM)
    answer = host.fl(*words, key="shop-test", stdin=base_config())
    assert answer.code == 1
    assert "certificates/shop-test.pem" in answer.err
    host.must("docker restart fairlead-router")
    assert host.must("sleep 1; docker inspect -f '{{.State.Status}}' fairlead-router") == "running"
    assert served(host)[0] == "CN=first"


def test_an_unreadable_certificate_is_told(secured: Application) -> None:
    words = ("fl_router_up", secured.host.router_image, "8080", "8443", "/etc/shadow")
    answer = secured.host.fl(*words, key="shop-test", stdin=base_config())
    assert answer.code == 1
    assert "certificate /etc/shadow cannot be read by deploy" in answer.err


def test_the_key_is_nobodys_to_read(secured: Application) -> None:
    path = "/opt/fairlead/router/certificates/shop-test.pem"
    assert secured.host.must(f"stat -c '%a %G' {path}") == "660 docker"


def test_another_application_without_one_leaves_it(secured: Application) -> None:
    host = secured.host
    words = ("fl_router_up", host.router_image, "8080", "8443")
    host.did(*words, key="blog-test", stdin=base_config())
    assert served(host)[0] == "CN=first"
    host.did(*words, key="shop-test", stdin=base_config())
    with pytest.raises((ConnectionError, ssl.SSLError)):
        served(host)


def test_http_redirects_where_it_is_wanted(secured: Application) -> None:
    host = secured.host
    wanted = RoutedApplication("shop-test", secured.settings.services, https_redirect=8443)
    host.must("cat >/tmp/blue.cfg", slot_config(wanted, "blue"))
    host.did("fl_router_apply", "shop-test-blue", "/tmp/blue.cfg", key="shop-test")
    connection = http.client.HTTPConnection(host.address, 8080, timeout=10)
    connection.request("GET", "/a?b=c", headers={"Host": "shop.test:8080"})
    answer = connection.getresponse()
    assert answer.status == 308
    assert answer.getheader("Location") == "https://shop.test:8443/a?b=c"
    answer.read()
    connection.request("GET", "/.well-known/acme-challenge/x", headers={"Host": "shop.test"})
    assert connection.getresponse().read() == b"blue0"
    assert served(host)[1] == "blue0"
    request = ("GET", "/a", "shop.test", "2")
    for entrance, said in (("8080", 308), ("https", 200)):
        asked = host.did("fl_ask_router", "0", entrance, *request, key="shop-test")
        assert [one.status for one in parse_answers(asked.out)[0]] == [said]
    smoke = host.did("fl_smoke", "https", "shop", *request, "200", "blue0", key="shop-test")
    assert "passed  shop" in smoke.out.splitlines()
    with pytest.raises(ConnectionError):
        socket.create_connection((host.address, 8081), timeout=10)
