"""What is decided about containers, by what docker tells of them.

The `docker` here only repeats what a test gives it: the decision is the subject, not Docker.
"""

import time

import pytest

NOW = "2020-01-01T00:00:00.123456789Z"  # long ago: whoever runs since then has settled


JUMPING = """date() {
    echo >>"$FL_BASE/looks"
    echo "$((3600 * $(wc -l <"$FL_BASE/looks")))"
}"""


def started(seconds_ago: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - seconds_ago)) + ".1234567Z"


def state(
    shell, status="running", code="0", oom="false", restarts="0", health="none", kind="routed",
    since=NOW, settle="1",
):  # fmt: skip
    words = ("api-1", status, code, oom, restarts, health, kind, since, settle)
    return shell.call("fl_state", *words).out.strip()


@pytest.mark.parametrize("value", ["blue", "blue:green:3333", "green:blue:5000"])
def test_a_slot_that_gets_requests_is_not_taken_away(shell, value):
    """All of them, or a share: an undo that comes after one that failed stops there."""
    (shell.router / "maps").mkdir(parents=True)
    (shell.router / "maps/live.map").write_text(f"agentic-staging {value}\n")
    done = shell.call("fl_require_idle", "agentic-staging-blue")
    assert (done.code, done.err) == (
        *(70, "requests still go to agentic-staging-blue, so it is left to serve\n"),
    )


@pytest.mark.parametrize("value", ["green", "-"])
def test_an_idle_slot_may_go(shell, value):
    (shell.router / "maps").mkdir(parents=True)
    (shell.router / "maps/live.map").write_text(f"agentic-staging {value}\n")
    assert shell.call("fl_require_idle", "agentic-staging-blue").code == 0


class TestOneContainer:
    """ready | wait WHY | dead WHY, from its status, exit code, restarts and own healthcheck."""

    def test_healthy_by_its_own_word(self, shell):
        """A container with a healthcheck is ready when that says so."""
        assert state(shell, health="healthy") == "ready api-1"

    def test_routed_without_a_healthcheck(self, shell):
        """The router asks it, so that nothing more is waited for here."""
        assert state(shell, since=started(0)) == "ready api-1"

    @pytest.mark.parametrize("given", [{"health": "starting"}, {"status": "created"}])
    def test_still_starting(self, shell, given):
        """Neither dead nor ready: the wait goes on."""
        assert state(shell, **given) == "wait api-1 is starting"

    def test_unhealthy_ends_the_wait(self, shell):
        """A healthcheck that gave up is final."""
        assert state(shell, health="unhealthy") == "dead api-1 is unhealthy by its own healthcheck"

    @pytest.mark.parametrize("status", ["exited", "dead", "restarting", "paused", "removing"])
    def test_one_that_ended_says_how(self, shell, status):
        """Exit code, out-of-memory and restarts are in the sentence."""
        found = state(shell, status=status, code="137", oom="true", restarts="2")
        assert found == (
            f"dead api-1 ended with exit code 137 (status {status}, out of memory: true, "
            "restarts: 2)"
        )

    def test_killed_without_the_flag_says_what_that_usually_is(self, shell):
        """Docker is not told of every out-of-memory kill."""
        assert state(shell, status="exited", code="137", oom="false").endswith("than its limit")

    def test_one_that_restarts_is_dead_though_it_runs(self, shell):
        """A new container that came up again after a crash will crash again."""
        assert state(shell, restarts="1", since=started(2)).startswith("dead api-1")

    @pytest.mark.parametrize(
        ("events", "told"),
        [
            ("die 3\ndie 4", "exit code 4 (status running, out of memory: false, restarts: 2)"),
            ("oom \ndie 137", "exit code 137 (status running, out of memory: true, restarts: 2)"),
            ("oom \ndie 137\ndie 1", "exit code 1 (status running, out of memory: false, "),
            ("", "exit code unknown (status running, out of memory: unknown, restarts: 2)"),
        ],
    )
    def test_started_again_it_is_told_how_it_ended(self, shell, events, told):
        """Its state shows no more than that it runs; Docker's events know how it got there."""
        shell.tool("docker", f"[ $1 != events ] || printf '{events}\\n'")
        assert f"dead api-1 ended with {told}" in state(shell, restarts="2", since=started(2))

    def test_a_crash_of_long_ago_is_forgiven(self, shell):
        """A database that crashed once and runs since then is healthy, and stops no deploy."""
        assert state(shell, restarts="1", health="healthy", since=NOW) == "ready api-1"

    def test_a_worker_must_run_for_a_while(self, shell):
        """What nobody can ask must at least not end at once."""
        young = state(shell, kind="worker", since=started(0), settle="5")
        assert young == "wait api-1 must run for 5 s"
        assert state(shell, kind="worker", since=started(9), settle="5") == "ready api-1"


