"""An application that lives gets HTTPS as docs/how-to/own-host.md has it, and loses it again."""

import datetime
import ssl
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.lab.project import SMOKE

PEM = "/opt/secure.pem"


def certificate(address: str) -> str:
    """A certificate for this address that signs itself, and its key, as one PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now = datetime.datetime.now(datetime.UTC)
    place = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(place, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (signed.public_bytes(pem) + private).decode()


def test_a_certificate_and_a_redirect_come_and_go(project, image, tmp_path):
    app = project("secure")
    app.deploy(image("https-v1")).ok()

    host = app.hosts[0]
    pem = certificate(host.address)
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(pem)
    host.must(f"umask 077; cat >{PEM}", stdin=pem)
    app.url = False
    app.smoke = SMOKE + '[[smoke]]\nname = "tls"\npath = "/health"\ntls_days = 14\n'
    app.staging = (
        f'url = "https://{host.address}"\n[router]\ncertificate = "{PEM}"\nredirect_http = true\n'
    )
    here = {"SSL_CERT_FILE": str(trusted)}
    app.write().deploy(image("https-v2"), env=here).ok()
    assert app.get("/api/v1/version").status == 308
    assert ssl.get_server_certificate((host.address, 443), timeout=10) in pem
    assert app.inv("smoke", "--env=staging", env=here).ok()
    assert "FAILED" not in host.must(f"sh {app.base}/deploy/smoke_tests.sh")

    host.must(f"rm {PEM}")
    app.url, app.staging, app.smoke = True, "", SMOKE
    app.write().deploy(image("https-v1")).ok()
    assert app.serving() == "https-v1"
    with pytest.raises(OSError, match=r"EOF|reset|refused|closed"):
        ssl.get_server_certificate((host.address, 443), timeout=10)
