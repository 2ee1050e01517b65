"""Plans carried out on recorded hosts: what runs is what was planned; what fails is undone."""

import json
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
from factories import (
    API,
    SECRET,
    a_check,
    a_host,
    a_migration,
    a_situation,
    an_environment,
    deployed,
    empty_host,
    target_of,
)
from model_host import Fault, ModelHost, Story, at

from fairlead import events
from fairlead.engines.compose.layout import Layout
from fairlead.errors import (
    DeployFailed,
    HostError,
    LockHeld,
    MixedState,
    RolledBack,
)
from fairlead.model import Command, ReleaseStatus, Step
from fairlead.rollout import execute, last_look
from fairlead.rollout.fleet import Fleet
from fairlead.rollout.observed import Live
from fairlead.rollout.outcome import carry_out, take_back
from fairlead.rollout.patience import ChangedMeanwhile, LockLost
from fairlead.rollout.plan import Plan
from fairlead.rollout.session import Session
from fairlead.rollout.strategies import STRATEGIES
from scripts import assigned, split_script

LOOKS = {"fl_observe", "fl_observe_state", "fl_observe_serving"}

HOSTS = ("web1", "web2")
OLD, NEW = "0001-v1", "0002-v2"


class Scene:
    """An environment, its recorded hosts, a plan for them, and all that was told meanwhile."""

    def __init__(self, strategy="blue-green", hosts=HOSTS, states=None, **environment):
        self.environment = an_environment(hosts, strategy=strategy, **environment)
        old = target_of(self.environment, 1, "v1")
        self.situation = a_situation(self.environment, states)
        self.plan = STRATEGIES[strategy](self.situation)
        layout = Layout.of(self.environment)
        self.hosts = {
            name: ModelHost(state, layout.key).knows(old)
            for name, state in self.situation.observed.items()
        }
        self.transports = {name: host.transport(a_host(name)) for name, host in self.hosts.items()}
        self.told = []
        redact = self.environment.redactor().redact
        fleet = Fleet(self.transports, layout.variables, self.told.append, redact)
        self.session = Session(self.environment, layout, fleet, self.told.append, redact)

    def fails(self, host, *faults):
        self.hosts[host].faults += faults
        return self

    def run(self, doing="deploy 0002-v2"):
        return carry_out(self.session, self.situation, self.plan, doing)

    def fail(self, kind):
        """Run, and the error that must come of it."""
        with pytest.raises(kind) as caught:
            self.run()
        assert type(caught.value) is kind
        return caught.value

    def scripts(self, host="web1"):
        """The mutating scripts a host was sent: those that begin with the fence."""
        found = [split_script(command) for command in self.transports[host].commands]
        return [argvs[1:] for argvs in found if argvs[0] == ("fl_fence",)]

    def asked(self, host, *words):
        return [argv for argv in self.hosts[host].done if argv[: len(words)] == words]

    def of(self, kind):
        return [one for one in self.told if isinstance(one, kind)]

    @property
    def live(self):
        return {name: str(host.state.live or "-") for name, host in self.hosts.items()}

    @property
    def releases(self):
        return {name: host.state.live_release for name, host in self.hosts.items()}

    @property
    def locks(self):
        return {host.owner for host in self.hosts.values()}

    def status(self, release=NEW):
        return {
            kept.status.value
            for host in self.hosts.values()
            for kept in host.state.releases
            if kept.id == release
        }


def planned(plan, host):
    """The commands of a plan for a host, step by step."""
    return [
        [command.argv for command in step.commands[host]]
        for step in (*plan.steps, *plan.tidy)
        if host in step.commands
    ]


