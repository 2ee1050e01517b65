"""What is backed up, what is kept, whose data a rollback restores, and in which order."""

from dataclasses import replace

import pytest
from factories import (
    API,
    REDIS,
    WORKER,
    a_container,
    a_migration,
    a_situation,
    an_environment,
    deployed,
    kept,
    target_of,
)
from plans import argvs, named, names, words

from fairlead.config import Backup as Rules
from fairlead.config import BackupData
from fairlead.engines.compose.layout import Layout
from fairlead.errors import GateRefused, HostError, UsageError
from fairlead.model import Result
from fairlead.rollout.backups.choice import choose_data, crossed, refuse_to_cross
from fairlead.rollout.backups.retention import doomed, protected
from fairlead.rollout.backups.verify import verify
from fairlead.rollout.observe import STATE
from fairlead.rollout.observed import Backup
from fairlead.rollout.session import Session
from fairlead.rollout.strategies import blue_green, restoring

CACHE = BackupData("cache", "redis", "redis")
HOUR, DAY = 3600, 86400
NOW = 1_800_000_000


def environment(name="staging", **rules):
    return an_environment(
        services=(API, WORKER, REDIS),
        roles={"web1": ("web", "data")},
        name=name,
        backup=Rules(data=(CACHE,), **rules),
    )


def a_backup(stamp, sequence, release="0001-v1", age=HOUR, size=1000):
    dump = {"name": "cache", "kind": "redis", "service": "redis", "bytes": size, "seconds": 1.0}
    return Backup(stamp, release, sequence, {"taken": NOW - age, "data": [dump]})


def state(declared, *backups, **changes):
    return deployed(declared, backups=backups, clock=NOW, **changes)


class TestTake:
    def step(self, declared, **changes):
        situation = a_situation(declared, {"web1": state(declared)})
        target = replace(situation.target, dump=True, **changes)
        return named(blue_green.plan(replace(situation, target=target)), "backup")

    def test_data_come_between_beginning_and_end(self):
        step = self.step(environment())
        assert words(step) == ["fl_backup_begin", "fl_backup_data", "fl_backup_end"]
        assert argvs(step)[1][2:6] == ("cache", "optional", "fl_kind_redis", "redis")
        assert step.undo["web1"][0].argv == ("fl_backup_drop", "20251202-143022")

    def test_in_production_they_are_required_unless_said_otherwise(self):
        assert argvs(self.step(environment("production")))[1][3] == "required"

    def test_a_service_that_comes_with_this_deploy_has_none_yet(self):
        declared = environment()
        without = replace(
            state(declared),
            containers=tuple(c for c in state(declared).containers if c.service != "redis"),
        )
        situation = a_situation(declared, {"web1": without})
        situation = replace(situation, target=replace(situation.target, dump=True))
        assert words(named(blue_green.plan(situation), "backup")) == ["fl_backup"]

    def test_a_host_with_data_services_only_backs_up_what_serves(self):
        """Its release is the one that serves elsewhere: it has no slot of its own."""
        declared = an_environment(
            hosts=("web1", "db1"),
            services=(API, REDIS),
            roles={"web1": ("web",), "db1": ("data",)},
            backup=Rules(data=(CACHE,)),
        )
        first = target_of(declared, 1, "v1")
        db1 = deployed(
            declared,
            "db1",
            containers=(a_container("redis", "", "", backend=""),),
            releases=(kept(first, "db1"),),
        )
        situation = a_situation(declared, {"db1": db1})
        situation = replace(situation, target=replace(situation.target, dump=True))
        step = named(blue_green.plan(situation), "backup")
        assert words(step, "web1") == ["fl_backup"]
        assert words(step, "db1") == ["fl_backup_begin", "fl_backup_data", "fl_backup_end"]

    def test_where_nothing_serves_any_more_the_data_are_backed_up_all_the_same(self):
        """As after a rollback with data that was killed between its stop and its switch."""
        declared = environment()
        down = state(declared, live_runtime=None, live_file=None)
        situation = a_situation(declared, {"web1": down})
        situation = replace(situation, target=replace(situation.target, dump=True))
        step = named(blue_green.plan(situation), "backup")
        assert argvs(step)[0] == ("fl_backup_begin", "20251202-143022", "0001-v1", "2")

    def test_an_irreversible_migration_marks_its_release_first(self):
        declared = replace(environment(), migrate=replace(a_migration(), irreversible=True))
        situation = a_situation(declared, {"web1": state(declared)})
        assert words(named(blue_green.plan(situation), "migrate"))[0] == "fl_irreversible"


