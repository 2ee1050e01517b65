"""--lock-wait: who waits for the lock takes it before planning, so that nobody plans in vain."""

from dataclasses import dataclass, field

import pytest
from factories import a_host, an_environment, deployed
from model_host import ModelHost

from fairlead.engines.compose.layout import Layout
from fairlead.errors import LockHeld
from fairlead.events import HostProgress, PhaseFinished, PhaseStarted
from fairlead.rollout import patience
from fairlead.rollout.fleet import Fleet
from fairlead.rollout.lock import locked
from fairlead.rollout.patience import ChangedMeanwhile, LockLost, patiently
from fairlead.rollout.preconditions import check_lock
from fairlead.rollout.session import Session

NAMES = ("web1", "web2")
THEIRS = "theirs"


@dataclass
class Scene:
    """Two hosts that somebody else holds; `sleeps` are what the waiter would have slept."""

    told: list = field(default_factory=list)
    sleeps: list = field(default_factory=list)
    frees_after: int = 3  # pauses

    def __post_init__(self):
        environment = an_environment(NAMES)
        self.hosts = [ModelHost(deployed(environment, n), owner=THEIRS) for n in NAMES]
        transports = {n: h.transport(a_host(n)) for n, h in zip(NAMES, self.hosts, strict=True)}
        layout = Layout.of(environment)
        fleet = Fleet(transports, layout.variables, self.told.append)
        self.session = Session(environment, layout, fleet, self.told.append, str)

    @property
    def owners(self):
        return {host.owner for host in self.hosts}

    def sleep(self, seconds):
        self.sleeps.append(seconds)
        if len(self.sleeps) == self.frees_after:
            self.given_to("")

    def given_to(self, owner):
        for host in self.hosts:
            host.owner = owner

    def attempt(self):
        """What a deploy does: look, refuse a held lock, lock; who has the lock while it plans."""
        check_lock(self.session.fleet.observe())
        while_planning = self.owners
        with locked(self.session.fleet, 60, "deploy v2") as token:
            assert self.owners == {token}
        return while_planning, token


@pytest.fixture
def scene(monkeypatch):
    scene = Scene()
    monkeypatch.setattr(patience.time, "sleep", scene.sleep)
    return scene


def test_who_has_waited_plans_under_the_lock(scene):
    """One plans, and carries it out with the same lock; everybody else goes on waiting."""
    while_planning, token = patiently(scene.session, 60, scene.attempt)
    assert while_planning == {token}
    assert scene.owners == {""}
    assert {type(e) for e in scene.told} >= {PhaseStarted, HostProgress, PhaseFinished}


def test_who_need_not_wait_plans_without_it(scene):
    """Planning is long; nobody is locked out for it without need."""
    scene.given_to("")
    while_planning, _ = patiently(scene.session, 60, scene.attempt)
    assert while_planning == {""}
    assert scene.sleeps == []


def test_a_plan_that_is_only_shown_locks_nobody_out(scene):
    while_planning, _ = patiently(scene.session, 60, scene.attempt, mutates=False)
    assert while_planning == {""}


def test_somebody_who_is_quicker_is_waited_for(scene, monkeypatch):
    """Free when it was looked at, taken when it was asked for: no plan was made for that."""
    plans = []
    looked = patience.holders

    def looks(fleet):
        found = looked(fleet)
        if scene.owners == {""} and len(scene.sleeps) < 6:
            scene.given_to("somebody quicker")
            scene.frees_after = 6
        return found

    def attempt():
        plans.append(len(scene.sleeps))
        return scene.attempt()

    monkeypatch.setattr(patience, "holders", looks)
    patiently(scene.session, 60, attempt)
    assert plans == [0, 6]


def test_a_plan_that_fails_frees_the_lock(scene):
    """Whatever comes of it."""

    def attempt():
        check_lock(scene.session.fleet.observe())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        patiently(scene.session, 60, attempt)
    assert scene.owners == {""}
    assert scene.session.fleet.token == ""


def test_one_that_was_overtaken_does_not_come_back(scene):
    with pytest.raises(LockLost):
        patiently(scene.session, 60, lambda: (_ for _ in ()).throw(LockLost("lost")))
    assert scene.sleeps == []


@pytest.mark.parametrize("refusal", [LockHeld("held"), ChangedMeanwhile("changed")])
def test_without_patience_the_refusal_is_told(scene, refusal):
    with pytest.raises(type(refusal)):
        patiently(scene.session, 0, lambda: (_ for _ in ()).throw(refusal))
    assert scene.sleeps == []