class TestAGoodRollOut:
    @pytest.mark.parametrize("strategy", sorted(STRATEGIES))
    def test_what_runs_is_what_was_planned(self, strategy):
        """Law 1: the scripts a host gets are the plan's steps, in order, and the audit line."""
        scene = Scene(strategy, migrate=a_migration())
        scene.run()
        for name in HOSTS:
            *steps, last = scene.scripts(name)
            assert [*steps, last[:-2]] == planned(scene.plan, name)
            assert [argv[0] for argv in last[-2:]] == ["fl_audit", "fl_journal_end"]

    def test_every_change_is_made_behind_the_fence(self):
        """Only looking and locking happen without the check that the lock is ours."""
        scene = Scene()
        scene.run()
        harmless = {"fl_lock", "fl_unlock", "fl_renew"} | LOOKS
        harmless |= {"fl_journal_open"}  # right after the lock was taken, in its script
        for transport in scene.transports.values():
            for command in transport.commands:
                argvs = split_script(command)
                assert argvs[0] == ("fl_fence",) or {a[0] for a in argvs} <= harmless

    def test_all_scripts_of_a_run_carry_its_token(self):
        """One token from the lock to the audit; looking needs none."""
        scene = Scene()
        scene.run()
        tokens = {assigned(c, "FL_TOKEN") for t in scene.transports.values() for c in t.commands}
        assert len(tokens - {""}) == 1

    def test_it_tells_what_is_true_afterwards(self):
        """Release, digests, hosts and what was live before: as observed."""
        scene = Scene()
        outcome = scene.run()
        assert outcome.release == NEW
        assert outcome.previous == (OLD,)
        assert outcome.hosts == {"web1": NEW, "web2": NEW}
        assert outcome.digests["api"].startswith("sha256:")
        assert set(outcome.seconds) == {step.name for step in (*scene.plan.steps, *scene.plan.tidy)}
        assert outcome.round_trips > 0
        assert scene.status() == {"proven"}

    def test_the_lock_is_free_and_the_audit_written(self):
        """Every host has the line: what, from where, by whom, how it ended."""
        scene = Scene()
        scene.run()
        assert scene.locks == {""}
        for host in scene.hosts.values():
            [line] = host.audit
            assert line["event"] == "deploy"
            assert (line["release"], line["from"], line["outcome"]) == (NEW, OLD, "done")
            assert "@" in line["who"]

    def test_each_phase_is_told_with_its_hosts(self):
        """Listeners hear every step begin and end, and every host end."""
        scene = Scene()
        scene.run()
        started = [one.step for one in scene.of(events.PhaseStarted)]
        assert [step.name for step in scene.plan.steps] == started[: len(scene.plan.steps)]
        assert len(scene.of(events.PhaseFinished)) == len(started)
        assert all(one.ok for one in scene.of(events.PhaseFinished))
        ended = {(one.step, one.host) for one in scene.of(events.HostFinished)}
        assert {("switch", "web1"), ("switch", "web2")} <= ended

    def test_a_failure_of_the_tidying_is_a_warning(self):
        """The outcome is certain by then: the release is live, and what went wrong is told."""
        scene = Scene().fails("web2", at("fl_prune", err="rm: busy"))
        outcome = scene.run()
        assert outcome.warnings == ("web2: rm: busy",)
        assert [one.level for one in scene.of(events.Notice)] == ["warning"]

    @pytest.mark.parametrize("irreversible", [True, False])
    def test_the_journal_knows_whether_there_is_a_way_back(self, irreversible):
        """Whoever finds the run unfinished has nothing but what its hosts tell."""
        scene = Scene(migrate=replace(a_migration(), irreversible=irreversible))
        scene.run()
        for host in scene.hosts.values():
            [story] = host.journal.values()
            assert json.loads(story.header)["irreversible"] is irreversible

    def test_an_audit_that_cannot_be_written_changes_nothing(self):
        """Law 9: the deploy is done, and a notice says what is missing."""
        scene = Scene().fails("web1", at("fl_audit"))
        assert scene.run().release == NEW
        assert "audit line could not be written" in scene.of(events.Notice)[-1].text


# A step of the plan before the switch, and the command of it that fails.
BEFORE = {
    "backup": "fl_backup",
    "upload": "fl_receive",
    "pull": "fl_pull",
    "start": "fl_compose",
    "health": "fl_await",
}


