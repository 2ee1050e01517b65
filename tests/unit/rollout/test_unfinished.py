"""What is left of a run whose client is gone, and which ways out there are."""

from dataclasses import dataclass, replace

import pytest
from factories import (
    API,
    REDIS,
    WORKER,
    a_migration,
    an_environment,
    containers_of,
    deployed,
    kept,
    target_of,
)
from plans import argvs, named, names, words

from fairlead.config import Backup as Rules
from fairlead.config import BackupData
from fairlead.engines.compose.layout import Layout
from fairlead.errors import GateRefused, PreconditionError
from fairlead.model import ReleaseStatus
from fairlead.rollout import journal
from fairlead.rollout.observed import Backup, LockHolder
from fairlead.rollout.resume import plan_resume
from fairlead.rollout.rollback import plan_rollback
from fairlead.rollout.session import Session
from fairlead.rollout.status import describe, overall
from fairlead.rollout.undo import plan_undo
from fairlead.rollout.unfinished import refuse_unfinished

ENVIRONMENT = an_environment(
    services=(API, WORKER, REDIS),
    roles={"web1": ("web", "data")},
    backup=Rules(data=(BackupData("cache", "redis", "redis"),)),
    migrate=replace(a_migration(), irreversible=True),
)
LAYOUT = Layout.of(ENVIRONMENT)
V1, V2 = target_of(ENVIRONMENT, 1, "v1"), target_of(ENVIRONMENT, 2, "v2")
OLD, PRESENT = "20251201-120000", "20251202-120000"
WITH_DATA = {"data_of": OLD, "data_before": PRESENT}
SERVING = ("stop", "restore", "switch", "restored", "tidy")


@dataclass
class Seen:
    """Hosts that look like this."""

    states: dict

    def observe(self):
        return self.states


def session(state, environment=ENVIRONMENT):
    return Session(environment, LAYOUT, Seen({"web1": state}), print, str)


def a_run(target, steps, verb, live, serving, **about):
    """A run as the host's journal tells it; of the last step nobody knows how it ended."""
    done = [f"{number:03d}.{name}=0" for number, name in enumerate(steps, 1)]
    told = ",".join(done).removesuffix("0") + "?"
    about = {
        "verb": verb,
        "doing": f"{verb} {target.tag}",
        "who": "ada@laptop",
        "release": target.release,
        "tag": target.tag,
        "strategy": "blue-green",
        "services": [],
        "started": "2025-12-02T14:30:22Z",
        **about,
    }
    plan = journal.Plan(
        tuple(journal.Step(one, one, {}, after_switch=True) for one in serving if one in steps)
    )
    return journal.parse(f"20251202-1 - - {told} {journal.header(about, plan, live)}")


def a_backup(stamp, release, sequence):
    dump = {"name": "cache", "kind": "redis", "service": "redis", "bytes": 9, "seconds": 1.0}
    return Backup(stamp, release, sequence, {"taken": 1, "data": [dump]})


