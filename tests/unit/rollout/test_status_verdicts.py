"""One sentence over all hosts, and the exit code that goes with it."""

import json
from dataclasses import replace

import pytest
from factories import REDIS, an_environment, deployed, empty_host, target_of

from fairlead.errors import HostError
from fairlead.rollout.journal import parse
from fairlead.rollout.observed import Live, LockHolder
from fairlead.rollout.status import describe, overall

ENVIRONMENT = an_environment(("web1", "web2"))
ONE, TWO = target_of(ENVIRONMENT, 1, "v1"), target_of(ENVIRONMENT, 2, "v2")


def serving(name, target=ONE, **changes):
    return deployed(ENVIRONMENT, name, target=target, **changes)


def verdict(**states):
    found = overall(states)
    return found.sentence, found.exit_code, found.payload["outcome"]


def without(state, *services):
    left = tuple(c for c in state.containers if c.service not in services)
    return replace(state, containers=left)


def sick(state, **changes):
    first, *rest = state.containers
    return replace(state, containers=(replace(first, **changes), *rest))


class TestOverall:
    def test_all_serve_one_release(self):
        """Exit 0, and which."""
        found = verdict(web1=serving("web1"), web2=serving("web2"))
        assert found == ("0001-v1 serves", 0, "serving")

    def test_nothing_was_deployed(self):
        """An empty environment is in order."""
        assert verdict(web1=empty_host("web1")) == ("nothing is deployed yet", 0, "empty")

    @pytest.mark.parametrize("changes", [{}, {"live_runtime": None, "live_file": None}])
    def test_what_was_proven_and_is_gone_is_an_outage(self, changes):
        """Somebody removed the live containers, or the router's map too: that is not `empty`."""
        gone = replace(serving("web1"), containers=(), **changes)
        sentence, code, outcome = verdict(web1=gone)
        assert (code, outcome) == (1, "down")
        assert "rollback --to=0001-v1" in sentence

    @pytest.mark.parametrize(
        "changes",
        [{"status": "exited"}, {"health": "unhealthy"}, {"health": "starting"}],
    )
    def test_one_that_is_not_well(self, changes):
        """Exit 1, and where."""
        found = verdict(web1=serving("web1"), web2=sick(serving("web2"), **changes))
        assert found == (
            "0001-v1 serves, but not every container is healthy on web2",
            1,
            "degraded",
        )

    @pytest.mark.parametrize("gone", [("worker",), ("api", "worker")])
    def test_one_whose_containers_are_gone(self, gone):
        """Removed by hand: what the release should have there is known from its manifest."""
        found = verdict(web1=serving("web1"), web2=without(serving("web2"), *gone))
        assert found[1:] == (1, "degraded")
        assert "web2" in found[0]

    def test_hosts_that_disagree(self):
        """Exit 6: each host is named with what it serves."""
        sentence, code, outcome = verdict(web1=serving("web1"), web2=serving("web2", TWO))
        assert (code, outcome) == (6, "mixed")
        assert "web1 0001-v1 (blue)" in sentence
        assert "web2 0002-v2 (blue)" in sentence
        assert "inv rollback --to=0001-v1 or --to=0002-v2 brings all to it" in sentence

    def test_a_roll_out_half_way(self):
        """A share of the requests to another slot is neither the one nor the other."""
        half = serving("web1", idle=TWO, live_runtime=Live("blue", "green", 5000))
        assert verdict(web1=half, web2=serving("web2"))[1:] == (6, "mixed")

    def test_a_host_that_does_not_answer(self):
        """What is not known is not claimed."""
        found = verdict(web1=serving("web1"), web2=HostError("web2", "cannot be reached"))
        assert found == ("web2 cannot be reached", 6, "unknown")

    def test_a_host_of_data_alone_serves_no_release(self):
        """A database's host has no slot to be in order, and does not spoil the verdict."""
        roles = {"web1": ("web",), "db1": ("data",)}
        environment = an_environment(
            ("web1", "db1"), (*ENVIRONMENT.services.values(), REDIS), roles
        )
        states = {name: deployed(environment, name) for name in ("web1", "db1")}
        assert verdict(**states) == ("0001-v1 serves", 0, "serving")

    def test_the_payload_tells_each_host_and_who_is_at_work(self):
        """What JSON readers get."""
        lock = LockHolder("ada", "2025-12-02T14:30:22Z", "deploy v2", 42)
        payload = overall({"web1": serving("web1", lock=lock)}).payload
        assert payload["hosts"] == {"web1": "0001-v1"}
        assert payload["locked"] == {"web1": "deploy v2"}
        assert payload["unreachable"] == []


