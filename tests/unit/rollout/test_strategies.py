"""Plans: what each strategy does on which host, in which order, and how it is undone."""

import re
from dataclasses import replace

import pytest
from factories import (
    API,
    REDIS,
    WORKER,
    a_check,
    a_container,
    a_migration,
    a_situation,
    an_environment,
    deployed,
    empty_host,
    kept,
    target_of,
)
from plans import ABOUT_NETWORKS, all_commands, argvs, carry_out, model_hosts, named, names, words

from fairlead.commands.script import script
from fairlead.config import Health
from fairlead.config.connection import Registry
from fairlead.config.traffic import Router
from fairlead.model import ReleaseStatus, Secret
from fairlead.rollout.observed import Live
from fairlead.rollout.strategies import STRATEGIES

CHECK = a_check()
FULL = (API, WORKER, REDIS)


def plan(situation, strategy=None):
    return STRATEGIES[strategy or situation.environment.strategy](situation)


def everything(strategy="blue-green", hosts=("web1",), **more):
    """An environment with all a deploy can have: data, migration, checks, a login."""
    given = {
        "services": FULL,
        "roles": {"web1": ("web", "data")},
        "smoke": (CHECK,),
        "url": "https://shop.test",
        "migrate": a_migration(),
        "registry": Registry("registry.test", "ada", Secret("pw")),
    }
    return an_environment(hosts, strategy=strategy, **{**given, **more})


