"""This repository's own deploy/: its example built, tried, pushed, and deployed by its tag."""

import shutil
import subprocess

import pytest

from tests.lab.builder import Sources
from tests.lab.hosts import ROOT, clear

APP = "agentic-own"  # `agentic` itself may be deployed by who tries the example


@pytest.fixture
def own(lab, hosts, builder, docker_config, tmp_path, unscanned):
    """A clone as a team would have it: another name, its own builder, one host."""
    (host,) = hosts(1)
    words = ("git", "clone", "-q", "--depth=1", f"file://{ROOT}", str(tmp_path / "clone"))
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    clone = Sources(tmp_path / "clone", lab, builder, docker_config, APP)
    file = clone.folder / "deploy/fairlead.toml"
    text = file.read_text().replace('app = "agentic"', f'app = "{APP}"')
    file.write_text(
        text.replace('}/agentic"', f'}}/{APP}"') + f'\n[build]\nbuilder = "{builder}"\n'
    )
    values = {
        "LAB_REGISTRY": lab.registry,
        "LAB_HOST1": host.address,
        "REDIS_IMAGE": f"{lab.registry}/redis:8",
        "SECRET_KEY": "of-this-test-alone",
        "REDIS_URL": "redis://redis:6379/0",
        "GREETING": "Hello",
    }
    env = "".join(f"{name}={value}\n" for name, value in values.items())
    (clone.folder / ".env").write_text(env)
    (clone.folder / ".lab").symlink_to(ROOT / ".lab")
    clone.commit("ours")
    clear([host], APP, ("staging",))
    yield clone, host
    clear([host], APP, ("staging",))
    shutil.rmtree(clone.folder)


def test_from_the_commit_to_a_host_that_answers_with_its_tag(own):
    clone, host = own
    built = clone.inv("build", "--json").ok().result
    (image,) = built["images"]  # api and worker are one image
    assert image["services"] == ["api", "worker"]
    assert image["smoke"] == "passed"
    pushed = clone.inv("push", "--json").ok().result
    assert pushed["digests"] == built["digests"]
    tag = built["tags"][0]
    deployed = clone.inv("deploy", "--env=staging", f"--tag={tag}", "--json").ok().result
    assert deployed["outcome"] == "done"
    assert host.get("/api/v1/version", host.address).json()["version"] == tag