class TestRetention:
    """Law 12."""

    def stamps(self, rules, *backups, **changes):
        declared = environment()
        return [one.stamp for one in doomed(state(declared, *backups, **changes), rules, 5)]

    def test_more_than_wanted_the_oldest_go(self):
        held = [a_backup(f"2025120{n}-000000", 2, "0009-old") for n in range(1, 6)]
        assert self.stamps(Rules(keep=3), *held) == ["20251202-000000", "20251201-000000"]

    def test_order_is_by_sequence_not_by_name(self):
        held = [a_backup("20250101-000000", 7, "0009-x"), a_backup("20260101-000000", 3, "0009-x")]
        assert self.stamps(Rules(keep=1), *held) == ["20260101-000000"]

    def test_too_old_by_the_hosts_own_clock(self):
        held = [
            a_backup("20251202-000000", 3, "0009-x"),
            a_backup("20251201-000000", 2, "0009-x", 8 * DAY),
        ]
        assert self.stamps(Rules(keep_for=7 * DAY), *held) == ["20251201-000000"]

    def test_beyond_the_room_they_may_take(self):
        held = [a_backup(f"2025120{n}-000000", n, "0009-x", size=600) for n in (1, 2, 3)]
        assert self.stamps(Rules(keep_size=1200), *held) == ["20251201-000000"]

    def test_the_newest_stays_whatever_the_rules_say(self):
        held = [a_backup("20251202-000000", 3, "0009-x", 90 * DAY, 10**12)]
        assert self.stamps(Rules(keep_for=DAY, keep_size=1), *held) == []

    def test_the_newest_of_each_release_a_rollback_could_go_to_stays(self):
        held = [
            a_backup("20251204-000000", 9, "0009-x"),
            a_backup("20251203-000000", 2, "0001-v1"),
            a_backup("20251202-000000", 2, "0001-v1"),
        ]
        assert self.stamps(Rules(keep=1), *held) == ["20251202-000000"]
        assert protected(state(environment(), *held), 5) == {"20251204-000000", "20251203-000000"}

    def test_a_backup_of_files_only_is_none_of_its_business(self):
        held = [a_backup("20251204-000000", 9, "0009-x"), Backup("20251201-000000", "0001-v1", 2)]
        assert self.stamps(Rules(keep=1), *held) == []


class TestChoice:
    def test_a_way_that_is_cut_off_is_refused_with_the_command_that_goes(self):
        seen = {"web1": state(environment(), irreversible=("0003-v3",))}
        assert crossed(seen, 2) == ("0003-v3",)
        assert crossed(seen, 3) == ()
        with pytest.raises(GateRefused) as refused:
            refuse_to_cross(seen, "0002-v2", 2)
        assert refused.value.exit_code == 4
        assert "0003-v3 is irreversible" in refused.value.what
        assert "inv rollback --to=0002-v2 --with-data" in refused.value.next_step

    def test_the_newest_of_the_release(self):
        declared = environment()
        held = (a_backup("20251203-000000", 2), a_backup("20251201-000000", 2))
        chosen = choose_data(declared, {"web1": state(declared, *held)}, "0001-v1", 1)
        assert (chosen.stamp, chosen.data) == ("20251203-000000", {"web1": (CACHE,)})

    def test_one_taken_after_the_destruction_is_not_before_it(self):
        """A failed deploy's migration ran; what was backed up since holds the destroyed data."""
        declared = environment()
        held = (a_backup("20251203-000000", 3), a_backup("20251201-000000", 2))
        seen = {"web1": state(declared, *held, irreversible=("0002-v2",))}
        assert choose_data(declared, seen, "0001-v1", 1).stamp == "20251201-000000"
        with pytest.raises(UsageError, match="from before the migration of release 2"):
            choose_data(declared, seen, "0001-v1", 1, "20251203-000000")

    def test_it_must_be_on_every_host_with_data(self):
        declared = an_environment(
            hosts=("web1", "web2"),
            services=(API, REDIS, replace(REDIS, name="queue", roles=("more",))),
            roles={"web1": ("web", "data"), "web2": ("web", "more")},
            backup=Rules(data=(CACHE, BackupData("jobs", "redis", "queue"))),
        )
        seen = {
            "web1": deployed(declared, "web1", backups=(a_backup("20251203-000000", 2),)),
            "web2": deployed(declared, "web2", backups=()),
        }
        with pytest.raises(UsageError, match="no backup holds the data of 0001-v1"):
            choose_data(declared, seen, "0001-v1", 1)

    def test_where_no_data_are_declared_there_are_none(self):
        declared = an_environment()
        with pytest.raises(UsageError, match="no data are declared"):
            choose_data(declared, {"web1": deployed(declared)}, "0001-v1", 1)