class TestBlueGreen:
    def test_a_redeploy_proves_the_idle_slot_then_switches(self):
        """Prepared, started, proven, switched, checked, drained: in this order, on green."""
        found = plan(a_situation(everything()))
        assert names(found) == [
            *("backup", "upload", "pull", "migrate", "start", "health", "smoke-idle"),
            *("switch", "smoke-host", "smoke-client", "drain", "workers"),
        ]
        started = words(named(found, "start"))
        assert started.index("fl_make_room") < started.index("up") == len(started) - 1
        assert argvs(named(found, "switch")) == [("fl_switch", "green")]
        assert words(named(found, "tidy")) == ["fl_status", "fl_retire", "fl_prune"]

    @pytest.mark.parametrize(
        ("keep_warm", "seen", "title"),
        [
            (600.0, {}, "keep the old slot warm for 600 s, prune"),
            (0.0, {}, "stop the old slot, prune"),
            (600.0, {"web1": empty_host()}, "put 0002-v2 on record, prune"),
        ],
    )
    def test_the_end_says_what_becomes_of_the_old_slot(self, keep_warm, seen, title):
        """Where there is none, nothing is said of it."""
        found = plan(a_situation(everything(keep_warm=keep_warm), seen))
        assert named(found, "tidy").title == title

    def test_a_first_deploy_is_gated_like_any_other(self):
        """Nothing to back up, drain or stop; the router comes up first, and routes are new."""
        environment = everything()
        found = plan(a_situation(environment, {"web1": empty_host()}))
        assert names(found) == [
            *("upload", "pull", "router", "data", "migrate", "start", "health"),
            *("smoke-idle", "switch", "smoke-host", "smoke-client"),
        ]
        assert words(named(found, "switch")) == ["fl_router_routes", "fl_switch"]
        assert argvs(named(found, "switch"))[-1] == ("fl_switch", "blue")
        assert named(found, "switch").undo["web1"][0].argv == ("fl_switch", "-")
        assert words(named(found, "tidy")) == ["fl_status", "fl_prune"]

    def test_what_is_right_already_is_not_done(self):
        """No pull of what is present, and no login; data and router stay."""
        environment = everything()
        target = target_of(environment)
        state = deployed(environment)
        images = {**state.images, **dict.fromkeys(target.hosts["web1"].images, True)}
        found = plan(a_situation(environment, {"web1": replace(state, images=images)}, target))
        assert not {"pull", "router", "data"} & set(names(found))

    @pytest.mark.parametrize("before", ["", "/etc/old.pem", "/etc/new.pem"])
    @pytest.mark.parametrize("after", ["", "/etc/new.pem"])
    def test_a_certificate_is_installed_exchanged_and_removed(self, before, after):
        """Whether there is one, and where from, is part of how the router should run."""
        environment = an_environment(router=Router(certificate=after))
        state = deployed(environment, router_certificate=before)
        found = plan(a_situation(environment, {"web1": state}))
        assert ("router" in names(found)) is (before != after)
        if before != after:
            up = argvs(named(found, "router"))[1]
            assert up == ("fl_router_up", "haproxy:3.0", "80", "443", *filter(None, [after]))

    def test_a_router_that_was_replaced_comes_back_after_a_failure(self):
        """What was live is reached at the old ports, so they are part of what an undo restores."""
        environment = an_environment(router=Router(http_port=8080))
        state = deployed(environment, router_certificate="/etc/old.pem")
        found = named(plan(a_situation(environment, {"web1": state})), "router")
        assert argvs(found)[1] == ("fl_router_up", "haproxy:3.0", "8080", "443")
        [back] = found.undo["web1"]
        assert back.argv == ("fl_router_up", "haproxy:3.0", "80", "443", "/etc/old.pem")

    @pytest.mark.parametrize("router", ["absent", "running haproxy:3.0 0-fairlead-router"])
    def test_a_router_that_is_only_started_or_joined_stays(self, router):
        """There is none to bring back, or it is the same one."""
        environment = an_environment()
        state = deployed(environment, router=router)
        assert named(plan(a_situation(environment, {"web1": state})), "router").undo == {}

    def test_the_switch_is_one_entry_per_host(self):
        """All services of a host move by one atomic command, each host to its own idle slot."""
        environment = an_environment(("web1", "web2"))
        states = {"web1": deployed(environment, "web1", "blue")}
        states["web2"] = deployed(environment, "web2", "green")
        found = plan(a_situation(environment, states))
        assert argvs(named(found, "switch"), "web1") == [("fl_switch", "green")]
        assert argvs(named(found, "switch"), "web2") == [("fl_switch", "blue")]
        assert not named(found, "switch").interruptible

    def test_changed_routes_move_with_the_switch(self):
        """New routes are loaded in the same script, and the old ones come back with the undo."""
        from fairlead.config.route import Route

        before = an_environment()
        moved = replace(API, routes=(Route("new.test"),))
        environment = an_environment(services=(moved, WORKER))
        found = plan(a_situation(environment, {"web1": deployed(before)}))
        folder = "/opt/agentic/staging/releases"
        assert argvs(named(found, "switch")) == [
            ("fl_router_routes", "agentic-staging", f"{folder}/0002-v2/routes"),
            ("fl_switch", "green"),
        ]
        undo = [command.argv for command in named(found, "switch").undo["web1"]]
        assert undo[-2:] == [
            ("fl_router_routes", "agentic-staging", f"{folder}/0001-v1/routes"),
            ("fl_switch", "blue"),
        ]

    def test_traffic_goes_back_only_to_what_is_proven_again(self):
        """The old slot ran on, but the migration, or time, may have been its end."""
        undo = [c.argv for c in named(plan(a_situation(everything())), "switch").undo["web1"]]
        order = [argv[0] for argv in undo]
        assert order.index("fl_revive") < order.index("fl_await") < order.index("fl_switch")
        assert undo[order.index("fl_await")] == (
            *("fl_await", "agentic-staging-blue", "1", "75", "patient"),
        )

    def test_workers_get_their_signal_last(self):
        """The new ones run before the old ones end; a service that is gone ends with them."""
        gone = a_container("cron", "blue", backend="")
        environment = an_environment(services=(API,))
        state = deployed(environment)
        state = replace(state, containers=(*state.containers, gone))
        found = plan(a_situation(environment, {"web1": state}))
        assert names(found)[-1] == "workers"
        assert argvs(named(found, "workers")) == [("fl_stop_workers", "agentic-staging-blue")]

    def test_the_migration_runs_once(self):
        """On one host, with the new file, before anything of the release starts."""
        found = plan(a_situation(everything(hosts=("web1", "web2"))))
        step = named(found, "migrate")
        assert step.hosts == ("web1",)
        run = argvs(step)[-1]
        assert run[-4:] == ("api", "python", "-m", "agentic.migrate")
        assert "/opt/agentic/staging/releases/0002-v2/green.yaml" in run

    def test_the_secret_of_the_registry_is_in_no_argv(self):
        """The password goes by stdin and is described, not shown (law 10)."""
        step = named(plan(a_situation(everything())), "pull")
        [pull] = step.commands["web1"]
        assert step.title.endswith(", logged in to registry.test for that long")
        assert pull.argv[:3] == ("fl_pull_as", "registry.test", "ada")
        assert pull.stdin == b"pw"
        assert "pw" not in pull.argv
        assert "pw" not in repr(pull)

    def test_a_login_is_for_its_own_registry(self):
        """What comes from elsewhere is pulled as the host itself would; the router, too."""
        login = Registry("docker.io", "ada", Secret("pw"))
        found = plan(a_situation(everything(registry=login), {"web1": empty_host()}))
        others, ours = named(found, "pull").commands["web1"]
        assert others.argv[0] == "fl_pull"
        assert all(ref.startswith("registry.test/") for ref in others.argv[1:])
        assert ours.argv == ("fl_pull_as", "docker.io", "ada", "haproxy:3.0")


