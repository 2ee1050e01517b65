"""Four hosts, host by host: one that fails takes all of them back, and no request is lost."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.lab.load import Load, Report
from tests.lab.project import COMPOSE

PORT = 16379  # of the one Redis, which is on the first host and used by all
PUBLISHED = COMPOSE.replace("    healthcheck:", f'    ports: ["{PORT}:6379"]\n    healthcheck:')

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def fleet(project, image, hosts):
    """v1 on four hosts, two replicas on each, one host after the other."""
    fleet = project(
        "fleet",
        hosts=4,
        strategy="rolling",
        replicas=2,
        keep_warm="0s",
        drain_timeout="10s",
        compose=PUBLISHED,
        health='{ path = "/health", timeout = "20s", interval = "1s" }',
        more="\n[rolling]\nbatch = 1\n",
        variables={"REDIS_URL": f"redis://{hosts(4)[0].address}:{PORT}/0"},
    )
    fleet.deploy(image("v1")).ok()
    return fleet


@contextmanager
def load_on_all(fleet) -> Iterator[list[Report]]:
    """A load through every host's router; the reports are there at the end."""
    reports: list[Report] = []
    with ExitStack() as stack:
        loads = [
            stack.enter_context(
                Load(
                    f"http://{host.address}/api/v1/version",
                    fleet.name,
                    keepalive=3,
                    fresh=0,
                    slow=3,
                    slow_path="/api/v1/slow?seconds=1",
                    think=0.05,
                )
            )
            for host in fleet.hosts
        ]
        yield reports
        reports += [load.stop() for load in loads]


def batches(fleet, tag):
    """The hosts of each batch, in order, by the plan."""
    shown = fleet.deploy(tag, "--plan").ok()
    plan = next(line for line in shown.lines if line["type"] == "plan")
    starts = [step["name"] for step in plan["steps"] if step["name"].startswith("start:")]
    return [name.removeprefix("start:").split("+") for name in starts]


@contextmanager
def without_redis(fleet, host, slot: str = "") -> Iterator[None]:
    """Containers of a slot of this host, the idle one, cannot reach Redis.

    A rule on the host for the slot's own network: what a firewall does to one host.
    """
    idle = slot or ("green" if fleet.live(host) == "blue" else "blue")
    subnet = host.must(
        "docker network inspect --format '{{(index .IPAM.Config 0).Subnet}}'"
        f" {fleet.key}-{idle}"
    )
    rule = f"DOCKER-USER -s {subnet} -p tcp -d {fleet.hosts[0].address} -j REJECT"
    host.must(f"iptables -I {rule}", user="root")
    try:
        yield
    finally:
        host.must(f"iptables -D {rule}", user="root")


def releases(fleet, host):
    """`RELEASE STATE` of its API containers."""
    out = host.must(
        f"docker ps -aq --filter label=fairlead.key={fleet.key} --filter label=fairlead.service=api"
        " | xargs -r docker inspect --format"
        " '{{index .Config.Labels \"fairlead.release\"}} {{.State.Status}} {{.Config.Image}}'"
    )
    return sorted(out.splitlines())


def test_the_third_of_four_hosts_fails(fleet, image):
    """Exit 5; all four serve the old digest, nothing of the new runs; each host is told."""
    order = [name for batch in batches(fleet, image("v2")) for name in batch]
    assert len(order) == 4
    before = {host.name: releases(fleet, host) for host in fleet.hosts}
    third = next(host for host in fleet.hosts if host.name == order[2])
    with load_on_all(fleet) as reports, without_redis(fleet, third):
        failed = fleet.deploy(image("v2"))
    assert failed.code == 5, failed
    assert f"health:{third.name}" in failed.error["what"]
    assert all(f"{host.name} serves 0001-v1" in failed.error["state"] for host in fleet.hosts)
    why = "\n".join(failed.error["why"])
    assert "503" in why
    for host in fleet.hosts:
        assert fleet.serving(host) == "v1"
        assert releases(fleet, host) == before[host.name]
    finished = {line["step"] for line in failed.lines if line["type"] == "phase-finished"}
    assert not any(step.startswith(f"start:{order[3]}") for step in finished), "the 4th was touched"
    status = fleet.inv("status")
    assert status.code == 0, status
    assert all(host.name in status.out for host in fleet.hosts)
    for report in reports:
        assert report.failed == 0, str(report)


@pytest.mark.long
def test_half_of_the_hosts_at_a_time(fleet, image):
    """batch = "50%": two batches of two, and all four serve the new release, under load."""
    fleet.more = fleet.more.replace("batch = 1", 'batch = "50%"')
    fleet.write()
    assert [len(batch) for batch in batches(fleet, image("v2"))] == [2, 2]
    with load_on_all(fleet) as reports:
        done = fleet.deploy(image("v2")).ok()
    assert set(done.result["hosts"]) == {host.name for host in fleet.hosts}
    assert [fleet.serving(host) for host in fleet.hosts] == ["v2"] * 4
    for report in reports:
        assert report.failed == 0, str(report)


@pytest.mark.long
def test_a_rollback_takes_all_hosts_back_at_once(fleet, image):
    """What is live is bad: no batches, and all four serve the old digest again, under load."""
    if fleet.serving(fleet.hosts[0]) != "v2":  # this test alone
        fleet.deploy(image("v2")).ok()
    with load_on_all(fleet) as reports:
        done = fleet.inv("rollback", "--quick", "--json").ok()
    assert done.result["release"] == "0001-v1"
    assert [fleet.serving(host) for host in fleet.hosts] == ["v1"] * 4
    for report in reports:
        assert report.failed == 0, str(report)


@pytest.mark.long
def test_an_old_release_that_does_not_come_back_leaves_the_new_one_serving(fleet, image):
    """Exit 6, and everybody is answered: where there is no way back, the new one stays."""
    fleet.more = "\n[rolling]\nbatch = 1\n"
    fleet.write()
    order = [name for batch in batches(fleet, image("v2")) for name in batch]
    second, third = (next(h for h in fleet.hosts if h.name == name) for name in order[1:3])
    old = fleet.live(second)
    with load_on_all(fleet) as reports, without_redis(fleet, third):
        running = fleet.start("deploy", "--env=staging", f"--tag={image('v2')}", "--json")
        running.wait_for(f'"step": "start:{third.name}"')
        with without_redis(fleet, second, old):
            failed = running.end(timeout=300)
    assert failed.code == 6, failed
    assert "is left to serve" in "\n".join(failed.error["why"])
    served = {host.name: fleet.serving(host) for host in fleet.hosts}
    assert served == {**dict.fromkeys(order, "v1"), second.name: "v2"}
    for report in reports:
        assert report.failed == 0, str(report)
    fleet.inv("rollback", "--env=staging", "--to=0001-v1").ok()
    assert [fleet.serving(host) for host in fleet.hosts] == ["v1"] * 4


@pytest.mark.long
def test_the_server_s_own_script_goes_back_after_a_roll(fleet, image):
    """rollback.sh, host by host: the roll had drained the old servers, and they answer again."""
    fleet.deploy(image("v2")).ok()
    with load_on_all(fleet) as reports:
        for host in fleet.hosts:
            done = host.run(f"bash {fleet.base}/deploy/rollback.sh --quick", timeout=120)
            assert done.code == 0, done
            assert fleet.serving(host) == "v1"
    for report in reports:
        assert report.failed == 0, str(report)
    assert fleet.inv("status", "--env=staging").code == 0
