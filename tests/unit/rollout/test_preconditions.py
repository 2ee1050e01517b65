"""What a host must be like before anything is touched: each fault in a sentence with its remedy."""

from dataclasses import replace

import pytest
from factories import an_environment, an_image, empty_host, images_for, target_of

from fairlead.errors import LockHeld, PreconditionError
from fairlead.rollout.observed import LockHolder
from fairlead.rollout.preconditions import (
    check_hosts,
    check_images,
    check_lock,
    check_routes,
    compose_version,
    host_faults,
)

ENVIRONMENT = an_environment()
MIB = 1024 * 1024


def faults(**changes):
    return host_faults(ENVIRONMENT, empty_host(**changes))


class TestAHost:
    def test_a_fit_one_has_none(self):
        """Docker, Compose, flock and a place to write: that is all."""
        assert faults() == []

    @pytest.mark.parametrize(
        ("changes", "says", "remedy"),
        [
            ({"docker": "missing"}, "Docker is not installed", "inv host.setup"),
            (
                {"docker": "unreachable permission denied"},
                "Docker does not answer: permission denied",
                "group docker",
            ),
            (
                {"compose": "2.23.3"},
                "Docker Compose is 2.23.3, which is too old; 2.24 or newer is needed",
                "apt-get install docker-compose-plugin",
            ),
            ({"compose": "missing"}, "Docker Compose is missing; 2.24", "inv host.setup"),
            ({"flock": False}, "`flock` is missing", "install util-linux"),
            (
                {"writable": "no /opt"},
                "cannot write /opt/agentic/staging: /opt is not writable",
                "inv host.setup",
            ),
        ],
    )
    def test_a_fault_says_what_is_missing_and_what_to_do(self, changes, says, remedy):
        """One sentence per fault."""
        [fault] = faults(**changes)
        assert says in fault
        assert remedy in fault

    def test_without_docker_nothing_else_is_complained_of(self):
        """What cannot be known for want of Docker is no fault of its own."""
        assert len(faults(docker="missing", compose="", flock=False)) == 1

    def test_all_faults_of_all_hosts_come_at_once(self):
        """One run tells everything there is to repair."""
        observed = {
            "web1": empty_host("web1", docker="missing"),
            "web2": empty_host("web2", flock=False, compose="1.29.2"),
        }
        with pytest.raises(PreconditionError) as caught:
            check_hosts(ENVIRONMENT, observed)
        told = (caught.value.what, *caught.value.why)
        assert [line.partition(":")[0] for line in told] == ["web1", "web2", "web2"]
        assert caught.value.state == "nothing was changed"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("2.26.1", (2, 26)),
        ("v2.24.0-desktop.1", (2, 24)),
        ("2.26.1-4", (2, 26)),
        ("10.0", (10, 0)),
        ("missing", (0, 0)),
        ("", (0, 0)),
    ],
)
def test_versions_are_compared_as_numbers(text, version):
    """2.9 is older than 2.24, whatever distributions append."""
    assert compose_version(text) == version


class TestImages:
    def check(self, platforms=("linux/amd64",), size=0, **state):
        images = images_for(ENVIRONMENT, "v2")
        images["api"] = an_image("api", "v2", platforms=platforms, size=size)
        target = target_of(ENVIRONMENT, images=images)
        check_images({"web1": empty_host(**state)}, target)

    @pytest.mark.parametrize(
        "platforms", [(), ("linux/amd64",), ("linux/arm64", "linux/amd64"), ("linux/amd64/v2",)]
    )
    def test_one_that_runs_here_passes(self, platforms):
        """One platform of several must fit; what a registry does not tell is no fault."""
        self.check(platforms)

    def test_another_platform_is_refused_with_both_names(self):
        """What the image is for, what the host is, and what to build."""
        with pytest.raises(PreconditionError) as caught:
            self.check(("linux/arm64",))
        assert caught.value.what == (
            "web1: image registry.test/api:v2 is for linux/arm64, the host is linux/amd64; "
            "build it for linux/amd64"
        )

    def test_arm_variants_fit(self):
        """`linux/arm64` on the host is served by `linux/arm64/v8`."""
        self.check(("linux/arm64/v8",), platform="linux/arm64")

    def test_too_little_room_is_refused_with_the_numbers(self):
        """Images unpack to three times what is pulled; how much is free and needed is told."""
        with pytest.raises(PreconditionError) as caught:
            self.check(size=200 * MIB, disk_kib=500 * 1024)
        assert "500 MiB free" in caught.value.what
        assert "needs about 700 MiB" in caught.value.what
        assert "registry.test/api:v2" in caught.value.what

    def test_enough_room_passes(self):
        """Just enough is enough."""
        self.check(size=200 * MIB, disk_kib=700 * 1024)

    def test_what_is_there_already_needs_no_room_and_no_check(self):
        """A host that has the image pulls nothing."""
        image = an_image("api", "v2")
        self.check(("linux/arm64",), 10**12, images={image.pinned: True}, disk_kib=1)


class TestRoutes:
    def test_another_application_s_route_is_refused(self):
        """Who has it is told; nothing was changed."""
        observed = {"web1": empty_host(foreign_routes={"*/": "shop-live"})}
        with pytest.raises(PreconditionError) as caught:
            check_routes(observed, target_of(ENVIRONMENT))
        assert caught.value.what == "web1: route */ belongs to shop-live already"

    def test_other_routes_of_others_are_no_matter(self):
        """Applications share a router by their names."""
        observed = {"web1": empty_host(foreign_routes={"shop.test/": "shop-live"})}
        check_routes(observed, target_of(ENVIRONMENT))


class TestTheLock:
    HOLDER = LockHolder("ada@laptop", "2025-12-02T14:30:22Z", "deploy v2", 42)

    def test_a_held_lock_tells_who_since_when_and_doing_what(self):
        """Exit 3, and how long at most."""
        with pytest.raises(LockHeld) as caught:
            check_lock({"web1": empty_host(lock=self.HOLDER)})
        assert caught.value.what == (
            "web1 is locked by ada@laptop since 2025-12-02T14:30:22Z: deploy v2"
        )
        assert "42 s" in caught.value.why[0]
        assert caught.value.exit_code == 3
        assert "inv lock.release" in caught.value.next_step

    def test_an_ended_lease_is_no_obstacle(self):
        """Who was killed keeps nobody waiting beyond the lease."""
        check_lock({"web1": empty_host(lock=replace(self.HOLDER, seconds_left=0))})