class TestHostsOfEveryKind:
    def test_a_host_without_a_routed_service_is_never_asked_of_its_router(self):
        """Workers alone need no router: their host keeps the live slot on file."""
        environment = an_environment(services=(WORKER,))
        states = ({"web1": empty_host()}, {"web1": deployed(environment)})
        for observed in states:
            found = plan(a_situation(environment, observed))
            asked = {argv[0] for _, _, argv in all_commands((*found.steps, *found.tidy))}
            undone = {c.argv[0] for s in found.steps for cs in s.undo.values() for c in cs}
            assert not [word for word in asked | undone if word.startswith("fl_router")]
            assert words(named(found, "switch")) == ["fl_switch"]

    def test_a_host_of_data_alone_starts_no_empty_slot(self):
        """Compose refuses a file without services: such a host has nothing to start or await."""
        roles = {"web1": ("web",), "db1": ("data",)}
        environment = an_environment(("web1", "db1"), FULL, roles)
        states = {"web1": empty_host("web1"), "db1": empty_host("db1")}
        found = plan(a_situation(environment, states))
        assert named(found, "start").hosts == named(found, "health").hosts == ("web1",)
        assert named(found, "data").hosts == ("db1",)
        assert named(found, "switch").hosts == ("web1", "db1")

    def test_a_host_that_leaves_a_role_stops_what_it_ran(self):
        """A service that moved away is not in the new slot, and ends with the old one."""
        before = an_environment(("web1", "web2"))
        roles = {"web1": ("web",), "web2": ("data",)}
        after = an_environment(("web1", "web2"), FULL, roles)
        states = {name: deployed(before, name) for name in ("web1", "web2")}
        found = plan(a_situation(after, states))
        assert ("fl_retire", "agentic-staging-blue", "600") in argvs(named(found, "tidy"), "web2")
        assert argvs(named(found, "drain"), "web2") == [
            ("fl_drain", "60", "agentic-staging-api-blue")
        ]

    def test_data_is_brought_up_only_where_its_file_changed(self):
        """A database is touched when its own declaration changed, or when it does not run."""
        environment = everything()
        state = deployed(environment)
        assert "data" not in names(plan(a_situation(environment, {"web1": state})))
        stopped = tuple(
            replace(c, status="exited") if c.service == "redis" else c for c in state.containers
        )
        again = plan(a_situation(environment, {"web1": replace(state, containers=stopped)}))
        assert words(named(again, "data")) == ["fl_network", "up", "fl_await"]
        [undo] = named(again, "data").undo["web1"]
        assert undo.argv[-7:-1] == (
            "/opt/agentic/staging/releases/0001-v1/shared.yaml",
            *("up", "-d", "--no-build", "--pull", "never"),
        )


