"""The lock over all hosts, from the client's side: taken in order, kept alive, always freed."""

import threading
import time

import pytest
from factories import a_host, an_environment, deployed
from model_host import ModelHost, at

from fairlead.engines.compose.layout import Layout
from fairlead.errors import HostError, LockHeld
from fairlead.model import Result
from fairlead.rollout.fleet import Fleet
from fairlead.rollout.journal import opening as opening_of
from fairlead.rollout.lock import breaking, freed, holders, locked, who
from fairlead.transport.recorder import Recorder
from scripts import assigned, split_script

NAMES = ("web1", "web2", "web3")


class Scene:
    """Three hosts and a fleet; what was told is kept."""

    def __init__(self):
        environment = an_environment(NAMES)
        self.hosts = {name: ModelHost(deployed(environment, name)) for name in NAMES}
        self.transports = {name: host.transport(a_host(name)) for name, host in self.hosts.items()}
        self.told = []
        self.fleet = Fleet(self.transports, Layout.of(environment).variables, self.told.append)

    def asked(self, name):
        return [split_script(one)[0][0] for one in self.transports[name].commands]

    @property
    def owners(self):
        return [host.owner for host in self.hosts.values()]


@pytest.fixture
def scene():
    return Scene()


def test_every_host_is_locked_by_one_token(scene):
    """While it is held each host knows the same owner; afterwards none."""
    with locked(scene.fleet, 60, "deploy v2") as token:
        assert scene.owners == [token] * 3
        assert len(token) == 16
    assert scene.owners == [""] * 3


def test_the_hosts_are_told_who_is_at_work(scene):
    """Lease, user and machine, and what is being done."""
    with locked(scene.fleet, 60, "deploy v2"):
        [(*_, lease, name, doing)] = split_script(scene.transports["web1"].commands[0])
        assert (lease, name, doing) == ("60", who(), "deploy v2")
    assert "@" in who()


def test_an_error_in_between_frees_it(scene):
    """Whatever happens while it is held."""
    with pytest.raises(ZeroDivisionError), locked(scene.fleet, 60, "deploy"):
        raise ZeroDivisionError
    assert scene.owners == [""] * 3


def test_ctrl_c_frees_it(scene):
    """Also what is no ordinary exception."""
    with pytest.raises(KeyboardInterrupt), locked(scene.fleet, 60, "deploy"):
        raise KeyboardInterrupt
    assert scene.owners == [""] * 3


def test_one_held_host_refuses_all(scene):
    """The hosts before it are freed, those after it never asked."""
    scene.hosts["web2"].owner = "theirs"
    with pytest.raises(LockHeld, match="web2 is locked"), locked(scene.fleet, 60, "deploy"):
        pytest.fail("the lock was given")
    assert scene.owners == ["", "theirs", ""]
    assert scene.asked("web3") == []


def test_a_host_that_cannot_write_the_lock_is_told(scene):
    """No lock, no deploy: the host's last words say why."""
    scene.hosts["web1"].faults.append(at("fl_lock", err="mkdir: /opt: Permission denied"))
    told = "web1: the lock could not be written"
    with pytest.raises(HostError, match=told) as caught, locked(scene.fleet, 60, "deploy"):
        pytest.fail("the lock was given")
    assert caught.value.why == ("mkdir: /opt: Permission denied",)


def test_a_lock_whose_journal_cannot_be_opened_is_freed(scene):
    """The lock comes first in the script: it is written when the header finds no room."""
    opening = opening_of("20251202-1", dict.fromkeys(NAMES, "{}"))
    scene.hosts["web2"].faults.append(at("fl_journal_open", err="No space left on device"))
    with pytest.raises(HostError), locked(scene.fleet, 60, "deploy", opening):
        pytest.fail("the lock was given")
    assert scene.owners == [""] * 3


def test_a_takeover_is_told(scene):
    """An ended lease is taken; whose it was is a warning."""
    transport = Recorder(a_host(), lambda _: "@takeover\tada@laptop\tdeploy v1\n")
    scene.fleet.transports = {"web1": transport}
    with locked(scene.fleet, 60, "deploy v2"):
        pass
    [notice, *_] = scene.told
    assert "took over the lock that ada@laptop left (deploy v1)" in notice.text
    assert notice.level == "warning"


def test_the_heartbeat_renews_every_host_with_our_token(scene):
    """Three times in a lease; it ends with the work."""
    with locked(scene.fleet, 0.06, "deploy") as token:
        deadline = time.monotonic() + 5
        while scene.asked("web3").count("fl_renew") < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    renewals = [
        one for one in scene.transports["web3"].commands if split_script(one)[0][0] == "fl_renew"
    ]
    assert len(renewals) >= 2
    assert {assigned(one, "FL_TOKEN") for one in renewals} == {token}
    assert scene.asked("web3")[-1] == "fl_unlock"
    assert not [thread for thread in threading.enumerate() if "_beat" in thread.name]


def test_a_heartbeat_that_fails_does_not_end_the_work(scene):
    """A host that is away for a beat is found out by the fence, not by the heartbeat."""
    scene.hosts["web1"].faults.append(at("fl_renew", lost=True))
    with locked(scene.fleet, 0.03, "deploy"):
        time.sleep(0.05)
    assert scene.owners == [""] * 3


def test_a_host_that_is_gone_keeps_no_other_locked(scene):
    """web1 answers to nothing any more: the others are free all the same."""
    answer = scene.transports["web1"].run

    def run(command, *rest):
        if split_script(command)[0][0] == "fl_unlock":
            waited = time.monotonic()
            while scene.owners[1:] != ["", ""]:
                assert time.monotonic() - waited < 10, "they wait for web1"
                time.sleep(0.01)
            raise HostError("web1", "no answer in time")
        return answer(command, *rest)

    scene.transports["web1"].run = run
    with locked(scene.fleet, 60, "deploy") as token:
        pass
    assert scene.owners == [token, "", ""]


def test_a_lock_that_cannot_be_freed_is_told(scene):
    """It ends by itself with its lease; that is a warning, not a failure."""
    scene.hosts["web2"].faults.append(at("fl_unlock", code=255))
    with locked(scene.fleet, 60, "deploy"):
        pass
    [notice] = scene.told
    assert "web2: the lock could not be freed; it ends by itself" in notice.text


STEP = "@held\ta step of a lock that was released\t-\tstill runs; kill -TERM -- -7 ends it\t1\t-\n"


def test_a_step_without_a_lock_is_told_and_waited_for(scene):
    """There is nothing left to release: the refusal says how that step is ended, or waited for."""
    step = Recorder(a_host(), lambda _: Result("web1", 73, STEP, "", 0.0))
    scene.fleet.transports = {"web1": step}
    words = breaking(scene.fleet, "gone", "-")
    for attempt in (lambda: freed(scene.fleet, words), lambda: _taken(scene)):
        with pytest.raises(LockHeld) as caught:
            attempt()
        assert "a step of a lock that was released still runs; kill -TERM" in caught.value.what
        assert "--lock-wait" in caught.value.next_step
        assert "lock.release" not in caught.value.next_step
    looked = Recorder(a_host(), lambda _: STEP)
    scene.fleet.transports = {"web1": looked}
    assert not holders(scene.fleet)["web1"].expired  # so --lock-wait goes on waiting


def _taken(scene):
    with locked(scene.fleet, 60, "deploy"):
        pytest.fail("the lock was given")