class TestAFailureBeforeTheSwitch:
    @pytest.mark.parametrize("step", BEFORE)
    def test_the_old_release_never_stopped_serving(self, step):
        """Exit 1: the new slot is removed on every host and nothing else was touched."""
        scene = Scene().fails("web2", at(BEFORE[step], err="it broke"))
        error = scene.fail(DeployFailed)
        assert error.exit_code == 1
        assert error.what.startswith(f"`{step}` failed on web2")
        assert scene.live == {"web1": "blue", "web2": "blue"}
        assert scene.releases == {"web1": OLD, "web2": OLD}
        assert all(host.state.slot("green") == () for host in scene.hosts.values())
        assert not any(scene.asked(name, "fl_switch") for name in HOSTS)
        assert scene.locks == {""}

    def test_the_release_is_marked_as_failed_everywhere(self):
        """No rollback will ever choose it."""
        scene = Scene().fails("web2", at("fl_await"))
        scene.fail(DeployFailed)
        assert scene.status() == {"failed"}
        assert [host.audit[-1]["outcome"] for host in scene.hosts.values()] == ["failed"] * 2

    def test_it_explains_itself(self):
        """The host's last words, then what the new containers say; what serves; what to do."""
        scene = Scene().fails("web2", at("fl_await", err="api-1 ended with exit code 3"))
        why = "@why api-1: exited, exit code 3\n@why   log: ImportError\nnoise"
        scene.hosts["web2"].answers = lambda argv: why if argv[0] == "fl_explain" else ""
        error = scene.fail(DeployFailed)
        assert error.why == (
            "web2: api-1 ended with exit code 3",
            "web2: api-1: exited, exit code 3",
            "web2:   log: ImportError",
        )
        assert error.state == "web1 serves 0001-v1 · web2 serves 0001-v1"
        assert error.next_step == (
            "correct what is told above, then deploy again; "
            "the new containers are gone, inv logs shows what serves"
        )
        assert scene.asked("web2", "fl_explain") == [("fl_explain", "agentic-staging-green")]

    def test_what_a_migration_said_on_stdout_is_told_before_what_is_on_stderr(self):
        """Its own last lines, not what commands before it printed, nor marks."""
        said = "@run 2\nfrom before\n@run 3\n" + "\n".join(f"row {n}" for n in range(9))
        why_of_another = "@why api-1: running"  # which waits in the idle slot
        fault = at("fl_compose", err="it broke", out=said + "\n@done\nE: no such column")
        scene = Scene(hosts=("web1",), migrate=a_migration()).fails("web1", fault)
        scene.hosts["web1"].answers = lambda argv: why_of_another
        error = scene.fail(DeployFailed)
        assert error.what.startswith("`migrate` failed on web1")
        rows = [f"web1: row {n}" for n in range(4, 9)]
        assert error.why == (*rows, "web1: E: no such column", "web1: it broke")
        [run] = scene.hosts["web1"].journal
        assert f"/opt/agentic/staging/journal/{run}/*.migrate/" in error.next_step
        assert "inv logs" not in error.next_step

    def test_a_step_that_fails_ends_the_plan(self):
        """Nothing after it runs, on no host."""
        scene = Scene().fails("web1", at("fl_pull"))
        scene.fail(DeployFailed)
        assert not any(scene.asked(name, "fl_compose") for name in HOSTS)

    def test_undoing_goes_from_the_last_step_to_the_first(self):
        """On every host that had begun, also where it went well."""
        scene = Scene().fails("web2", at("fl_await"))
        scene.fail(DeployFailed)
        undone = [s for s in scene.of(events.PhaseStarted) if s.step.startswith("undo")]
        assert [one.step for one in undone] == ["undo start", "undo upload"]
        assert scene.asked("web1", "fl_clear", "agentic-staging-green")

    def test_a_lost_connection_is_a_failure_like_any_other(self):
        """A host that is gone during the start: the others are cleaned, and it is told."""
        scene = Scene().fails("web2", at("fl_compose", lost=True))
        error = scene.fail(DeployFailed)
        assert "the connection was lost" in error.why[0]
        assert scene.releases["web1"] == OLD

    def test_a_host_that_stays_away_is_told_with_what_it_served(self, monkeypatch):
        """Nothing was switched, so the old one serves there: that is exit 1, and not silence."""
        monkeypatch.setattr(last_look, "COMES_BACK", 0)
        gone = Fault(lambda argv: argv[0] in ("fl_pull", "fl_observe"), lost=True)
        for hosts, seen in ((HOSTS, f"web1 serves {OLD} · "), (("web2",), "")):
            error = Scene(hosts=hosts).fails("web2", gone).fail(DeployFailed)
            there = f"web2 did not answer, and served {OLD} before this · nothing was switched"
            assert error.state == seen + there
            assert error.next_step == "inv status, once web2 can be reached; then deploy again"

    def test_an_engine_that_is_being_restarted_is_waited_for(self, monkeypatch):
        """It answers at the second look; meanwhile nobody can tell what runs."""
        monkeypatch.setattr(last_look.time, "sleep", lambda _: web1.faults.clear())
        down = at("fl_observe", code=0, out="@docker unreachable is the docker daemon running?")
        scene = Scene(hosts=("web1",)).fails("web1", at("fl_pull"), down)
        web1 = scene.hosts["web1"]
        assert scene.fail(DeployFailed).state == f"web1 serves {OLD}"

    def test_what_nobody_expected_is_undone_too(self):
        """A bug of ours on one host leaves no half-made slot behind."""

        def bug(argv):
            if argv[0] == "fl_await":
                raise ValueError("a bug")
            return False

        scene = Scene().fails("web2", Fault(bug))
        error = scene.fail(DeployFailed)
        assert "unexpected ValueError: a bug" in error.why[0]
        assert all(host.state.slot("green") == () for host in scene.hosts.values())