class TestARollbackWithData:
    """From v2 in blue to v1 in green, with its data."""

    def left(self, *steps):
        """The host when the client was lost in the last of these steps."""
        run = a_run(V1, steps, "rollback", "blue", SERVING, **WITH_DATA)
        state = deployed(ENVIRONMENT, target=V2, runs=(run,))
        return replace(
            state,
            releases=(kept(V1), kept(V2)),
            backups=(a_backup(OLD, V1.release, 2), a_backup(PRESENT, V2.release, 3)),
            irreversible=(V2.release,),
            containers=(*state.containers, *containers_of(V1, "web1", "green", LAYOUT)),
        )

    @pytest.mark.parametrize("steps", [("stop",), ("stop", "restore"), ("restore", "switch")])
    def test_it_is_not_resumed_before_release_and_data_are_back(self, steps):
        with pytest.raises(PreconditionError) as caught:
            plan_resume(session(self.left(*steps)))
        assert "inv rollback takes it back, release and data" in caught.value.next_step
        assert f"inv rollback --to={OLD} --with-data" in caught.value.next_step

    @pytest.mark.parametrize("steps", [("stop", "restore"), ("restore", "switch")])
    def test_taken_back_the_data_come_first(self, steps):
        """Both slots are stopped, then the data of before are given back, then v2 serves again."""
        _, plan, _ = plan_undo(session(self.left(*steps)), any_=False)
        assert names(plan) == ["undo stop", "undo restore", "undo switch", "undo start"]
        stop = argvs(named(plan, "undo stop"))
        assert stop[0] == ("fl_switch", "-")
        assert [argv for argv in stop if argv[0] == "fl_retire"] == [
            ("fl_retire", "agentic-staging-blue", "0"),
            ("fl_retire", "agentic-staging-green", "0"),
        ]
        [back] = argvs(named(plan, "undo restore"))
        assert back[:3] == ("fl_backup_return", PRESENT, "cache")
        assert words(named(plan, "undo switch"))[0] == "fl_revive"

    def test_data_that_were_not_touched_stay(self):
        _, plan, _ = plan_undo(session(self.left("stop")), any_=False)
        assert names(plan) == ["undo switch", "undo start"]

    def test_no_release_is_started_on_data_that_are_half_restored(self):
        """v2 lost its data; without the refusal nothing would stand in its way."""
        down = replace(self.left("stop", "restore"), live_runtime=None, live_file=None)
        with pytest.raises(PreconditionError) as caught:
            plan_rollback(session(down), V2.release)
        assert "--with-data" in caught.value.next_step
        only_stopped = replace(self.left("stop"), live_runtime=None, live_file=None)
        assert plan_rollback(session(only_stopped), V2.release)

    def test_once_both_are_proven_it_goes_forward(self):
        """What is left is to say so: the marks go, v1 is proven, v2 rolled back."""
        left = self.left("restore", "switch", "restored")
        with pytest.raises(PreconditionError) as caught:
            plan_undo(session(left), any_=True)
        assert caught.value.next_step == "inv deploy --resume finishes it"
        there = deployed(ENVIRONMENT, target=V1, live="green").live_runtime
        switched = replace(left, live_runtime=there, live_file=there)
        _, plan, run = plan_resume(session(switched))
        assert run.release == V1.release
        assert (names(plan), [step.name for step in plan.tidy]) == ([], ["restored", "tidy"])
        assert argvs(named(plan, "restored")) == [("fl_backup_restored", "2", "cache")]
        assert plan.audit == WITH_DATA


class TestARestoreWithoutAJournal:
    """rollback.sh was killed in the restore of v1's data: only its mark tells of it."""

    DOWN = replace(
        deployed(ENVIRONMENT, target=V2, live_runtime=None, live_file=None),
        releases=(kept(V1), kept(V2)),
        half_restored=("cache",),
    )

    def test_status_does_not_send_a_release_there(self):
        verdict = overall({"web1": self.DOWN})
        assert (verdict.exit_code, verdict.payload["outcome"]) == (1, "unfinished")
        assert verdict.sentence.startswith("nothing serves, and a restore of the data of cache")
        assert f"inv rollback --to={V2.release} --with-data" in verdict.sentence
        [told] = verdict.payload["unfinished"]
        assert "a restore of the data of cache in web1" in told

    def test_while_it_goes_on_it_is_nobody_s_business(self):
        lock = LockHolder("ada@web1", "2025-12-02T14:30:22Z", "rollback.sh to 0001-v1", 42)
        assert overall({"web1": replace(self.DOWN, lock=lock)}).payload["outcome"] == "down"

    def test_nothing_is_started_on_such_data(self):
        for attempt in (
            lambda: plan_rollback(session(self.DOWN), V2.release),
            lambda: refuse_unfinished({"web1": self.DOWN}),
        ):
            with pytest.raises(PreconditionError, match="cache in web1 was begun") as caught:
                attempt()
            assert f"inv rollback --to={V2.release} --with-data" in caught.value.next_step

    def test_nor_is_a_run_that_was_left_before_it(self):
        left = replace(deploy_left("start", "switch", marked=()), half_restored=("cache",))
        for attempt in (plan_resume, lambda one: plan_undo(one, any_=True)):
            with pytest.raises(PreconditionError, match="nobody knows what they are"):
                attempt(session(left))

    def test_with_its_data_is_the_way_out(self):
        here = replace(self.DOWN, backups=(a_backup(PRESENT, V2.release, 3),))
        _, plan = plan_rollback(session(here), V2.release, with_data=True)
        [restore] = argvs(named(plan, "restore"))
        assert restore[:3] == ("fl_backup_restore", PRESENT, "cache")


