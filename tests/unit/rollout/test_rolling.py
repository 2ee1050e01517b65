"""Rolling: hosts in batches, replicas one by one; requests always find enough of them."""

from collections import defaultdict
from dataclasses import replace

import pytest
from factories import (
    API,
    WORKER,
    a_container,
    a_situation,
    an_environment,
    deployed,
    empty_host,
    target_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import argvs, carry_out, model_hosts, named, names

from fairlead.config import Service
from fairlead.config.route import Route
from fairlead.config.traffic import Rolling
from fairlead.model import ReleaseStatus
from fairlead.rollout.observed import Live
from fairlead.rollout.strategies import rolling

HOSTS = ("web1", "web2", "web3", "web4")


def service(name, replicas, *, routed=True, roles=("web",)):
    routes = (Route(f"{name}.test"),) if routed else ()
    return Service(name, f"registry.test/{name}", roles, replicas, 8000, routes)


def an_api(replicas):
    return replace(API, replicas=replicas)


def situation(services, hosts=HOSTS, batch=1, before=None, states=None):
    environment = an_environment(hosts, services, rolling=Rolling(batch), strategy="rolling")
    running = an_environment(hosts, before or services)
    old = target_of(running, 1, "v1")
    seen = {name: deployed(running, name, target=old) for name in hosts}
    return a_situation(environment, {**seen, **(states or {})}), old


def rolled(situation, old):
    """The plan carried out, and everything that was seen after each command of it."""
    found = rolling.plan(situation)
    hosts = model_hosts(situation, old)
    seen = defaultdict(list)
    seen.update({name: [host.state] for name, host in hosts.items()})
    carry_out(
        (*found.steps, *found.tidy), hosts, lambda step, name, host: seen[name].append(host.state)
    )
    return found, hosts, seen


def running(state, service, slot=""):
    return sum(
        c.running for c in state.containers if c.service == service and c.slot in (slot or c.slot)
    )


class TestBatches:
    @pytest.mark.parametrize(
        ("batch", "sizes"), [(1, [1, 1, 1, 1]), ("50%", [2, 2]), (3, [3, 1]), ("100%", [4])]
    )
    def test_hosts_are_cut_into_batches(self, batch, sizes):
        """A number of hosts or a share of them, in the hosts' order."""
        found = rolling.batches(situation((an_api(1),), batch=batch)[0])
        assert [len(one) for one in found] == sizes
        assert [name for one in found for name in one] == list(HOSTS)

    def test_a_batch_is_done_before_the_next_begins(self):
        """An unhealthy release stops at the first batch: the other hosts were not touched."""
        found = rolling.plan(situation((an_api(2),), batch="50%")[0])
        steps = [step for step in found.steps if ":" in step.name]
        batches = [step.name.partition(":")[2] for step in steps]
        assert batches == sorted(batches)
        assert set(batches) == {"web1+web2", "web3+web4"}

    def test_preparation_is_on_all_hosts_at_once(self):
        """Backups, uploads and pulls happen side by side, before any batch."""
        found = rolling.plan(situation((an_api(1),))[0])
        assert names(found)[:3] == ["backup", "upload", "pull"]
        assert named(found, "pull").hosts == HOSTS


class TestOneHost:
    def test_one_replica_moves_at_once(self):
        """Started, proven, all requests moved, the old one drained and stopped."""
        found = rolling.plan(situation((an_api(1),), ("web1",))[0])
        assert [n for n in names(found) if ":" in n] == [
            *("start:web1", "health:web1", "shift-1:web1", "shrink-1:web1")
        ]
        assert argvs(named(found, "shift-1:web1")) == [("fl_switch", "green")]

    def test_three_replicas_move_one_by_one(self):
        """The share of the requests follows the share of the replicas."""
        found = rolling.plan(situation((an_api(3),), ("web1",))[0])
        assert [n.partition(":")[0] for n in names(found) if ":" in n] == [
            *("start", "health", "shift-1", "shrink-1"),
            *("grow-2", "shift-2", "shrink-2", "grow-3", "shift-3", "shrink-3"),
        ]
        assert [argvs(named(found, f"shift-{n}:web1"))[-1][1] for n in (1, 2, 3)] == [
            *("blue:green:3333", "blue:green:6666", "green")
        ]
        assert argvs(named(found, "shrink-2:web1")) == [
            ("fl_shrink", "agentic-staging-blue", "60", "api=1")
        ]

    def test_a_new_replica_gets_nothing_before_it_is_proven(self):
        """Held, started, healthy, admitted: in one script."""
        found = rolling.plan(situation((an_api(2),), ("web1",))[0])
        grow = argvs(named(found, "grow-2:web1"))
        assert [argv[0] for argv in grow] == [
            *("fl_hold_free_servers", "fl_compose", "fl_await", "fl_admit_servers")
        ]
        assert "--no-recreate" in grow[1]

    def test_a_service_of_fewer_replicas_keeps_one_to_the_end(self):
        """The share counts for all services: one replica serves its part until nothing is asked."""
        services = (an_api(3), service("web", 1))
        found = rolling.plan(situation(services, ("web1",))[0])
        left = [argvs(named(found, f"shrink-{n}:web1"))[0][3:] for n in (1, 2, 3)]
        assert left == [("api=2",), ("api=1",), ("api=0", "web=0")]

    def test_changed_routes_are_loaded_with_the_last_share(self):
        """A route to a service that only the new release has counts once it has everything."""
        moved = replace(an_api(2), routes=(Route("new.test"),))
        one, _ = situation((moved,), ("web1",), before=(an_api(2),))
        found = rolling.plan(one)
        assert [argv[0] for argv in argvs(named(found, "shift-1:web1"))] == ["fl_switch"]
        assert [argv[0] for argv in argvs(named(found, "shift-2:web1"))] == [
            *("fl_router_routes", "fl_switch")
        ]

    def test_a_first_deploy_is_switched_as_a_whole(self):
        """Where nothing serves there is nothing to share with."""
        one, _ = situation((an_api(3),), ("web1",), states={"web1": empty_host()})
        found = rolling.plan(one)
        assert [n for n in names(found) if ":" in n] == [
            *("start:web1", "health:web1", "switch:web1")
        ]


class TestUnlikeHosts:
    def test_each_host_of_a_batch_starts_its_own_services(self):
        """Compose refuses to scale a service that a host does not have."""
        services = (an_api(2), service("jobs", 2, routed=False, roles=("jobs",)))
        roles = {"web1": ("web",), "web2": ("jobs",)}
        environment = an_environment(
            ("web1", "web2"), services, roles, rolling=Rolling(2), strategy="rolling"
        )
        found, hosts, _ = rolled(a_situation(environment), target_of(environment, 1, "v1"))
        assert hosts["web1"].serves("api") == {"green": 2}
        assert hosts["web2"].serves("jobs") == {"green": 2}
        assert "start:web1+web2" in names(found)

    def test_a_new_host_in_an_old_batch_is_filled_up(self):
        """A host that was added gets all its replicas, though nothing shrinks there."""
        states = {"web2": empty_host("web2")}
        one, old = situation((an_api(3),), ("web1", "web2"), batch=2, states=states)
        _, hosts, _ = rolled(one, old)
        for name in ("web1", "web2"):
            assert hosts[name].serves("api")[one.new_slot(name)] == 3

    def test_data_beside_the_slots_is_never_shrunk(self):
        """Stateful containers have no slot, and no part in a roll."""
        database = a_container("redis", "", "", backend="")
        states = {"web2": empty_host("web2", containers=(database,))}
        one, _ = situation((an_api(2),), ("web1", "web2"), batch=2, states=states)
        assert "redis" not in str(rolling.plan(one).steps)

    def test_hosts_of_workers_alone_roll_too(self):
        """Without a route nothing is shared, and every old worker ends."""
        one, old = situation((WORKER,), ("web1", "web2"))
        _, hosts, _ = rolled(one, old)
        for host in hosts.values():
            assert host.serves("worker") == {"green": 1}


SERVICES = st.lists(
    st.tuples(st.sampled_from(["api", "web", "cron"]), st.integers(1, 4)),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one[0],
)


def made(pairs):
    return tuple(service(name, count, routed=name != "cron") for name, count in pairs)


@settings(max_examples=40)
@given(
    before=SERVICES, after=SERVICES, hosts=st.integers(1, 4), batch=st.sampled_from([1, 2, "50%"])
)
def test_a_roll_never_serves_from_too_few(before, after, hosts, batch):
    """For any services, replicas and batches, after every single command on every host:

    a slot that gets requests has a replica of each routed service it knows; running replicas are
    never fewer than all but one; never more than one too many; the share only grows; and in the
    end the new slot alone runs and serves.
    """
    one, old = situation(made(after), HOSTS[:hosts], batch, before=made(before))
    counts = [dict(before), dict(after)]
    _, found, seen = rolled(one, old)
    for name, states in seen.items():
        shares = []
        for state in states:
            live = state.live
            share = live.share if live.slot == "blue" else 10_000
            shares.append(share)
            for service_ in ("api", "web"):
                was, will = (count.get(service_, 0) for count in counts)
                if was and share < 10_000:
                    assert running(state, service_, "blue") >= 1
                if will and share > 0:
                    assert running(state, service_, "green") >= 1
                if was and will:
                    assert running(state, service_) >= min(was, will) - 1
                    assert running(state, service_) <= max(was, will) + 1
        assert shares == sorted(shares)
        final = found[name]
        assert final.state.live == Live("green")
        assert {c.slot for c in final.state.containers if c.running} == {"green"}
        for service_, count in after:
            assert final.serves(service_) == {"green": count}
        assert final.state.kept("0002-v2").status == ReleaseStatus.PROVEN


@settings(max_examples=30)
@given(services=SERVICES, hosts=st.integers(1, 4), batch=st.sampled_from([1, 2]), data=st.data())
def test_a_roll_that_breaks_anywhere_is_undone(services, hosts, batch, data):
    """After any step, undoing what was begun brings every host back to the old slot, whole."""
    one, old = situation(made(services), HOSTS[:hosts], batch)
    plan = rolling.plan(one)
    begun = plan.steps[: data.draw(st.integers(0, len(plan.steps)))]
    found = model_hosts(one, old)
    carry_out(begun, found)
    for step in reversed(begun):
        carry_out((replace(step, commands=step.undo),), found)
    for host in found.values():
        assert host.state.live == Live("blue")
        for name, count in services:
            assert host.serves(name) == {"blue": count}
