"""What two slots could not share is refused by its key, with the way out; the rest is said."""

import pytest

from fairlead.engines.compose.refusals import refusals, resets

FILE = "deploy/compose.yaml"


def refused(body, volumes=None):
    project = {"services": {"api": body}, "volumes": volumes or {}}
    return {one.path: one.message for one in refusals(project, {"api"}, FILE)}


@pytest.mark.parametrize(
    ("body", "key", "says"),
    [
        ({"network_mode": "host"}, "network_mode", "`host` gives both slots the same ports"),
        ({"network_mode": "service:db"}, "network_mode", "`service:db` ties it to another"),
        ({"network_mode": "container:x"}, "network_mode", "which the router cannot reach"),
        ({"volumes": [{"type": "volume", "target": "/data"}]}, "volumes[0]", "has no name"),
        ({"links": ["db"]}, "links", "ties it to containers by name"),
        ({"external_links": ["db"]}, "external_links", "ties it to containers by name"),
        ({"volumes_from": ["db"]}, "volumes_from", "ties it to containers by name"),
    ],
)
def test_each_key_is_named_with_its_reason(body, key, says):
    """The problem says where in the compose file it is, and why it cannot be doubled."""
    found = refused(body)
    assert list(found) == [f"services.api.{key}"]
    assert says in found[f"services.api.{key}"]


def test_a_volume_that_each_slot_would_have_of_its_own_is_refused():
    """A volume Compose would name by project splits the data; the way to name it is shown."""
    mount = {"type": "volume", "source": "data", "target": "/data"}
    message = refused({"volumes": [mount]}, {"data": None})["services.api.volumes[0]"]
    assert "each slot would have its own data" in message
    assert "name:" in message
    assert "stateful = true" in message


@pytest.mark.parametrize("declared", [{"name": "shop-data"}, {"external": True}])
def test_a_volume_with_a_name_of_its_own_is_shared(declared):
    """Both slots mount the same volume: nothing to refuse."""
    mount = {"type": "volume", "source": "data", "target": "/data"}
    assert refused({"volumes": [mount]}, {"data": declared}) == {}


@pytest.mark.parametrize(
    "volume",
    [
        {"type": "bind", "source": "/etc/ssl", "target": "/ssl"},
        {"type": "tmpfs", "target": "/tmp"},
    ],
)
def test_what_is_no_volume_is_no_matter(volume):
    """Paths of the host and memory are each container's own."""
    assert refused({"volumes": [volume]}) == {}


def test_all_are_told_in_one_run():
    """Every service's every key, sorted by service."""
    bad = {"network_mode": "host", "links": ["x"]}
    project = {"services": {"b": bad, "a": bad}}
    paths = [one.path for one in refusals(project, {"a", "b"}, FILE)]
    assert paths == [
        "services.a.network_mode",
        "services.a.links",
        "services.b.network_mode",
        "services.b.links",
    ]
    assert str(refusals(project, {"a"}, FILE)[0]).startswith("deploy/compose.yaml: services.a.")


def test_stateful_services_may_have_them():
    """What runs once has nothing to share: only slotted services are looked at."""
    assert refusals({"services": {"db": {"network_mode": "host"}}}, set(), FILE) == []


def test_what_is_reset_is_said_in_the_plan():
    """`ports`, `container_name` and `restart` are not kept, and a sentence says so."""
    body = {"ports": [{"target": 80, "published": "8080"}, {"target": 81}], "container_name": "x"}
    body["restart"] = "no"
    assert resets({"services": {"api": body, "other": {}}}, {"api", "other"}, {"api"}) == [
        "api: `ports` (8080, 81) is reset; the router takes its traffic",
        "api: `container_name` is reset; two slots need two names",
        "api: `restart: no` becomes always, which outlives a reboot",
    ]


def test_what_ends_by_itself_is_no_service():
    """Where something waits for its end; else a restart policy is a hint, and the plan has it."""
    ends = {"migrate": {"condition": "service_completed_successfully"}, "db": None}
    services = {"api": {"depends_on": ends}, "migrate": {"restart": "no"}, "db": {}}
    [problem] = refusals({"services": services}, {"api", "migrate"}, FILE)
    assert problem.path == "services.api.depends_on.migrate.condition"
    assert "[migrate] of deploy/fairlead.toml" in problem.message
    [note] = resets({"services": services}, {"api", "migrate"}, {"api"})
    assert note.startswith("migrate: `restart: no` becomes always")
    assert note.endswith("run such a job as [migrate]")
    del services["migrate"]  # `scale: 0`
    assert refusals({"services": services}, {"api"}, FILE) == []


NETWORKS = {
    "front": {"driver": "bridge", "ipam": {}},
    "db": {"external": True, "name": "shared"},
}


class TestNetworks:
    """Its own networks become the slot's; external ones are joined."""

    def refused(self, settings, key="front", slotted=("api",), **more):
        networks = {**NETWORKS, **more}
        project = {"services": {"api": {"networks": {key: settings}}}, "networks": networks}
        return {one.path: one.message for one in refusals(project, set(slotted), FILE)}

    def noted(self, *keys, slotted=("api",), **more):
        body = {"networks": dict.fromkeys(keys)}
        project = {"services": {"api": body}, "networks": {**NETWORKS, **more}}
        return resets(project, set(slotted), set())

    def test_a_name_outside_that_both_slots_would_answer_to_is_refused(self):
        """The idle slot is not proven yet, and others would reach it."""
        found = self.refused({"aliases": ["api.internal"]}, "db")
        assert list(found) == ["services.api.networks.db.aliases"]
        assert self.refused({"aliases": ["api.internal"]}, "db", slotted=()) == {}
        assert self.refused({"aliases": ["web"]}) == {}

    @pytest.mark.parametrize("key", ["front", "db"])
    def test_two_slots_cannot_have_one_address(self, key):
        """What runs once may keep the one it has on a network that is not ours."""
        found = self.refused({"ipv4_address": "10.0.0.7"}, key)
        assert list(found) == [f"services.api.networks.{key}.ipv4_address"]
        once = self.refused({"ipv4_address": "10.0.0.7"}, key, slotted=())
        assert bool(once) is (key == "front")

    @pytest.mark.parametrize("lost", [{"internal": True}, {"driver": "overlay"}])
    def test_a_promise_that_would_not_hold_is_refused(self, lost):
        """No slot's network keeps its containers from the outside."""
        found = self.refused(None, "back", slotted=(), back=lost)
        assert list(found) == [f"networks.back.{next(iter(lost))}"]
        assert "`external: true`" in found[f"networks.back.{next(iter(lost))}"]

    def test_what_is_joined_and_what_is_lost_is_said_in_the_plan(self):
        """Nothing of it happens in silence."""
        assert self.noted("front") == []
        assert self.noted("db") == [
            "api: joins the host's network `shared`; there `api` is both slots while both run"
        ]
        assert self.noted("db", slotted=()) == ["api: joins the host's network `shared`"]
        assert self.noted("front", "back", back={"name": "x", "ipam": {"config": []}}) == [
            "networks `back`, `front` become one, the slot's: what they kept apart is not",
            "network `back`: `ipam`, `name` not kept; the slot's network stands for it",
        ]