class TestSmoke:
    CHECK = a_check(from_=("host",))

    def scene(self, idle="200 OK", live="200 OK"):
        """Containers of the idle slot answer `idle`; through the router it is `live`."""
        from base64 import b64encode

        def answers(argv):
            status = {"fl_ask_containers": idle, "fl_ask_router": live}.get(argv[0])
            if not status:
                return ""
            raw = b64encode(f"HTTP/1.1 {status}\r\n\r\nbody".encode()).decode()
            return f"@http {argv[1]} 10.0.0.2:8000 0.01 {raw}"

        scene = Scene(services=(API,), smoke=(self.CHECK,))
        for host in scene.hosts.values():
            host.answers = answers
        return scene

    def test_good_answers_pass(self):
        """Asked twice: of the idle slot, and through the router after the switch."""
        scene = self.scene()
        scene.run()
        assert len(scene.asked("web1", "fl_ask_containers")) == 1
        assert len(scene.asked("web1", "fl_ask_router")) == 1

    def test_a_bad_answer_of_the_idle_slot_stops_before_the_switch(self):
        """Healthy, but wrong: exit 1, with the answer."""
        scene = self.scene(idle="500 Oops")
        error = scene.fail(DeployFailed)
        assert error.what.startswith("`smoke-idle` failed on web1 and on web2")
        assert "HTTP 500, expected 200" in error.why[0]
        assert scene.live == {"web1": "blue", "web2": "blue"}

    def test_a_bad_answer_after_the_switch_rolls_back(self):
        """Exit 5: every host is back, though all had switched."""
        scene = self.scene(live="502 Bad Gateway")
        error = scene.fail(RolledBack)
        assert error.exit_code == 5
        assert "every host is back at what it served before" in error.what
        assert scene.live == {"web1": "blue", "web2": "blue"}
        assert scene.releases == {"web1": OLD, "web2": OLD}
        assert scene.status() == {"failed"}

    def test_a_check_from_here_that_fails_shows_what_the_new_containers_said(self):
        """They are gone after the undo, so it is asked before, on every host."""
        closed = {"url": "http://127.0.0.1:1", "smoke": (a_check(from_=("client",)),)}
        scene = Scene(services=(API,), **closed)
        for name, host in scene.hosts.items():
            host.answers = lambda argv, name=name: f"@why api-1: running\n@why   log: {name} 500"
        error = scene.fail(RolledBack)
        assert error.what.startswith("`smoke-client` failed here (")
        assert error.why[0].startswith("here: health (GET /health at 127.0.0.1:1): ")
        assert error.why[1:] == (
            *("web1: api-1: running", "web1:   log: web1 500"),
            *("web2: api-1: running", "web2:   log: web2 500"),
        )
        done = [argv[0] for argv in scene.hosts["web1"].done]
        assert done.index("fl_explain") < done.index("fl_clear")

    def test_no_answer_is_no_pass(self):
        """Law 8: a check that reached nobody has not passed."""
        scene = self.scene()
        for host in scene.hosts.values():
            host.answers = lambda argv: ""
        assert "there was nobody to ask" in scene.fail(DeployFailed).why[0]

    def test_one_unanswered_check_of_several_is_no_pass(self):
        """The others' answers do not stand in for it."""
        answered = self.scene().hosts["web1"].answers
        checks = (self.CHECK, a_check("second", from_=("host",)))
        scene = Scene(hosts=("web1",), services=(API,), smoke=checks)
        scene.hosts["web1"].answers = lambda argv: answered(argv) if argv[1] == "0" else ""
        assert scene.fail(DeployFailed).why[0] == "web1: second: there was nobody to ask"


