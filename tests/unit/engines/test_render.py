"""A compose project becomes the files that run on a host: resolved, pinned, labelled."""

import json
import shutil
import subprocess
from typing import Any

import pytest
from factories import an_image
from hypothesis import given
from hypothesis import strategies as st

from fairlead.engines.compose.layout import Layout
from fairlead.engines.compose.render import Identity, Placement, shared_file, slot_file
from fairlead.engines.compose.source import MARK
from fairlead.model import SLOTS

LAYOUT = Layout("shop-live", "/opt/shop/live")
IMAGES = {name: an_image(name) for name in ("api", "worker", "redis")}


def placement(
    name: str, replicas: int = 1, routed: bool = False, takes_env: bool = False
) -> Placement:
    return Placement(name, replicas, routed, takes_env, "8000 /health" if routed else "")


def slot(body: dict[str, Any], slot: str = "blue", release: str = "0001-v1", **more: Any) -> Any:
    """The service `api` in the file of a slot."""
    return document(body, slot, release, **more)["services"]["api"]


def document(
    body: dict[str, Any],
    slot: str = "blue",
    release: str = "0001-v1",
    placements: tuple[Placement, ...] = (placement("api", 3, True, True),),
    **project: Any,
) -> Any:
    source = {"services": {"api": body, "worker": {}, "redis": {}}, **project}
    identity = Identity("shop", "live", release)
    return json.loads(slot_file(source, placements, IMAGES, LAYOUT, identity, slot))


def shared(
    body: dict[str, Any], variables: dict[str, str] | None = None, release: str = "0001-v1",
    takes_env: bool = False, **project: Any,
) -> Any:  # fmt: skip
    """The service `redis` in the file of the stateful ones, and the whole file."""
    source = {"services": {"redis": body, "api": {}}, **project}
    identity = Identity("shop", "live", release)
    here = (placement("redis", takes_env=takes_env),)
    whole = json.loads(shared_file(source, here, IMAGES, LAYOUT, identity, variables or {}))
    return whole["services"]["redis"], whole