class TestRecreate:
    def test_the_old_stops_before_the_new_starts(self):
        """Two releases never run at once; images are there and data is up before the stop."""
        found = plan(a_situation(everything("recreate")))
        assert names(found) == [
            *("backup", "upload", "pull", "stop", "migrate", "start", "health"),
            *("smoke-idle", "switch", "smoke-host", "smoke-client"),
        ]
        assert argvs(named(found, "stop")) == [
            ("fl_switch", "-"),
            ("fl_drain", "60", "agentic-staging-api-blue"),
            ("fl_retire", "agentic-staging-blue", "0"),
        ]

    def test_a_failure_brings_the_old_back(self):
        """Undone: it runs, and is served to whoever asks, as nothing else is."""
        undo = [
            c.argv for c in named(plan(a_situation(everything("recreate"))), "stop").undo["web1"]
        ]
        assert [argv[0] for argv in undo] == [
            *("fl_revive", "fl_ready_servers", "fl_router_routes", "fl_switch", "fl_await")
        ]
        assert undo[-2] == ("fl_switch", "blue")

    def test_from_the_stop_on_it_counts_as_switched(self):
        """What serves was touched: a failure now is a rollback, and its exit code says so."""
        assert named(plan(a_situation(everything("recreate"))), "stop").after_switch

    def test_a_first_deploy_has_nothing_to_stop(self):
        """On an empty host recreate is as gentle as the others."""
        environment = everything("recreate")
        assert "stop" not in names(plan(a_situation(environment, {"web1": empty_host()})))


class TestGoingBack:
    """A rollback's plan: the target is an older release, without files of its own."""

    def back(self, idle_status="running", strategy="blue-green"):
        environment = an_environment(smoke=(CHECK,))
        old, live = target_of(environment, 1, "v1"), target_of(environment, 2, "v2")
        state = deployed(environment, "web1", "green", live, idle=old)
        workers = {"worker"}
        state = replace(
            state,
            containers=tuple(
                replace(c, status="exited")
                if c.slot == "blue" and (c.service in workers or idle_status == "exited")
                else c
                for c in state.containers
            ),
        )
        target = replace(
            old,
            stamp="",
            hosts={"web1": replace(old.hosts["web1"], files={})},
        )
        situation = a_situation(environment, {"web1": state}, target)
        return situation, plan(situation, strategy)

    def test_a_warm_slot_is_switched_to_at_once(self):
        """Within keep_warm: no start, no wait; its workers wake with the switch."""
        _, found = self.back()
        assert names(found)[0] == "switch"
        assert not {"start", "health", "smoke-idle", "upload", "pull"} & set(names(found))
        assert argvs(named(found, "switch")) == [
            ("fl_require_up", "agentic-staging-api-blue"),
            ("fl_keep", "agentic-staging-blue"),
            ("fl_switch", "blue"),
            ("fl_activate", "agentic-staging-blue"),
        ]

    def test_after_it_everything_of_the_release_runs(self):
        """Workers that the last deploy had stopped run again; those of the bad release do not."""
        situation, found = self.back()
        hosts = model_hosts(situation)
        carry_out((*found.steps, *found.tidy), hosts)
        assert hosts["web1"].serves("worker") == {"blue": 1}
        assert hosts["web1"].serves("api")["blue"] == 2
        assert hosts["web1"].state.live == Live("blue")

    def test_undone_the_warm_slot_waits_again(self):
        """A rollback that fails leaves the release before it as it was, workers and all."""
        situation, found = self.back()
        hosts = model_hosts(situation)
        before = hosts["web1"].state
        switch = named(found, "switch")
        carry_out((switch,), hosts)
        carry_out((replace(switch, commands=switch.undo),), hosts)
        assert hosts["web1"].state.live == before.live
        assert hosts["web1"].serves("worker") == {"green": 1}

    def test_a_stopped_slot_is_woken_and_proven(self):
        """After keep_warm: its containers start again, nothing is pulled or created."""
        _, found = self.back("exited")
        assert names(found)[:3] == ["start", "health", "smoke-idle"]
        assert argvs(named(found, "start"))[-1] == ("fl_activate", "agentic-staging-blue")
        assert "up" not in words(named(found, "start"))

    def test_what_was_live_is_marked_as_bad(self):
        """A release one went back from is no target of the next rollback."""
        _, found = self.back()
        assert argvs(named(found, "tidy"))[:2] == [
            ("fl_status", "0001-v1", "proven"),
            ("fl_status", "0002-v2", "rolled-back"),
        ]

    def test_going_forward_again_marks_nothing(self):
        """A newer release in place of an older one says nothing against the older."""
        found = plan(a_situation(an_environment()))
        assert [argv[2] for argv in argvs(named(found, "tidy")) if argv[0] == "fl_status"] == [
            "proven"
        ]