class TestAFailureAfterTheSwitch:
    def test_one_host_s_failure_takes_all_back(self):
        """Law 6: all hosts or none; the one that had switched is returned."""
        scene = Scene().fails("web2", at("fl_switch", "green", err="the router did not switch"))
        error = scene.fail(RolledBack)
        assert error.exit_code == 5
        assert "web2: the router did not switch" in error.why
        assert scene.live == {"web1": "blue", "web2": "blue"}

    def test_the_third_of_four_fails_in_a_rolling_deploy(self):
        """All four serve the old release afterwards, whole; the fourth was never touched."""
        hosts = ("web1", "web2", "web3", "web4")
        scene = Scene("rolling", hosts)
        scene.fails("web3", Fault(lambda argv: argv[0] == "fl_await" and "green" in argv[1]))
        error = scene.fail(RolledBack)
        assert error.what.startswith("`health:web3` failed on web3")
        assert set(scene.live.values()) == {"blue"}
        for host in scene.hosts.values():
            assert host.serves("api") == {"blue": 2}
            assert host.serves("worker") == {"blue": 1}
        assert not scene.asked("web4", "fl_compose")

    def test_a_host_that_cannot_be_returned_makes_it_mixed(self):
        """Exit 6: it is named, and so is what each host serves."""
        scene = Scene()
        scene.fails("web1", at("fl_drain"), at("fl_switch", "blue", err="the router is gone"))
        error = scene.fail(MixedState)
        assert error.exit_code == 6
        assert "not every host is back" in error.what
        assert "web1: could not be undone: the router is gone" in error.why
        assert scene.live == {"web1": "green", "web2": "blue"}
        assert scene.hosts["web1"].serves("api")["green"] == 2, "what serves was taken away"
        assert scene.hosts["web2"].serves("api") == {"blue": 2}
        assert f"inv rollback --to={OLD}," in error.next_step
        assert error.facts["hosts"] == scene.releases
        assert error.facts["release"] is None

    def test_a_way_back_that_fails_for_a_moment_is_tried_again(self, monkeypatch):
        """A disk that was full, a router that was restarting: no host is left behind for that."""
        monkeypatch.setattr(execute, "UNDO_PATIENCE", 60.0)
        monkeypatch.setattr(execute.time, "sleep", lambda _: None)
        scene = Scene()
        scene.fails("web1", at("fl_drain"), at("fl_switch", "blue", times=2))
        scene.fail(RolledBack)
        assert scene.live == {"web1": "blue", "web2": "blue"}
        undone = [s.step for s in scene.of(events.PhaseStarted) if s.step.startswith("undo")]
        assert len(undone) == len(set(undone)), "told more than once"

    def test_an_old_slot_that_does_not_come_back_leaves_the_new_one_serving(self):
        """One host rolled, the next one fails, and on the first the old release does not start."""
        scene = Scene("rolling").fails("web1", at("fl_await", "agentic-staging-blue"))
        scene.fails("web2", at("fl_await", "agentic-staging-green", err="not healthy"))
        error = scene.fail(MixedState)
        assert scene.live == {"web1": "green", "web2": "blue"}
        assert scene.hosts["web1"].serves("api")["green"] == 2
        assert error.state == f"web1 serves {NEW} · web2 serves {OLD}"

    def test_nothing_is_started_on_data_that_could_not_be_brought_back(self):
        """Neither restored nor returned: exit 6, and the run stays open for the next rollback."""
        scene = Scene(hosts=("web1",))
        old, data = "agentic-staging-blue", Command(("fl_backup_restore", "20251201", "cache"))
        back = Command(("fl_backup_return", "20251202", "cache"))
        closed, revived = Command(("fl_switch", "-")), Command(("fl_revive", old))
        stop = Step("stop", "stop", {"web1": (closed,)}, {"web1": (revived,)}, after_switch=True)
        restore = Step("restore", "", {"web1": (data,)}, {"web1": (back,)}, after_switch=True)
        scene.plan = Plan((stop, restore))
        scene.fails("web1", at("fl_backup_restore"), at("fl_backup_return", err="no room"))
        error = scene.fail(MixedState)
        assert "web1: could not be undone: no room" in error.why
        assert "inv rollback: it brings the data back" in error.next_step
        assert not scene.asked("web1", "fl_revive")
        assert [story.end for story in scene.hosts["web1"].journal.values()] == [""]

    def test_a_migration_may_end_with_any_code(self):
        """75 is the fence's, too, but only the fence says so."""
        scene = Scene(hosts=("web1",)).fails("web1", at("fl_pull", code=75, err="try later"))
        assert "web1: try later" in scene.fail(DeployFailed).why

    def test_a_host_that_is_lost_after_the_switch_is_unknown(self, monkeypatch):
        """What cannot be seen is not claimed to be well."""
        monkeypatch.setattr(last_look, "COMES_BACK", 0)
        scene = Scene()
        gone = Fault(lambda argv: argv[0] not in ("fl_lock", "fl_observe_state"), lost=True)

        def lost(host):
            if host.state.live == Live("green"):
                host.faults[:] = [replace(gone, when=lambda argv: True)]

        scene.hosts["web2"].watch = lost
        error = scene.fail(MixedState)
        assert "web2: does not answer" in error.why
        assert f"web2 did not answer, and served {OLD} before this" in error.state
        assert (error.facts["release"], error.facts["hosts"]) == (None, {"web1": OLD})
        assert scene.releases["web1"] == OLD

    def test_recreate_brings_the_old_release_back(self):
        """It had been stopped, so this is a rollback: exit 5, and the old one serves again."""
        scene = Scene("recreate").fails(
            "web2", Fault(lambda argv: argv[0] == "fl_await" and "green" in argv[1])
        )
        error = scene.fail(RolledBack)
        assert scene.live == {"web1": "blue", "web2": "blue"}
        assert (error.facts["release"], error.facts["hosts"]) == (OLD, scene.releases)
        assert error.facts["wanted"] == scene.situation.target.release != OLD
        for host in scene.hosts.values():
            assert host.serves("api") == {"blue": 2}

    def test_recreate_that_cannot_start_the_old_one_is_mixed(self):
        """Nothing serves on a host that served: never exit 1."""
        scene = Scene("recreate", ("web1",)).fails("web1", at("fl_await"))
        scene.fail(MixedState)

    def test_a_release_that_dies_after_all_steps_is_not_called_done(self):
        """Law 8 of outcomes: what is observed counts, not that every command went well."""
        scene = Scene(hosts=("web1",))

        def crash(host):
            if host.done[-1][0] == "fl_stop_workers":
                host._become("agentic-staging-green", "exited", lambda c: c.service == "api")

        scene.hosts["web1"].watch = crash
        error = scene.fail(MixedState)
        assert error.why == ("web1: 0 of 2 containers of api run",)
        assert scene.hosts["web1"].audit[-1]["outcome"] == "mixed"