class TestASlot:
    @pytest.fixture
    def host(self, shell):
        """A host whose docker tells of the containers that `holds` describes."""
        shell.base.mkdir()
        shell.tool(
            "docker",
            f'[ ! -f "{shell.base}/rows" ] && exit 0\n'
            'case "$1" in\n'
            f'  ps) cut -d " " -f 1 "{shell.base}/rows" ;;\n'
            f'  inspect) case "$*" in *StartedAt*) cat "{shell.base}/rows" ;; esac ;;\n'
            "esac",
        )
        return shell

    def holds(self, host, *rows):
        (host.base / "rows").write_text("".join(row + "\n" for row in rows))

    WELL = f"/api-1 running 0 false 0 healthy routed {NOW}"
    YOUNG = f"/api-2 running 0 false 0 starting routed {NOW}"
    GONE = f"/api-3 exited 3 false 0 none routed {NOW}"

    def test_each_container_is_judged(self, host):
        """One line per container, with its name as Compose gave it."""
        self.holds(host, self.WELL, self.YOUNG, self.GONE)
        assert host.call("fl_states", "p", "1").out.splitlines() == [
            "ready api-1",
            "wait api-2 is starting",
            "dead api-3 ended with exit code 3 (status exited, out of memory: false, restarts: 0)",
        ]

    def test_all_ready_ends_the_wait(self, host):
        """Progress is told on change: so many of so many."""
        self.holds(host, self.WELL, self.WELL)
        done = host.call("fl_await", "p", "1", "5")
        assert (done.code, done.marks) == (0, ["@health containers 2 2"])

    def test_one_dead_ends_the_wait_at_once(self, host):
        """A crash is told when it happens, not when the time is over."""
        self.holds(host, self.WELL, self.GONE)
        done = host.call("fl_await", "p", "1", "600")  # longer than a test may take
        assert done.code == 70
        assert "api-3 ended with exit code 3" in done.err

    def test_what_worked_before_may_start_twice(self, host):
        """On the way back there is nothing better to go to: a crash is not the end of the wait."""
        self.holds(host, self.WELL, self.GONE)
        nap = 'sleep() { sed -i "s/exited 3/running 0/" "$FL_BASE/rows"; }'
        done = host.run(f"{nap}\nfl_await p 1 60 patient")
        assert (done.code, done.marks[-1]) == (0, "@health containers 2 2"), done.err

    def test_patience_ends_with_the_time_and_says_what_ended(self, host):
        self.holds(host, self.WELL, self.GONE)
        done = host.call("fl_await", "p", "1", "0", "patient")
        assert done.code == 70
        assert "not healthy after 0 s: api-3 ended with exit code 3" in done.err

    def test_the_time_is_limited(self, host):
        """Who never gets healthy is named when the time is over."""
        self.holds(host, self.WELL, self.YOUNG)
        done = host.call("fl_await", "p", "1", "0")
        assert (done.code, done.marks) == (70, ["@health containers 1 2"])
        assert "not healthy after 0 s: api-2 is starting;" in done.err

    def test_a_clock_that_is_set_meanwhile_ends_no_wait(self, host):
        """An hour ahead at each look: what counts is the time that passes."""
        self.holds(host, self.WELL, self.YOUNG)
        nap = 'sleep() { sed -i s/starting/healthy/ "$FL_BASE/rows"; }'
        done = host.run(f"{JUMPING}\n{nap}\nfl_await p 1 60")
        assert (done.code, done.marks[-1]) == (0, "@health containers 2 2"), done.err

    def test_an_empty_slot_has_nothing_to_wait_for(self, host):
        """A host that runs no service of a slot does not hold up the others."""
        assert host.call("fl_await", "p", "1", "5").code == 0


