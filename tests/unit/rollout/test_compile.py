"""From what is declared to a release: each host's files, and a record that reads back."""

import json
from dataclasses import replace

import pytest
from factories import (
    API,
    REDIS,
    SECRET,
    WORKER,
    a_migration,
    an_environment,
    an_image,
    target_of,
)

from fairlead.config import Service
from fairlead.config.traffic import Router
from fairlead.errors import UsageError
from fairlead.model import Secret
from fairlead.rollout import manifest
from fairlead.rollout.compile import replicas
from fairlead.rollout.target import HostTarget

ROLES = {"web1": ("web",), "db1": ("data",)}
BOTH = an_environment(("web1", "db1"), (API, WORKER, REDIS), ROLES)


def part(environment=BOTH, host="web1"):
    return target_of(environment).hosts[host]


def compose_of(files, name):
    return json.loads(files[name])["services"]


class TestWhoGetsWhat:
    def test_services_go_to_the_hosts_with_their_role(self):
        """Slotted ones into the slots' files, stateful ones into the shared file."""
        web, data = part(host="web1"), part(host="db1")
        assert web.replicas == {"api": 2, "worker": 1}
        assert (web.routed, web.workers, web.stateful) == (("api",), ("worker",), ())
        assert (data.replicas, data.stateful) == ({}, ("redis",))
        assert set(compose_of(web.files, "blue.yaml")) == {"api", "worker"}
        assert set(compose_of(data.files, "shared.yaml")) == {"redis"}
        assert "shared.yaml" not in web.files

    def test_a_host_pulls_only_what_it_runs(self):
        """By digest, each once."""
        assert part(host="db1").images == (an_image("redis", "7").pinned,)

    def test_a_service_without_roles_runs_everywhere(self):
        """No role means every host."""
        everywhere = replace(WORKER, roles=())
        environment = an_environment(("web1", "db1"), (everywhere,), ROLES)
        assert part(environment, "db1").replicas == {"worker": 1}

    def test_the_migration_has_one_host(self):
        """The first that runs its service."""
        hosts = ("db1", "web1", "web2")
        roles = {**ROLES, "web2": ("web",)}
        environment = an_environment(hosts, (API, REDIS), roles, migrate=a_migration())
        assert target_of(environment).migration.host == "web1"

    def test_hosts_without_the_migrations_are_refused(self):
        """As `--hosts` may leave it: the service is named, and the hosts that are left."""
        environment = an_environment(("db1",), (API, REDIS), ROLES, migrate=a_migration())
        with pytest.raises(UsageError, match="the migration runs in api, and that on none of db1"):
            target_of(environment)


@pytest.mark.parametrize(
    ("declared", "body", "count"),
    [
        (3, {"deploy": {"replicas": 9}}, 3),
        (None, {"deploy": {"replicas": 4}}, 4),
        (None, {"scale": 5}, 5),
        (None, {}, 1),
    ],
)
def test_how_many_is_said_here_else_in_the_compose_file(declared, body, count):
    """The configuration wins; without a word anywhere it is one."""
    environment = an_environment(services=(replace(API, replicas=declared),))
    assert replicas(environment, {"services": {"api": body}}, "api") == count


class TestFiles:
    def test_a_release_has_all_that_a_rollback_needs(self):
        """Both slots, their routing, the env, the manifest and the break-glass scripts."""
        assert set(part().files) == {
            *("blue.yaml", "green.yaml", "router-blue.cfg", "router-green.cfg", "routes"),
            *("env", "manifest.json", "rollback.sh", "smoke_tests.sh"),
        }

    def test_secrets_are_in_the_env_file_alone(self):
        """Slotted services read them from there; no other file of the release has one."""
        holding = [name for name, text in part().files.items() if SECRET.encode() in text]
        assert holding == ["env"]

    def test_images_are_pinned_in_every_slot(self):
        """Law 3: no tag is left that could move."""
        for slot in ("blue", "green"):
            for body in compose_of(part().files, f"{slot}.yaml").values():
                assert "@sha256:" in body["image"]

    def test_the_same_input_makes_the_same_bytes(self):
        """A plan can be compared with the one before."""
        assert target_of(BOTH) == target_of(BOTH)
        assert part().files == part().files

    def test_another_value_is_another_digest(self):
        """What differs between two releases is found by digest."""
        other = replace(BOTH, variables={"TOKEN": Secret("other")})
        before, after = part(), part(other)
        assert {n for n in before.digests if before.digests[n] != after.digests[n]} == {"env"}

    def test_a_host_of_workers_has_a_rollback_without_a_router(self):
        """There may be no router to speak to."""
        script = part(an_environment(services=(WORKER,))).files["rollback.sh"].decode()
        assert "  fl_make_room" in script
        assert "/router-${slot}.cfg" not in script
        assert "/router-${slot}.cfg" in part().files["rollback.sh"].decode()


class TestTheManifest:
    def test_it_is_read_back_as_it_was_written(self):
        """A rollback has the very target that the deploy had."""
        one = part()
        document = json.loads(one.files["manifest.json"])
        again = HostTarget.of_manifest("web1", document)
        assert again == replace(one, files={})
        assert manifest.images(document) == {
            name: replace(image, size=0, platforms=())
            for name, image in target_of(BOTH).images.items()
        }

    def test_it_says_where_the_release_came_from(self):
        """Number, tag, application, environment, time, strategy and configuration."""
        document = json.loads(part().files["manifest.json"])
        assert (
            document.items()
            >= {
                "id": "0002-v2",
                "sequence": 2,
                "tag": "v2",
                "app": "agentic",
                "environment": "staging",
                "created": "2025-12-02T14:30:22Z",
                "strategy": "blue-green",
                "config_hash": "c0ffee",
            }.items()
        )


def test_trusted_proxies_are_the_applications_own():
    """They move with its slots, and so do not concern others behind the same router."""
    environment = an_environment(router=Router(trusted_proxies=("10.0.0.0/8",)))
    assert "acl trusted src 10.0.0.0/8" in part(environment).files["router-blue.cfg"].decode()


def test_server_slots_of_the_router_come_in_fours():
    """One replica more needs no reload of the router."""
    for count, slots in ((1, 4), (4, 4), (5, 8)):
        service = Service("api", "r/api", ("web",), count, 80, API.routes)
        config = part(an_environment(services=(service,))).files["router-blue.cfg"].decode()
        assert f"1-{slots} agentic-staging-blue-api:80" in config
