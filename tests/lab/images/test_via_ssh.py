"""No registry: a host gets the layers it lacks over SSH, and a deploy uses what it got."""

import os

import pytest

from tests.lab.hosts import clear

PORT = 5997


@pytest.fixture(scope="module")
def host(hosts):
    return hosts(1)[0]


@pytest.fixture(scope="module")
def shop(sources, host, lab):
    more = f'image = "localhost:{PORT}/imgssh/api"\n'
    shop = sources("imgssh")
    file = shop.folder / "deploy/fairlead.toml"
    file.write_text(file.read_text().replace(f'image = "{lab.registry}/imgssh/api"\n', more))
    (shop.folder / "deploy/staging.toml").write_text(f"""\
url = "http://{host.address}"
keep_warm = "1s"
drain_timeout = "1s"
[router]
image = "{lab.registry}/haproxy:3.0"
[services.api]
routes = ["imgssh.test"]
health = "/etc/hostname"
[ssh]
user = "deploy"
key = "{lab.key}"
known_hosts = "{lab.known_hosts}"
[hosts.one]
address = "{host.address}"
""")
    (shop.folder / "compose.yaml").write_text(
        "services:\n  api:\n    image: api\n    build: api\n    stop_grace_period: 1s\n"
    )
    text = file.read_text()
    begin, end = text.index("[build.services.web]"), text.index("[build.services.api.smoke]")
    text = text[:begin] + text[end:]
    begin, end = text.index("[services.web]"), text.index("[services.api]")
    file.write_text(text[:begin] + text[end:])
    shop.commit("hosts")
    clear([host], "imgssh", ("staging",))
    yield shop
    clear([host], "imgssh", ("staging",))
    host.run(f"docker images -q localhost:{PORT}/imgssh/api | sort -u | xargs -r docker rmi -f")


def send(shop):
    shop.inv("build", "--service=api", "--json").ok()
    return shop.inv("push", "--service=api", "--via-ssh", "--env=staging", "--json").ok().result


def test_only_the_layer_a_host_lacks_is_sent(shop, host):
    first = send(shop)
    (shop.folder / "api/big").write_bytes(b"\0" * 3_000_000 + os.urandom(1_000_000))
    shop.commit("one layer")
    second = send(shop)
    sent = second["hosts"]["one"]["bytes_sent"]
    assert (
        1_000_000 < sent < 1_060_000
    )  # the layer as it is packed, the manifests, the configuration
    digest = second["digests"]["api"]
    assert digest != first["digests"]["api"]
    known = host.must(
        f"docker image inspect -f '{{{{.RepoDigests}}}}' localhost:{PORT}/imgssh/api@{digest}"
    )
    assert digest in known


def test_what_is_there_already_costs_nothing(shop):
    send(shop)
    again = shop.inv("push", "--service=api", "--via-ssh", "--env=staging", "--json").ok().result
    assert again["hosts"]["one"]["bytes_sent"] == 0


def test_a_deploy_takes_what_was_sent(shop, host):
    """The tag means the image built here, the host has it, and there is no registry to ask."""
    sent = send(shop)
    tag = f"main-{shop.git('rev-parse', 'HEAD')[:12]}"
    deployed = shop.inv("deploy", "--env=staging", f"--tag={tag}", "--json").ok().result
    assert deployed["digests"]["api"] == sent["digests"]["api"]
    assert host.get("/etc/hostname", "imgssh.test").status == 200


def test_a_real_registry_is_no_place_for_it(shop, lab):
    file = shop.folder / "deploy/fairlead.toml"
    text = file.read_text()
    try:
        file.write_text(text.replace(f"localhost:{PORT}", lab.registry))
        shop.inv("build").ok()
        run = shop.inv("push", "--via-ssh", "--env=staging")
    finally:
        file.write_text(text)
    assert run.code == 2
    assert "without a registry the hosts know an image as" in run.err