class TestRetire:
    """The old slot is kept warm, then stopped, unless it is live again by then."""

    @pytest.fixture
    def host(self, shell):
        (shell.base / "lock").mkdir(parents=True)
        log = shell.base / "asked"
        shell.tool("docker", f'[ "$1" != ps ] || echo c1 c2\necho "$@" >>"{log}"')
        return shell

    def asked(self, host):
        lines = (host.base / "asked").read_text().splitlines()
        return [line for line in lines if not line.startswith("ps")]

    def retire(self, host, warm, live):
        """Retire the blue slot; its warmth ends when `go` is called."""
        known = f'fl_live() {{ : >"$FL_BASE/looked"; echo "@live k runtime={live} file={live}"; }}'
        sleep = 'sleep() { until [ -e "$FL_BASE/go" ]; do command sleep 0.02; done; }'
        return host.run(f"{known}\n{sleep}\nfl_retire agentic-staging-blue {warm} </dev/null")

    def go(self, host):
        (host.base / "go").touch()

    def test_without_warmth_it_stops_at_once(self, host):
        """keep_warm = 0: no restart at boot, and stopped before the step ends."""
        self.retire(host, 0, "green")
        assert self.asked(host)[0] == "update --restart no c1 c2"
        assert sorted(self.asked(host)[1:]) == ["stop c1", "stop c2"]

    def test_warm_it_is_stopped_later(self, host):
        """The step ends now, its channel closed; the stop comes when the time is over."""
        assert self.retire(host, 600, "green").code == 0
        assert self.asked(host) == ["update --restart no c1 c2"]
        self.go(host)
        self.until(lambda: len(self.asked(host)) == 3)
        assert sorted(self.asked(host)[1:]) == ["stop c1", "stop c2"]

    def test_live_again_it_is_left_alone(self, host):
        """After a rollback to the warm slot, the timer of yesterday's deploy stops nothing."""
        self.retire(host, 600, "blue")
        self.go(host)
        self.until((host.base / "looked").exists)
        time.sleep(0.1)
        assert self.asked(host) == ["update --restart no c1 c2"]

    def test_not_while_somebody_is_at_work(self, host):
        """Who has the lock may be about to switch to it; it is stopped when the lock is free."""
        assert host.call("fl_lock", "600", "ada@laptop", "rollback").code == 0
        self.retire(host, 600, "green")
        self.go(host)
        time.sleep(0.2)
        assert self.asked(host) == ["update --restart no c1 c2"]
        host.call("fl_unlock")
        self.until(lambda: len(self.asked(host)) == 3)
        assert sorted(self.asked(host)[1:]) == ["stop c1", "stop c2"]

    def test_who_takes_the_lock_during_the_stop_waits_for_its_end(self, host):
        """What is on its way down looks as if it ran: a switch to it would be to a dead slot."""
        down, asked = host.base / "down", host.base / "asked"
        wait = f"[ $1 != stop ] || until [ -e {down} ]; do sleep 0.02; done"
        note = f'echo "$@" >>{asked}'
        host.tool("docker", f"[ $1 != ps ] || echo c1\n{note}\n{wait}\n{note}")
        self.retire(host, 600, "green")
        self.go(host)
        self.until(lambda: "stop c1" in self.asked(host))
        taker = host.start(f"fl_lock 600 ada@laptop rollback; echo locked >>{asked}")
        self.until((host.base / "lock/owner").exists)
        time.sleep(0.3)
        down.touch()
        assert taker.wait(timeout=30) == 0
        taker.communicate()
        assert self.asked(host)[-3:] == ["stop c1", "stop c1", "locked"]

    def until(self, true, seconds=20.0):
        deadline = time.monotonic() + seconds
        while not true() and time.monotonic() < deadline:
            time.sleep(0.02)


class TestStopWorkers:
    """What has no route is stopped; one that runs on would work beside the new ones."""

    @pytest.fixture
    def host(self, shell):
        """Workers w1, which cannot be stopped, and w2; r1 has a route. `left`: does w1 run."""
        shell.base.mkdir()
        shell.tool(
            "docker",
            f'echo "$@" >>"{shell.base}/asked"\n'
            'case "$*" in\n'
            "  ps*project=*) echo w1; echo w2; echo r1 ;;\n"
            f'  ps*id=w1) cat "{shell.base}/left" ;;\n'
            "  inspect*r1) echo backend ;;\n"
            "  inspect*) echo ;;\n"
            '  "stop w1") echo "cannot stop container: w1" >&2; exit 1 ;;\n'
            "esac",
        )
        return shell

    def test_one_that_would_not_stop_is_named(self, host):
        """The others are stopped all the same, and it fails with Docker's reason."""
        (host.base / "left").write_text("w1\n")
        done = host.call("fl_stop_workers", "p")
        assert done.code == 1
        assert "cannot stop container: w1" in done.err
        assert "would not stop, and may run on: w1" in done.err
        assert "stop w2" in (host.base / "asked").read_text().splitlines()
        assert "stop r1" not in (host.base / "asked").read_text().splitlines()

    def test_one_that_is_gone_meanwhile_is_no_failure(self, host):
        """Somebody removed it: it does not run, which is all that was wanted."""
        (host.base / "left").write_text("")
        assert host.call("fl_stop_workers", "p").code == 0

    def test_without_an_answer_it_is_no_success(self, host):
        """Docker is down: nobody knows whether it runs."""
        assert host.call("fl_stop_workers", "p").code == 1