class TestASlot:
    def test_the_image_is_pinned(self):
        """What runs is a digest, whatever the compose file calls it (law 3)."""
        assert slot({"image": "api:${IMAGE_TAG}"})["image"] == IMAGES["api"].pinned

    def test_labels_tell_whose_it_is(self):
        """Truth is read from labels: application, environment, service, release, slot, backend."""
        labels = slot({"labels": {"team": "a"}}, "green", "0007-v7")["labels"]
        assert (
            labels.items()
            >= {
                "team": "a",
                "fairlead.key": "shop-live",
                "fairlead.app": "shop",
                "fairlead.environment": "live",
                "fairlead.service": "api",
                "fairlead.release": "0007-v7",
                "fairlead.slot": "green",
                "fairlead.backend": "shop-live-api-green",
            }.items()
        )

    def test_a_project_cannot_forge_them(self):
        """A label of ours in the compose file does not survive."""
        assert slot({"labels": {"fairlead.slot": "x"}})["labels"]["fairlead.slot"] == "blue"

    def test_a_worker_has_no_backend(self):
        """The router is told of routed services only."""
        whole = document({}, placements=(placement("worker"),))
        assert "fairlead.backend" not in whole["services"]["worker"]["labels"]

    @pytest.mark.parametrize(
        "key", ["ports", "container_name", "build", "profiles", "links", "env_file"]
    )
    def test_what_two_slots_cannot_share_is_left_out(self, key):
        """Ports, names and networks are each slot's own; nothing is built on a host."""
        assert "of the project" not in json.dumps(slot({key: ["of the project"]}))

    def test_it_lives_in_its_slot_s_network(self):
        """One external network per slot, and a name there that only this slot answers to."""
        whole = document({}, "green")
        assert whole["name"] == "shop-live-green"
        assert whole["networks"] == {"default": {"name": "shop-live-green", "external": True}}
        networks = whole["services"]["api"]["networks"]
        assert networks == {"default": {"aliases": ["shop-live-green-api"]}}

    def test_it_joins_networks_that_the_host_has(self):
        """An external network is joined besides the slot's, under the name it has there."""
        networks = {"default": {"external": True, "name": "shared"}, "front": {"ipam": {}}}
        body = {"networks": {"default": None, "front": {"aliases": ["web"]}}}
        whole = document(body, networks=networks)
        assert whole["services"]["api"]["networks"] == {
            "default": {"aliases": ["shop-live-blue-api", "web"]},
            "external-default": None,
        }
        assert whole["networks"] == {
            "default": {"name": "shop-live-blue", "external": True},
            "external-default": {"name": "shared", "external": True},
        }

    def test_it_comes_back_after_a_reboot(self):
        """Only `always` survives a killed dockerd."""
        assert slot({"restart": "no"})["restart"] == "always"

    def test_as_many_as_declared(self):
        """The number of replicas is ours to say, not the compose file's."""
        body = slot({"deploy": {"replicas": 9, "resources": {"limits": {"cpus": "1"}}}, "scale": 9})
        assert body["scale"] == 3
        assert body["deploy"] == {"resources": {"limits": {"cpus": "1"}}}

    def test_the_release_s_env_file_is_its_own(self):
        """A service that takes the environment reads this release's file, and knows who it is."""
        body = slot({"environment": {"A": "1"}, MARK: True}, release="0007-v7")
        assert body["env_file"] == [{"path": "/opt/shop/live/releases/0007-v7/env"}]
        assert body["environment"] == {
            "A": "1",
            "FAIRLEAD_RELEASE": "0007-v7",
            "FAIRLEAD_SLOT": "blue",
        }
        assert MARK not in body

    def test_one_that_takes_no_env_file_gets_none(self):
        """A third party's image is not handed our secrets."""
        whole = document({}, placements=(placement("worker"),))
        assert "env_file" not in whole["services"]["worker"]

    def test_it_waits_only_for_what_is_here(self):
        """Dependencies on services of other hosts, or outside the slots, are left out."""
        depends = {"worker": {"condition": "service_started"}, "redis": {}}
        both = (placement("api"), placement("worker"))
        body = document({"depends_on": depends}, placements=both)["services"]["api"]
        assert body["depends_on"] == {"worker": {"condition": "service_started"}}
        assert "depends_on" not in slot({"depends_on": {"redis": {}}})

    def test_an_empty_list_is_kept(self):
        """`entrypoint: []` takes the image's away, and must arrive; null says nothing."""
        body = slot({"entrypoint": [], "command": None})
        assert body["entrypoint"] == []
        assert "command" not in body

    def test_named_volumes_come_along(self):
        """Volumes that services use are declared as in the project; the others are not."""
        mount = {"type": "volume", "source": "data", "target": "/data"}
        volumes = {"data": {"name": "shop-data"}, "other": {"name": "x"}}
        whole = document({"volumes": [mount]}, volumes=volumes)
        assert whole["volumes"] == {"data": {"name": "shop-data"}}

    def test_the_two_slots_differ_by_name_only(self):
        """Blue and green are the same release: one text with another slot's name."""
        texts = [
            json.dumps(document({"environment": {"A": "1"}}, one)).replace(one, "SLOT")
            for one in SLOTS
        ]
        assert texts[0] == texts[1]

    def test_the_project_is_left_as_it_was(self):
        """Rendering one slot does not change what the other is rendered from."""
        body = {"deploy": {"replicas": 2}, "labels": {"a": "b"}, "ports": [1]}
        before = json.dumps(body)
        slot(body)
        assert json.dumps(body) == before

    @given(st.dictionaries(st.sampled_from("abcdefgh"), st.text(max_size=5)), st.randoms())
    def test_equal_projects_make_equal_bytes(self, environment, random):
        """The order in which a file was written does not show: same input, same digest."""
        shuffled = list(environment.items())
        random.shuffle(shuffled)
        sources = ({"environment": environment}, {"environment": dict(shuffled)})
        identity = Identity("shop", "live", "0001-v1")
        one, two = (
            slot_file(
                {"services": {"api": s}}, (placement("api"),), IMAGES, LAYOUT, identity, "blue"
            )
            for s in sources
        )
        assert one == two