class TestAfterAKill:
    """A roll-out that was killed half way is set right before anything else."""

    def half_way(self):
        environment = an_environment()
        new = target_of(environment, 2, "v2")
        half = Live("blue", "green", 5000)
        state = deployed(environment, idle=new, live_runtime=half, live_file=half)
        state = replace(
            state,
            containers=tuple(
                replace(c, status="exited") if c.name.endswith("blue-api-2") else c
                for c in state.containers
            ),
            releases=(
                kept(target_of(environment, 1, "v1")),
                kept(new, status=ReleaseStatus.PREPARED),
            ),
        )
        return a_situation(environment, {"web1": state}, target_of(environment, 3, "v3"))

    def test_the_live_slot_is_whole_again_first(self):
        """Woken, healthy, given all the traffic; then the half-made slot is drained and cleared."""
        step = plan(self.half_way()).steps[0]
        assert step.name == "settle"
        assert words(step) == [
            *("fl_revive", "fl_ready_servers", "fl_await", "fl_switch", "fl_drain"),
            *("fl_retire", "fl_clear", "fl_status"),
        ]
        assert ("fl_status", "0002-v2", "failed") in argvs(step)

    def test_then_the_plan_is_one_for_whole_hosts(self):
        """The new release goes to the slot that was cleared, the old one serves throughout."""
        situation = self.half_way()
        hosts = model_hosts(situation, target_of(situation.environment, 1, "v1"))
        least = []

        def note(step, name, host):
            if host.state.live and step.name != "tidy":
                least.append(host.serves("api")[host.state.live_slot])

        found = plan(situation)
        carry_out((*found.steps, *found.tidy), hosts, note)
        assert min(least) >= 1
        assert hosts["web1"].state.live == Live("green")
        assert {c.release for c in hosts["web1"].state.slot("green")} == {"0003-v3"}

    def test_a_file_that_lags_behind_is_written_again(self):
        """Killed between runtime and file: the file says what the router does."""
        environment = an_environment()
        state = deployed(environment, live_file=Live("green"))
        step = plan(a_situation(environment, {"web1": state})).steps[0]
        assert (step.name, words(step)) == ("settle", ["fl_live_reconcile"])


ALL = sorted(STRATEGIES)
STATES = ("empty", "blue", "green")