class TestRestoring:
    def plan(self, *, live="0002"):
        declared = environment()
        first, second = target_of(declared, 1, "v1"), target_of(declared, 2, "v2")
        serving, idle = (second, first) if live == "0002" else (first, second)
        host = state(declared, a_backup("20251201-000000", 2), target=serving, idle=idle)
        part = first.hosts["web1"]
        target = replace(first, stamp="20251203-000000", dump=True, hosts={"web1": part})
        if live == "0001":
            target = replace(target, hosts={})
        situation = a_situation(declared, {"web1": host}, target)
        data = choose_data(declared, {"web1": host}, "0001-v1", 1)
        return restoring.plan(situation, data)

    def test_nothing_is_touched_before_the_backup_is_proven_and_another_taken(self):
        order = names(self.plan())
        road = ["check", "backup", "stop", "restore", "start", "health", "switch"]
        assert [name for name in order if name in road] == road

    def test_both_slots_are_stopped_though_one_waits_warm(self):
        """What waits warm holds connections and may write; it is started again after."""
        plan = self.plan()
        stopped = [argv[1:] for argv in argvs(named(plan, "stop")) if argv[0] == "fl_retire"]
        assert stopped == [("agentic-staging-blue", "0"), ("agentic-staging-green", "0")]
        assert "fl_activate" in words(named(plan, "start"))

    def test_undo_brings_back_the_data_that_were_there_and_then_the_release(self):
        plan = self.plan()
        (back,) = named(plan, "restore").undo["web1"]
        assert back.argv[:3] == ("fl_backup_return", "20251203-000000", "cache")
        assert "fl_revive" in [c.argv[0] for c in named(plan, "stop").undo["web1"]]
        assert not named(plan, "restore").interruptible

    def test_what_is_live_already_goes_on_with_the_older_data(self):
        order = names(self.plan(live="0001"))
        assert order == ["check", "backup", "stop", "restore", "resume"]

    def test_afterwards_the_way_is_free_again(self):
        assert argvs(self.plan().tidy[0]) == [("fl_backup_restored", "2", "cache")]


def test_every_look_tells_the_clock_and_what_is_irreversible():
    """They come with the records: kept from an earlier look they would be there twice."""
    assert {"clock", "irreversible", "backups"} <= STATE


class Looked:
    """Hosts that look like this, and what they say when they are asked."""

    def __init__(self, states, said=""):
        self.states, self.said = states, said
        self.asked = {}

    def look(self):
        return self.states

    def ask(self, commands):
        self.asked |= {name: [one.argv for one in said] for name, said in commands.items()}
        return {name: Result(name, 1 if self.said else 0, "", self.said, 0.1) for name in commands}


def verified(declared, fleet, **how):
    return verify(Session(declared, Layout.of(declared), fleet, print, str), **how)


class TestVerify:
    def test_a_host_that_does_not_answer_is_a_failure_and_hides_no_other(self):
        """So `on_failure` is told of it, with what is known of the others."""
        roles = {"web1": ("web", "data"), "web2": ("web", "data")}
        both = an_environment(("web1", "web2"), (API, REDIS), roles, backup=Rules(data=(CACHE,)))
        states = {
            "web1": state(both, a_backup("20251202-120000", 3)),
            "web2": HostError("web2", "cannot be reached"),
        }
        two, one = verified(both, Looked(states))
        assert (one.host, one.ok) == ("web1", True)
        assert (two.host, two.why) == ("web2", "cannot be looked at: web2: cannot be reached")

    @pytest.mark.parametrize("said", ["backup is not whole: data/manifest.json is missing", ""])
    def test_an_older_backup_is_no_stand_in_for_a_broken_one(self, said):
        """The newest is looked at, and fails, though the one before it is young enough."""
        declared = environment()
        broken = Backup("20251202-130000", "0001-v1", 4, broken=True)
        seen = state(declared, a_backup("20251202-120000", 3), broken)
        fleet = Looked({"web1": seen}, said)
        [finding] = verified(declared, fleet)
        assert fleet.asked["web1"] == [("fl_backup_check", broken.stamp, "cache")]
        assert (finding.stamp, finding.ok) == (broken.stamp, False)
        assert finding.why == (said or "its data/manifest.json cannot be read")

    def test_one_of_files_alone_is_passed_over(self):
        """A deploy with --skip-backup leaves one, after the last that has data."""
        declared = environment()
        files = Backup("20251202-130000", "0001-v1", 4)
        fleet = Looked({"web1": state(declared, a_backup("20251202-120000", 3), files)})
        [finding] = verified(declared, fleet)
        assert (finding.stamp, finding.ok) == ("20251202-120000", True)
