"""An image with what `[scan]` does not let pass is built, and goes no further."""

import json
import os

import pytest

from tests.tools import BIN, needs
from tests.trivy_database import write_database

SCAN = '[scan]\ntrivy = ["--cache-dir=trivy-cache", "--skip-db-update", "--offline-scan"]\n'
PLACE = "/usr/lib/python3/dist-packages/Jinja2.dist-info/METADATA"
METADATA = "Metadata-Version: 2.1\nName: Jinja2\nVersion: {}\n"  # all that a scanner looks at


@pytest.fixture
def shop(sources, monkeypatch):
    """A repository whose image holds a Jinja2 that an advisory warns of, on another platform."""
    needs("trivy")
    needs("syft")
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")
    files = {
        "web/Dockerfile": f"FROM scratch\nARG TARGETARCH\nCOPY METADATA-$TARGETARCH {PLACE}\n",
        "web/METADATA-amd64": METADATA.format("3.1.5"),
        "web/METADATA-arm64": METADATA.format("3.1.4"),
        ".gitignore": "trivy-cache/\n",
    }
    shop = sources("imgscan", files=files, more=SCAN)
    write_database(shop.folder / "trivy-cache")
    return shop


def test_a_finding_of_any_platform_keeps_it_from_being_recorded_and_pushed(shop):
    refused = shop.inv("build", "--service=web")
    assert refused.code == 1
    assert "has 1 finding of severity" in refused.err
    assert "neither recorded nor pushed" in refused.err
    assert not list(shop.folder.glob(".fairlead/builds/*.json"))
    assert "was built here and passed" in shop.inv("push", "--service=web").err

    (shop.folder / "web/METADATA-arm64").write_text(METADATA.format("3.1.5"))
    commit = shop.commit("a Jinja2 that is fixed")
    (image,) = shop.inv("build", "--service=web", "--json").ok().result["images"]
    assert (image["scan"], image["sbom"]) == ("passed", "passed")
    (sbom,) = shop.folder.glob(f".fairlead/sbom/{commit}/web*amd64.spdx.json")
    packages = json.loads(sbom.read_text())["packages"]
    assert "jinja2" in {one["name"] for one in packages}
    (parts,) = shop.folder.glob(f".fairlead/sbom/{commit}/web*amd64.cdx.json")
    cyclonedx = json.loads(parts.read_text())
    assert "jinja2" in {one["name"] for one in cyclonedx["components"]}
    assert cyclonedx["serialNumber"].startswith("urn:uuid:")