@pytest.mark.parametrize("strategy", ALL)
@pytest.mark.parametrize("first", STATES)
@pytest.mark.parametrize("second", STATES)
class TestEveryPlan:
    """Whatever the hosts are like: laws that hold for each strategy."""

    def situation(self, strategy, first, second):
        environment = everything(strategy, ("web1", "web2"))
        states = {
            name: empty_host(name) if live == "empty" else deployed(environment, name, live)
            for name, live in (("web1", first), ("web2", second))
        }
        return a_situation(environment, states)

    def test_it_ends_with_the_new_release_alone(self, strategy, first, second):
        """Carried out, each host serves the new release from one slot, with all replicas."""
        situation = self.situation(strategy, first, second)
        found = plan(situation)
        hosts = model_hosts(situation, target_of(situation.environment, 1, "v1"))
        carry_out((*found.steps, *found.tidy), hosts)
        for name, host in hosts.items():
            new = situation.new_slot(name)
            assert host.state.live == Live(new)
            assert host.serves("api")[new] == 2
            assert host.serves("worker") == {new: 1}
            assert {c.release for c in host.state.slot(new)} == {"0002-v2"}

    def test_nothing_that_serves_is_touched_before_the_switch(self, strategy, first, second):
        """Law 2: until traffic leaves it, no command of a host names its live slot's containers."""
        situation = self.situation(strategy, first, second)
        switched = set()
        for _, host, argv in all_commands(plan(situation).steps):
            if argv[0] == "fl_switch":
                switched.add(host)
            old = situation.old_slot(host)
            if host in switched or not old or argv[0] in ABOUT_NETWORKS:
                continue
            live = (situation.layout.project(old), *situation.old_backends(host))
            assert not set(live) & set(argv), argv

    def test_what_changes_a_host_can_be_undone(self, strategy, first, second):
        """Undone from the end, every host is back at what it served, with nothing new left."""
        situation = self.situation(strategy, first, second)
        found = plan(situation)
        hosts = model_hosts(situation, target_of(situation.environment, 1, "v1"))
        before = {name: host.state for name, host in hosts.items()}
        carry_out(found.steps, hosts)
        for step in reversed(found.steps):
            carry_out((replace(step, commands=step.undo),), hosts)
        for name, host in hosts.items():
            assert host.state.live == before[name].live
            assert host.serves("api") == ({before[name].live_slot: 2} if before[name].live else {})
            assert host.state.slot(situation.new_slot(name)) == ()
            [new] = [one for one in host.state.releases if one.id == "0002-v2"]
            assert new.status == ReleaseStatus.FAILED

    def test_every_step_fits_into_one_script_per_host(self, strategy, first, second):
        """One round trip per step and host: no step needs two stdins."""
        found = plan(self.situation(strategy, first, second))
        for step in (*found.steps, *found.tidy):
            for commands in (*step.commands.values(), *step.undo.values()):
                script(commands, {})

    def test_no_two_steps_have_one_name(self, strategy, first, second):
        """Times and reports are kept by a step's name."""
        found = plan(self.situation(strategy, first, second))
        every = [step.name for step in (*found.steps, *found.tidy)]
        assert len(every) == len(set(every))

    def test_the_same_situation_makes_the_same_plan(self, strategy, first, second):
        """A plan is a pure function: what is printed is what would run, byte for byte."""
        one, two = (plan(self.situation(strategy, first, second)) for _ in range(2))
        assert one == two


def test_a_rerun_of_a_release_that_waits_is_not_started_twice():
    """Stopped replicas that are all there are woken; a slot that lacks one is made anew."""
    environment = an_environment()
    target = target_of(environment)
    whole = deployed(environment, idle=target)
    lacking = replace(whole, containers=whole.containers[:-1])
    assert a_situation(environment, {"web1": whole}, target).is_waiting("web1")
    assert not a_situation(environment, {"web1": lacking}, target).is_waiting("web1")


@pytest.mark.parametrize(
    ("change", "warm"),
    [({}, True), ({"health": "unhealthy"}, False), ({"status": "exited"}, False)],
)
def test_warm_means_that_it_could_take_traffic_now(change, warm):
    """All routed containers run and are healthy; workers need not run."""
    environment = an_environment()
    target = target_of(environment)
    state = deployed(environment, idle=target)
    state = replace(
        state,
        containers=tuple(
            replace(c, **change) if c.slot == "green" and c.backend else c for c in state.containers
        ),
    )
    assert a_situation(environment, {"web1": state}, target).is_warm("web1") is warm


def test_the_slowest_service_says_how_long_to_wait():
    """A worker, too: deploy and rollback.sh wait for a slot as long as for its slowest service."""
    slow = replace(WORKER, health=Health(timeout=300))
    situation = a_situation(an_environment(services=(API, slow)))
    waits = {
        argv[3]
        for step in STRATEGIES["blue-green"](situation).steps
        for command in step.commands.get("web1", ())
        if (argv := command.argv)[0] == "fl_await"
    }
    script = situation.part("web1").files["rollback.sh"].decode()
    assert waits == {"300"}
    assert re.findall(r"fl_await .* 1 (\d+)$", script, re.MULTILINE) == ["300"]


def test_a_database_is_waited_for_as_long_as_it_may_take():
    """Its own timeout, not that of what takes requests."""
    slow = replace(REDIS, roles=(), health=Health(timeout=240))
    environment = an_environment(services=(API, slow))
    situation = a_situation(environment, {"web1": empty_host()})
    plan = STRATEGIES["blue-green"](situation)
    [data] = [step for step in plan.steps if step.name == "data"]
    assert data.commands["web1"][-1].argv == ("fl_await", "agentic-staging", "1", "240")