def test_a_clock_that_is_set_meanwhile_cuts_no_drain_short(shell):
    """Requests are given the seconds they were promised."""
    shell.base.mkdir()
    (shell.base / "open").write_text("1\n")
    given = 'fl_open() { cat "$FL_BASE/open"; }\nsleep() { echo 0 >"$FL_BASE/open"; }'
    done = shell.run(f"{JUMPING}\n{given}\nfl_drain 60 backend")
    assert (done.code, done.marks) == (0, ["@drain backend 1", "@drain backend 0"])


class TestShrink:
    """An old slot gives up replicas: no new requests, then drained, then stopped."""

    @pytest.fixture
    def host(self, shell):
        """Containers a1 a2 a3 of `api` (routed) and w1 of `web` (routed) run."""
        shell.base.mkdir()
        shell.tool(
            "docker",
            f'echo "$@" >>"{shell.base}/asked"\n'
            'case "$*" in\n'
            "  ps*service=api*) echo a1; echo a2; echo a3 ;;\n"
            "  ps*service=web*) echo w1 ;;\n"
            "  ps*service=worker*) echo b1 ;;\n"
            '  inspect*b1) echo " " ;;\n'
            '  inspect*) for one; do :; done; echo "backend-$one address-$one" ;;\n'
            "esac",
        )
        return shell

    def shrink(self, host, *left):
        """What was asked of docker and the router: the functions that speak to it only note it."""
        drain = "\n".join(
            [
                'fl_drain_server() { echo "drain $*" >>"$FL_BASE/asked"; }',
                'fl_drain_until() { shift; echo "wait for $*" >>"$FL_BASE/asked"; }',
            ]
        )
        done = host.run(f"{drain}\nfl_shrink agentic-staging-blue 60 {' '.join(left)}")
        assert done.code == 0, done.err
        lines = (host.base / "asked").read_text().splitlines()
        return [line for line in lines if not line.startswith(("ps", "inspect"))]

    def test_so_many_of_each_are_left(self, host):
        """`api=1` stops two of three; `web=1` has no more than one and loses none."""
        assert self.shrink(host, "api=1", "web=1") == [
            "update --restart no a2 a3",
            "drain backend-a2 address-a2",
            "drain backend-a3 address-a3",
            "wait for backend-a2 address-a2",
            "wait for backend-a3 address-a3",
            "stop a2 a3",
        ]

    def test_what_has_no_route_is_stopped_without_a_drain(self, host):
        """A worker is asked by nobody: it gets its stop signal."""
        assert self.shrink(host, "worker=0") == ["update --restart no b1", "stop b1"]

    def test_with_few_enough_nothing_is_asked(self, host):
        """A count that is reached already changes nothing."""
        assert self.shrink(host, "api=3", "web=2") == []


@pytest.mark.parametrize(("ago", "seconds", "older"), [(10, 5, True), (2, 5, False), (5, 5, True)])
def test_age_is_read_from_docker_s_timestamps(shell, ago, seconds, older):
    """Docker's nanosecond timestamps are understood by every `date`."""
    assert shell.call("fl_older", started(ago), str(seconds)).code == (0 if older else 1)


@pytest.mark.parametrize(
    ("told", "slot"),
    [
        ("runtime=green file=blue", "green"),
        ("runtime=- file=blue", "blue"),
        ("runtime=- file=-", ""),
        ("runtime=blue:green:3333 file=blue", "blue"),
    ],
)
def test_the_live_slot_is_the_router_s_or_the_file_s(shell, told, slot):
    """A host without a router keeps it on file; half-way it is the slot that was live before."""
    found = shell.run(f'fl_live() {{ echo "@live agentic-staging {told}"; }}\nfl_live_slot')
    assert (found.code, found.out.strip()) == (0, slot)
