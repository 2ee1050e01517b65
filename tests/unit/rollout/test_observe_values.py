"""A host's answer becomes values; what cannot be understood is an error that names the host."""

import pytest
from factories import REDIS, a_container, an_environment, deployed, empty_host, kept, target_of
from hypothesis import given
from hypothesis import strategies as st
from model_host import observed_text

from fairlead.errors import HostError
from fairlead.model import ReleaseStatus, Result
from fairlead.rollout.observe import parse_state
from fairlead.rollout.observed import Live, LockHolder, fingerprint
from fairlead.rollout.progress import read_progress

# As a host of the lab printed it, names changed.
CONTAINER = (
    '{"id":"602ba81a451898480b7b768e787e7439305427fc559671d63ad015e9320d0199",'
    '"name":"/agentic-staging-blue-api-1","image":"registry.test/api@sha256:1",'
    '"labels":{"com.docker.compose.oneoff":"False","fairlead.service":"api",'
    '"fairlead.slot":"blue","fairlead.release":"0001-v1",'
    '"fairlead.backend":"agentic-staging-api-blue"},"status":"exited","exit_code":137,'
    '"oom":true,"restarts":3,"started":"2026-11-20T19:03:14.782739415Z","health":"unhealthy"}'
)
RECORDED = """\
@pid 4711
@run 0
@docker 20.10.24+dfsg1 linux/x86_64
@disk 76713840 /var/lib/docker
@compose 2.26.1-4
@flock /usr/bin/flock
@writable yes
@router running haproxy:3.0 agentic-staging-blue,agentic-staging-green,fairlead-router
@router-ports 18080 18443
@router-config stale
@router-certificate /etc/ssl/private/staging.pem
@route shop.test/ shop-live
@live agentic-staging runtime=blue:green:3333 file=blue
@held\tada@laptop\t2025-12-02T14:30:22Z\tdeploy 0002-v2\t57\tt0k3n
@container {CONTAINER}
@release proven { "id": "0001-v1", "sequence": 1, "tag": "v1"}
@release prepared { "id": "0002-v2", "sequence": 2, "tag": "v2"}
@backup 20251202-143022 0000-v0 1
@backed-up-release proven { "id": "0000-v0", "sequence": 0, "tag": "v0"}
@files 0123456789abcdef fedcba9876543210
@audit {"event":"deploy","why":"a b"}
@image registry.test/api@sha256:1 present
@image registry.test/web@sha256:2 absent
@something-newer than this program
""".replace("{CONTAINER}", CONTAINER)


def parsed(text, code=0, err=""):
    return parse_state("web1", Result("web1", code, text, err, 0.0))


class TestARecordedAnswer:
    def test_the_host_itself(self):
        """Versions, platform in Docker's words, room, and that it could be written to."""
        state = parsed(RECORDED)
        assert (state.docker, state.platform) == ("20.10.24+dfsg1", "linux/amd64")
        assert (state.compose, state.flock, state.writable) == ("2.26.1-4", True, "yes")
        assert state.disk_kib == 76713840
        assert state.files == ("0123456789abcdef", "fedcba9876543210")
        assert state.last_audit == '{"event":"deploy","why":"a b"}'

    def test_the_router(self):
        """Its runtime counts; its file is told beside it, as are other applications' routes."""
        state = parsed(RECORDED)
        assert state.router.startswith("running haproxy:3.0 ")
        assert (state.router_ports, state.router_config) == ((18080, 18443), "stale")
        assert state.router_certificate == "/etc/ssl/private/staging.pem"
        assert state.live_runtime == Live("blue", "green", 3333)
        assert state.live_file == Live("blue")
        assert (state.live_slot, state.idle_slot) == ("blue", "green")
        assert state.foreign_routes == {"shop.test/": "shop-live"}

    def test_who_is_at_work(self):
        """The lock's fields, blanks included."""
        lock = parsed(RECORDED).lock
        assert lock == LockHolder(
            "ada@laptop", "2025-12-02T14:30:22Z", "deploy 0002-v2", 57, "t0k3n"
        )

    def test_a_container(self):
        """How it is, how it ended, and whose it is by its labels."""
        [one] = parsed(RECORDED).containers
        assert (one.id, one.name) == ("602ba81a4518", "agentic-staging-blue-api-1")
        assert (one.service, one.slot, one.release) == ("api", "blue", "0001-v1")
        assert (one.status, one.exit_code, one.oom, one.restarts) == ("exited", 137, True, 3)
        assert (one.health, one.backend) == ("unhealthy", "agentic-staging-api-blue")
        assert not one.running
        assert not one.one_off

    def test_what_is_kept(self):
        """Releases with their status, also those only a backup holds; backups; images."""
        state = parsed(RECORDED)
        found = [
            (one.id, one.sequence, one.status.value, one.from_backup) for one in state.releases
        ]
        assert found == [
            ("0001-v1", 1, "proven", False),
            ("0002-v2", 2, "prepared", False),
            ("0000-v0", 0, "proven", True),
        ]
        [backup] = state.backups
        assert (backup.stamp, backup.release, backup.sequence) == ("20251202-143022", "0000-v0", 1)
        assert state.images == {
            "registry.test/api@sha256:1": True,
            "registry.test/web@sha256:2": False,
        }