class TestNotes:
    def notes(self, state):
        return describe(ENVIRONMENT, {state.host: state})[1]

    def test_a_well_host_has_none(self):
        """Silence is health."""
        assert self.notes(serving("web1")) == []

    def test_a_container_that_ended_is_named(self):
        """Name, exit code, and whether it was for memory."""
        [note] = self.notes(sick(serving("web1"), status="exited", exit_code=137, oom=True))
        assert "agentic-staging-blue-api-1 is exited (exit code 137, out of memory)" in note

    def test_a_warm_slot_s_stopped_containers_are_no_news(self):
        """The old release is meant to be stopped."""
        state = serving("web1", idle=TWO)
        stopped = tuple(
            replace(c, status="exited") if c.slot == "green" else c for c in state.containers
        )
        assert self.notes(replace(state, containers=stopped)) == []

    def test_a_router_and_its_file_that_disagree(self):
        """What a kill between the two left."""
        [note] = self.notes(serving("web1", live_file=Live("green")))
        assert "the router serves blue, its file says green" in note

    def left(self, steps):
        """A host with a run that got through these steps, and was left there."""
        about = {
            "verb": "deploy",
            "doing": "deploy v2",
            "who": "ada@laptop",
            "release": "0002-v2",
            "tag": "v2",
            "strategy": "blue-green",
            "live": "blue",
            "services": [],
            "started": "2025-12-02T14:30:22Z",
            "serving": ["switch"],
        }
        run = parse(f"20251202-1 - 2025-12-02T14:30:25Z {steps} {json.dumps(about)}")
        return replace(serving("web1"), runs=(run,))

    def test_a_run_that_never_finished(self):
        """Where it stopped; and, where what serves was changed, the two ways on."""
        [note] = self.notes(self.left("001.start=0"))
        assert "deploy v2 by ada@laptop is at `start`" in note
        assert "nothing that serves was changed" in note
        [note] = self.notes(self.left("001.start=0,002.switch=?"))
        assert "inv deploy --resume finishes it, inv rollback takes it back" in note

    def test_only_a_run_that_changed_what_serves_is_a_failure(self):
        assert overall({"web1": self.left("001.start=0")}).exit_code == 0
        verdict = overall({"web1": self.left("001.start=0,002.switch=?")})
        assert (verdict.exit_code, verdict.payload["outcome"]) == (1, "unfinished")

    def test_a_host_that_does_not_answer_has_a_row(self):
        """Every host of the environment is in the table."""
        rows, _ = describe(ENVIRONMENT, {"web1": HostError("web1", "gone")})
        assert rows[0][:2] == ("web1", "no answer")

    def test_a_row_tells_slot_replicas_and_what_waits(self):
        """Release, slot, healthy of all, the idle slot, the lock."""
        [row], _ = describe(ENVIRONMENT, {"web1": serving("web1", idle=TWO)})
        assert row == ("web1", "0001-v1", "blue", "3/3 healthy", "0002-v2 warm", "free")

    def test_a_lock_whose_lease_has_ended_is_free_to_take(self):
        """No negative seconds: it is said who left it."""
        lock = LockHolder("ada@laptop", "2025-12-02T14:30:22Z", "deploy v2", -3)
        [row], _ = describe(ENVIRONMENT, {"web1": replace(serving("web1"), lock=lock)})
        assert row[-1] == "free: left by ada@laptop, deploy v2"