class TestAFirstDeploy:
    def test_failed_it_leaves_nothing(self):
        """Nothing served before, nothing serves now, no container is left."""
        states = {name: empty_host(name) for name in HOSTS}
        scene = Scene(states=states).fails("web2", at("fl_await"))
        error = scene.fail(DeployFailed)
        assert error.state == "web1 serves nothing · web2 serves nothing"
        assert "inv logs" not in error.next_step
        assert all(host.state.containers == () for host in scene.hosts.values())

    def test_failed_after_the_switch_nothing_is_live_again(self):
        """The map's entry goes too."""
        states = {name: empty_host(name) for name in HOSTS}
        scene = Scene(states=states).fails("web2", at("fl_switch", "blue"))
        scene.fail(RolledBack)
        assert scene.live == {"web1": "-", "web2": "-"}


def taking_back(fault):
    """A run that never ended on the one host; undoing its switch meets this fault."""
    scene = Scene(hosts=("web1",)).fails("web1", fault)
    web1, run = scene.hosts["web1"], SimpleNamespace(id="20251202-1", last=3, doing="deploy v2")
    names = ("verb", "who", "release", "tag", "strategy", "live", "started")
    header = dict.fromkeys(names, "") | {"doing": run.doing, "services": [], "serving": ["switch"]}
    web1.journal[run.id] = Story(json.dumps(header))
    back = Step("undo switch", "", {"web1": (Command(("fl_switch", "blue")),)})
    return web1, run, lambda: take_back(scene.session, scene.situation, Plan((back,)), run)