@pytest.mark.parametrize(
    ("machine", "platform"),
    [("x86_64", "linux/amd64"), ("aarch64", "linux/arm64"), ("riscv64", "linux/riscv64")],
)
def test_platforms_are_named_as_images_name_them(machine, platform):
    """What `uname -m` says is not what manifests say."""
    assert parsed(f"@docker 26.1 linux/{machine}").platform == platform


def test_docker_may_be_missing_or_silent():
    """Both are states of a host, not failures to look."""
    assert parsed("@docker missing").docker == "missing"
    assert parsed("@docker unreachable permission denied").docker == "unreachable permission denied"


def test_a_state_survives_being_told():
    """The test's own hosts speak the real format: what they show is read back as it is."""
    environment = an_environment(services=(*an_environment().services.values(), REDIS))
    state = deployed(environment, idle=target_of(environment))
    assert parsed(observed_text(state, environment.key)) == state


class TestWhatCannotBeUnderstood:
    @pytest.mark.parametrize(("text", "code"), [("", 0), ("hello", 0), ("@docker 26.1 l/x", 1)])
    def test_no_answer_and_half_an_answer_are_errors(self, text, code):
        """A look that broke off is no look: nothing is planned from it."""
        with pytest.raises(HostError, match="web1: gave no usable answer") as caught:
            parsed(text, code, "one\ntwo\nthree\nfour\n")
        assert caught.value.why == ("two", "three", "four")

    @pytest.mark.parametrize(
        "line",
        [
            "@release proven {broken",
            "@release burnt {}",
            "@release  {}",
            "@container {}",
            "@backup 20251202 0001-v1 x",
            "@disk",
            "@held\tada",
            "@live k runtime=blue:green:x file=-",
        ],
    )
    def test_a_damaged_line_names_the_host_and_itself(self, line):
        """A file damaged on a host is told, without a traceback."""
        with pytest.raises(HostError) as caught:
            parsed(f"@docker 26.1 linux/x86_64\n{line}")
        assert line[:20] in caught.value.what

    @given(st.lists(st.tuples(st.sampled_from(RECORDED.split()), st.text()), max_size=6))
    def test_any_output_is_a_state_or_an_error_of_the_host(self, pairs):
        """Whatever a host prints, nothing but a HostError comes of it."""
        text = "\n".join(f"{word} {rest}" for word, rest in pairs)
        from contextlib import suppress

        with suppress(HostError):
            parsed(text)


class TestLive:
    @pytest.mark.parametrize("text", ["blue", "green", "blue:green:3333"])
    def test_an_entry_is_written_as_it_is_read(self, text):
        """The map's own words, both ways."""
        assert str(Live.parse(text)) == text

    @pytest.mark.parametrize("text", ["", "-"])
    def test_nothing_is_live(self, text):
        """No entry means that nothing is served."""
        assert Live.parse(text) is None

    def test_the_runtime_counts_and_the_file_where_there_is_none(self):
        """A router that does not answer leaves the file as the best knowledge."""
        state = empty_host(live_runtime=Live("green"), live_file=Live("blue"))
        assert state.live_slot == "green"
        assert empty_host(live_file=Live("blue")).live_slot == "blue"
        assert empty_host().live_slot == ""
        assert empty_host().idle_slot == "blue"