def deploy_left(*steps, marked=(V2.release,), irreversible=True):
    """A deploy of v2 over v1 whose client was lost in the last of these steps."""
    run = a_run(V2, steps, "deploy", "blue", ("switch",), irreversible=irreversible)
    waiting = kept(V2, status=ReleaseStatus.PREPARED)
    state = deployed(ENVIRONMENT, target=V1, idle=V2, runs=(run,), irreversible=marked)
    return replace(state, releases=(kept(V1), waiting))


def test_a_deploy_is_resumed_by_the_configuration_it_began_with():
    """Its migration and checks come from here; others are refused, the way back is named."""
    state = deploy_left("migrate", "start")
    assert "switch" in names(plan_resume(session(state))[1])
    changed = replace(ENVIRONMENT, config_hash="0ther")
    with pytest.raises(PreconditionError, match="have changed since") as caught:
        plan_resume(session(state, changed))
    assert "inv rollback takes it back" in caught.value.next_step


class TestASlotThatWasPruned:
    """A deploy of v2 was cut off after the switch; then somebody removed what was stopped."""

    def left(self, *releases):
        state = deploy_left("start", "switch", marked=())
        return replace(state, releases=releases, containers=state.slot("green"))

    def test_the_only_thing_that_serves_is_not_taken_away(self):
        with pytest.raises(PreconditionError) as caught:
            plan_undo(session(self.left(kept(V1), kept(V2))), any_=False)
        assert "the containers from before it are gone from web1" in caught.value.what
        assert "inv deploy --resume" in caught.value.next_step

    def test_a_host_that_had_nothing_before_goes_back_to_nothing(self):
        _, plan, _ = plan_undo(session(self.left(kept(V2))), any_=False)
        assert names(plan) == ["undo switch", "undo start"]


class TestAnIrreversibleMigration:
    """Begun by a deploy of v2 over v1 whose client was lost."""

    def undone(self, state):
        _, plan, _ = plan_undo(session(state), any_=True)
        return plan

    @pytest.mark.parametrize("steps", [("migrate",), ("migrate", "start", "switch")])
    def test_going_back_across_it_is_refused(self, steps):
        """Exit 4, with the way forward and the way back with the data."""
        with pytest.raises(GateRefused) as caught:
            self.undone(deploy_left(*steps))
        assert f"the migration of {V2.release} is irreversible" in caught.value.what
        assert "inv deploy --resume" in caught.value.next_step
        assert f"inv rollback --to={V1.release} --with-data" in caught.value.next_step

    def test_one_that_was_turning_back_goes_on_and_says_so(self):
        """It had failed by itself; what serves has the data as they are already."""
        plan = self.undone(deploy_left("migrate", "start", "undo-start"))
        assert f"the migration of {V2.release} is irreversible and was begun" in plan.notes[0]

    @pytest.mark.parametrize("steps", [("migrate",), ("migrate", "start", "health")])
    def test_no_other_deploy_takes_its_place(self, steps):
        """v1 serves on data that it may not work with: neither is that "nothing was changed"."""
        state = deploy_left(*steps)
        with pytest.raises(PreconditionError) as caught:
            refuse_unfinished({"web1": state})
        assert "inv deploy --resume finishes it; inv rollback names" in caught.value.next_step
        verdict = overall({"web1": state})
        assert (verdict.exit_code, verdict.payload["outcome"]) == (1, "unfinished")
        _, [note] = describe(ENVIRONMENT, {"web1": state})
        assert "inv deploy --resume finishes it; inv rollback names the way back" in note

    @pytest.mark.parametrize(
        "state",
        [
            deploy_left("upload", marked=()),
            deploy_left("migrate", "health", marked=(), irreversible=False),
        ],
        ids=["before it", "reversible"],
    )
    def test_what_the_old_release_can_live_with_is_no_obstacle(self, state):
        refuse_unfinished({"web1": state})
        assert overall({"web1": state}).exit_code == 0

    def test_before_the_migration_there_is_nothing_to_cross(self):
        assert self.undone(deploy_left("upload", marked=())).notes == ()

    def test_the_mark_of_another_release_is_no_obstacle(self):
        """v1 served on these data when the run began."""
        assert self.undone(deploy_left("start", "switch", marked=("0003-v3",))).notes == ()