def test_a_run_that_could_not_be_taken_back_is_in_the_audit_and_stays_open():
    """Who tried it at 3 a.m. is on record; the next `inv rollback` goes on with it."""
    web1, run, take = taking_back(at("fl_switch", err="no router"))
    with pytest.raises(MixedState) as caught:
        take()
    assert f"inv rollback again; or inv rollback --to={OLD}" in caught.value.next_step
    assert [(one["event"], one["outcome"], one["run"]) for one in web1.audit] == [
        ("rollback", "mixed", run.id)
    ]
    assert web1.journal[run.id].end == ""


def test_who_is_overtaken_while_taking_back_says_so():
    """It slept past its lease, and somebody else goes on: exit 3, not 6, and no word of its own."""
    web1, run, take = taking_back(at("fl_switch", code=75, out="@fenced"))
    with pytest.raises(LockLost) as caught:
        take()
    assert (caught.value.exit_code, web1.audit) == (3, [])
    assert web1.journal[run.id].end == ""


class TestTheLock:
    def test_a_held_lock_refuses_and_frees_what_was_taken(self):
        """Hosts are locked in order; what was taken before the refusal is free again."""
        scene = Scene()
        scene.hosts["web2"].owner = "theirs"
        error = scene.fail(LockHeld)
        assert "web2 is locked by theirs since" in error.what
        assert {name: host.owner for name, host in scene.hosts.items()} == {
            "web1": "",
            "web2": "theirs",
        }
        assert not scene.scripts("web1")

    def test_hosts_are_locked_in_sorted_order(self):
        """Two clients never wait for each other with one host each."""
        scene = Scene(hosts=("web2", "web1"))
        assert scene.session.fleet.hosts == ("web1", "web2")

    def test_a_change_between_plan_and_lock_refuses(self):
        """Somebody deployed while we were planning: nothing is done on a stale plan."""
        scene = Scene()
        scene.hosts["web2"].state = replace(
            scene.hosts["web2"].state, live_runtime=Live("green"), live_file=Live("green")
        )
        error = scene.fail(ChangedMeanwhile)
        assert error.what == "web2 changed between the plan and the lock"
        assert not scene.scripts("web1")
        assert scene.locks == {""}

    def test_a_lock_that_is_lost_on_the_way_stops_the_change(self):
        """The fence refuses every further script on that host; nothing is switched."""
        scene = Scene()

        def stolen(host):
            if host.done[-1][0] == "fl_pull":
                host.owner = "theirs"

        scene.hosts["web2"].watch = stolen
        scene.fail(LockLost)
        assert scene.live == {"web1": "blue", "web2": "blue"}
        assert scene.hosts["web2"].owner == "theirs"

    @pytest.mark.parametrize(
        ("step", "live"), [("verify", {"web1": "blue"}), ("tidy", {"web1": "green"})]
    )
    def test_one_that_is_lost_after_all_steps_is_not_called_done(self, step, live):
        """Taken back by somebody else, or not: what serves is their work by now."""
        scene = Scene(hosts=("web1",))

        def stolen(host):
            if host.done[-1][0] == "fl_stop_workers":
                host.owner = "theirs"
                there = Live(live["web1"])
                host.state = replace(host.state, live_runtime=there, live_file=there)

        scene.hosts["web1"].watch = stolen
        error = scene.fail(LockLost)
        assert error.what == f"the lock was lost on web1 at `{step}`"
        assert scene.live == live
        assert scene.hosts["web1"].audit == []

    def test_one_that_is_lost_in_the_middle_of_the_switch_is_no_mixed_state(self):
        """One host had switched when somebody took over: both are theirs by now."""
        scene = Scene().fails("web1", at("fl_switch", code=75, out="@fenced"))

        def stolen(host):
            if host.done[-1][0] == "fl_switch":
                for one in scene.hosts.values():
                    one.owner = "theirs"

        scene.hosts["web2"].watch = stolen
        error = scene.fail(LockLost)
        assert error.what == "the lock was lost on web1 and web2 at `switch`"
        assert scene.live == {"web1": "blue", "web2": "green"}