class TestTheSharedFile:
    def test_nothing_of_the_release_is_in_it(self):
        """Two releases with the same database have the same file: it is not re-created."""
        mount = {"type": "volume", "source": "data", "target": "/data"}
        project = {"volumes": {"data": None}}
        texts = [
            json.dumps(shared({"volumes": [mount]}, {"A": "1"}, release, True, **project)[1])
            for release in ("0001-v1", "0002-v2")
        ]
        assert texts[0] == texts[1]
        assert "0001" not in texts[0]
        assert "env_file" not in texts[0]

    def test_it_is_the_project_of_the_environment(self):
        """Stateful services live outside the slots, and both slots reach them by name."""
        body, whole = shared({})
        assert whole["name"] == "shop-live"
        assert body["networks"] == {"blue": None, "green": None}
        assert whole["networks"]["green"] == {"name": "shop-live-green", "external": True}
        assert "fairlead.slot" not in body["labels"]
        assert body["labels"]["fairlead.key"] == "shop-live"

    def test_ports_and_name_stay(self):
        """It runs once, so that it may keep the port and the name it has."""
        body, _ = shared({"ports": [{"target": 6379}], "container_name": "redis", "build": "."})
        assert body["ports"] == [{"target": 6379}]
        assert body["container_name"] == "redis"
        assert "build" not in body

    def test_with_a_network_mode_it_joins_no_network(self):
        """Compose refuses both; a stateful service may use the host's network."""
        assert "networks" not in shared({"network_mode": "host"})[0]

    def test_its_aliases_and_external_networks_are_kept(self):
        """It runs once, so a name of its own is nobody else's."""
        networks = {"back": None, "db": {"external": True}}
        given = {"back": {"aliases": ["cache"]}, "db": {"aliases": ["shop-redis"]}}
        body, whole = shared({"networks": given}, networks=networks)
        assert body["networks"] == {
            "blue": {"aliases": ["cache"]},
            "green": {"aliases": ["cache"]},
            "external-db": {"aliases": ["shop-redis"]},
        }
        assert whole["networks"]["external-db"] == {"name": "db", "external": True}

    def test_the_environment_is_written_into_it(self):
        """Its values are in the file, escaped for Compose; the service's own win."""
        body, _ = shared({"environment": {"B": "own"}}, {"A": "pa$$w$rd", "B": "x"}, takes_env=True)
        assert body["environment"] == {"A": "pa$$$$w$$rd", "B": "own"}

    def test_a_volume_without_a_name_stays_the_project_s(self):
        """`data` becomes `shop-live_data` in Compose's hands, at every release the same."""
        mount = {"type": "volume", "source": "data", "target": "/data"}
        _, whole = shared({"volumes": [mount]}, volumes={"data": None})
        assert whole["volumes"] == {"data": {}}


def compose_is_here() -> bool:
    if not shutil.which("docker"):
        return False
    words = ["docker", "compose", "version"]
    return subprocess.run(words, capture_output=True).returncode == 0


@pytest.mark.skipif(not compose_is_here(), reason="no Compose plugin here")
class TestComposeItself:
    """The real Compose reads what is rendered; no engine is needed for that."""

    def read(self, tmp_path, content):
        (tmp_path / "compose.json").write_text(json.dumps(content))
        words = ["docker", "compose", "-f", "compose.json", "config", "--format", "json"]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def test_it_accepts_a_slot(self, tmp_path):
        """Pinned, scaled, and with nothing left to fill in."""
        body = {"environment": {"PRICE": "5$$"}, "entrypoint": [], "depends_on": {"redis": {}}}
        whole = document(body, placements=(placement("api", 2, True),))
        found = self.read(tmp_path, whole)["services"]["api"]
        assert found["image"] == IMAGES["api"].pinned
        assert found["scale"] == 2
        assert found["environment"]["PRICE"] == "5$$"
        assert found["entrypoint"] == []

    @pytest.mark.parametrize("body", [{}, {"network_mode": "host"}])
    def test_it_accepts_the_shared_file(self, tmp_path, body):
        """Any value of the environment arrives as it is."""
        _, whole = shared(body, {"A": 'a$b"c\\d\ne'}, takes_env=True)
        found = self.read(tmp_path, whole)["services"]["redis"]["environment"]["A"]
        assert found.replace("$$", "$") == 'a$b"c\\d\ne'