class TestAState:
    def test_a_slot_of_two_releases_is_no_release(self):
        """What a killed roll-out left is not taken for either."""
        mixed = (a_container(release="0001-v1"), a_container(release="0002-v2", number=2))
        assert empty_host(containers=mixed).release_in("blue") == ""

    def test_one_off_containers_are_not_of_the_slot(self):
        """A migration's container is no replica."""
        state = empty_host(containers=(a_container(one_off=True),))
        assert state.slot("blue") == ()

    def test_half_way_two_releases_serve(self):
        """While the router shares, both slots' releases get requests."""
        environment = an_environment()
        state = deployed(
            environment, idle=target_of(environment), live_runtime=Live("blue", "green", 5000)
        )
        assert state.serving == ("0001-v1", "0002-v2")
        assert deployed(environment).serving == ("0001-v1",)


class TestFingerprint:
    """What must not have changed between the plan and the lock."""

    def setup_method(self):
        environment = an_environment()
        self.target = target_of(environment)
        self.state = deployed(environment, idle=self.target)

    def changed(self, **changes):
        from dataclasses import replace

        after = replace(self.state, **changes)
        one, two = (fingerprint(s, self.target.release) for s in (self.state, after))
        return one != two

    def test_a_switch_is_a_change(self):
        """Somebody else's roll-out came between."""
        assert self.changed(live_runtime=Live("green"))

    def test_another_router_is_a_change(self):
        """Another application brought its own, which is not to be moved."""
        assert self.changed(router_ports=(8080, 443))
        assert self.changed(router="absent")
        assert not self.changed(router=f"{self.state.router},blog-live-blue")

    def test_another_container_is_a_change(self):
        """A container more or less, or another in its place."""
        assert self.changed(containers=self.state.containers[1:])

    def test_a_release_more_is_a_change(self):
        """Somebody uploaded one."""
        more = (*self.state.releases, kept(self.target, status=ReleaseStatus.FAILED))
        assert self.changed(releases=more)

    def test_the_target_s_containers_must_stay_as_they_are(self):
        """A plan that rests on a warm slot is void when that slot has stopped."""
        from dataclasses import replace

        stopped = tuple(replace(c, status="exited") for c in self.state.containers)
        assert self.changed(containers=stopped)

    def test_a_crash_loop_of_the_old_release_is_none(self):
        """A fix can be deployed over what is running and restarting by turns."""
        from dataclasses import replace

        looping = tuple(
            replace(c, status="restarting") if c.release != self.target.release else c
            for c in self.state.containers
        )
        assert not self.changed(containers=looping)

    @pytest.mark.parametrize("change", [{"disk_kib": 1}, {"last_audit": "x"}, {"images": {}}])
    def test_other_things_may_change(self, change):
        """Room and the audit are no part of the plan."""
        assert not self.changed(**change)


class TestProgress:
    @pytest.mark.parametrize(
        ("line", "progress"),
        [
            ("@health containers 1 2", ("containers", 1, 2, "")),
            ("@health shop-blue 1/2 10.0.0.2 503", ("shop-blue", 1, 2, "10.0.0.2 503")),
            ("@drain shop-api-blue 7", ("open requests", 7, 0, "")),
            ("@drain shop-api-blue 0", ("all requests answered", 0, 0, "")),
            ("@drain-timeout shop-api-blue 7", ("open requests", 7, 0, "cut at drain_timeout")),
            ("@pull 3 9 api", ("layers", 3, 9, "api")),
            ("@run 3", None),
            ("@health", None),
        ],
    )
    def test_marks_tell_how_far_it_is(self, line, progress):
        """What moved, how much of how much, and a note."""
        assert read_progress(line) == progress

    @given(st.sampled_from(["@health", "@health containers", "@drain", "@pull"]), st.text())
    def test_what_only_looks_like_a_mark_is_none(self, word, rest):
        """A migration that prints `@health check passed` breaks no deploy."""
        found = read_progress(f"{word} {rest}")
        assert found is None or isinstance(found[1], int)