class TestInterruption:
    """Ctrl-C or SIGTERM: what is done is undone, the lock is freed."""

    def interrupted(self, scene, at_command):
        """Send this process SIGTERM when a host carries out a command."""
        import os
        import signal

        def press(host):
            if host.done[-1][: len(at_command)] == at_command:
                host.watch = lambda host: None
                os.kill(os.getpid(), signal.SIGTERM)

        scene.hosts["web1"].watch = press
        return scene

    @pytest.mark.parametrize("command", [("fl_pull",), ("fl_compose",)])
    def test_before_the_switch_the_old_release_goes_on(self, command):
        """Exit 1, told as an interruption."""
        scene = self.interrupted(Scene(), command)
        error = scene.fail(DeployFailed)
        assert error.what.startswith("interrupted at `")
        assert scene.live == {"web1": "blue", "web2": "blue"}
        assert scene.locks == {""}
        assert "SIGTERM: turning back" in scene.of(events.Notice)[0].text

    def test_during_the_switch_it_is_finished_then_undone(self):
        """The short step that must not be cut is awaited; then everything goes back: exit 5."""
        scene = self.interrupted(Scene(), ("fl_switch",))
        scene.fail(RolledBack)
        assert scene.live == {"web1": "blue", "web2": "blue"}
        assert scene.asked("web2", "fl_switch", "green")

    def test_the_handlers_are_put_back(self):
        """After a roll-out Ctrl-C is what it was."""
        import signal

        before = signal.getsignal(signal.SIGTERM)
        self.interrupted(Scene(), ("fl_pull",)).fail(DeployFailed)
        assert signal.getsignal(signal.SIGTERM) is before

    def test_interruptible_steps_get_the_means_to_end_a_script(self):
        """Long steps are given the event that ends them on the host; the switch is not."""
        scene = Scene(hosts=("web1",))
        given = {}
        run = scene.transports["web1"].run

        def spy(command, on_line=None, cancel=None):
            given[split_script(command)[-1][0]] = cancel
            return run(command, on_line, cancel)

        scene.transports["web1"].run = spy
        scene.run()
        assert isinstance(given["fl_pull"], threading.Event)
        assert given["fl_switch"] is None


class TestWhatIsTold:
    def test_output_of_hosts_is_told_without_secrets(self):
        """Lines a command prints reach the listener masked (law 10)."""
        scene = Scene(hosts=("web1",))
        scene.hosts["web1"].answers = lambda argv: ""
        scene.fails("web1", at("fl_pull", out=f"pulling with {SECRET}", err="denied"))
        scene.fail(DeployFailed)
        [line] = [one.line for one in scene.of(events.HostOutput)]
        assert line.startswith("pulling with ")
        assert SECRET not in line

    def test_the_audit_holds_no_secret(self):
        """An error that quotes a secret is masked before it is kept."""
        scene = Scene(hosts=("web1",)).fails("web1", at("fl_await", err="no"))
        steps = tuple(replace(one, title=f"{one.title} {SECRET}") for one in scene.plan.steps)
        scene.plan = replace(scene.plan, steps=steps)
        scene.fail(DeployFailed)
        [line] = scene.hosts["web1"].audit
        assert line["why"].startswith("`health` failed on web1")
        assert SECRET not in str(line)


def test_looking_at_hosts_tells_all_that_fail():
    """The first host's error, with the others' in its reasons; nobody is left out."""
    scene = Scene()
    for host in scene.hosts.values():
        host.faults.append(Fault(lambda argv: True, lost=True))
    with pytest.raises(HostError) as caught:
        scene.session.fleet.observe()
    assert caught.value.host == "web1"
    assert any("web2" in line for line in caught.value.why)
    looked = scene.session.fleet.look()
    assert {name: type(one) for name, one in looked.items()} == dict.fromkeys(HOSTS, HostError)


def test_a_rollback_marks_what_it_left_as_bad():
    """Carried out, the release before serves and the one that was live is rolled back."""
    environment = an_environment(("web1",))
    old, live = target_of(environment, 1, "v1"), target_of(environment, 2, "v2")
    state = deployed(environment, live="green", target=live, idle=old)
    scene = Scene(hosts=("web1",), states={"web1": state})
    target = replace(old, stamp="", hosts={"web1": replace(old.hosts["web1"], files={})})
    scene.situation = replace(scene.situation, target=target)
    scene.plan = STRATEGIES["blue-green"](scene.situation)
    outcome = scene.run("rollback to 0001-v1")
    assert outcome.release == OLD
    assert scene.hosts["web1"].state.kept(NEW).status == ReleaseStatus.ROLLED_BACK
    assert scene.hosts["web1"].audit[-1]["event"] == "rollback"
