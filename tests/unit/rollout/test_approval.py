"""`approval = true`: a deploy and a rollback need a person's word, and only they do."""

import io
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from factories import a_host, a_situation, an_environment
from model_host import ModelHost

from fairlead.cli.run import Options, Run
from fairlead.engines.compose.layout import Layout
from fairlead.errors import GateRefused
from fairlead.rollout.fleet import Fleet
from fairlead.rollout.session import Session
from fairlead.rollout.strategies import STRATEGIES
from fairlead.tasks.shared import rolled


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Scene:
    """A host that serves release 1, a plan for release 2, and a command with these flags."""

    def __init__(self, monkeypatch, answer=None, approval=True, **options):
        self.environment = an_environment(approval=approval)
        self.situation = a_situation(self.environment)
        layout = Layout.of(self.environment)
        self.host = ModelHost(self.situation.state("web1"), layout.key)
        transports = {"web1": self.host.transport(a_host())}
        fleet = Fleet(transports, layout.variables, lambda event: None)
        self.session = Session(self.environment, layout, fleet, lambda event: None, str)
        self.screen = Terminal() if answer is not None else io.StringIO()
        monkeypatch.setattr(sys, "stdin", Terminal(answer) if answer is not None else io.StringIO())
        monkeypatch.setattr(sys, "stderr", self.screen)
        self.run = Run(replace(Options(env="staging"), **options))
        monkeypatch.setattr(self.run, "environment", lambda: self.environment)

    def deploy(self):
        plan = STRATEGIES["blue-green"](self.situation)
        rolled.roll(self.run, self.session, self.situation, plan, "deploy v2")

    @property
    def changed(self):
        return bool(self.host.done)


def test_a_person_is_asked_what_is_to_happen_where(monkeypatch):
    """And with a yes it happens."""
    scene = Scene(monkeypatch, "y\n")
    scene.deploy()
    assert "Deploy v2 in staging (live now: 0001-v1)? [y/N] " in scene.screen.getvalue()
    assert scene.host.state.live_release == "0002-v2"


def test_the_next_command_is_the_way_back(monkeypatch, capsys):
    """Of the hosts that have one."""
    scene = Scene(monkeypatch, yes=True)
    scene.deploy()
    assert "next: inv rollback --quick --env=staging takes it back" in capsys.readouterr().out


def test_a_no_changes_nothing(monkeypatch):
    scene = Scene(monkeypatch, "n\n")
    with pytest.raises(GateRefused, match="not confirmed"):
        scene.deploy()
    assert not scene.changed


@pytest.mark.parametrize("flags", [{}, {"json": True}])
def test_where_nobody_can_be_asked_yes_is_demanded(monkeypatch, flags):
    """Exit code 4, and the flag is named; --json asks nobody on a terminal either."""
    scene = Scene(monkeypatch, "y\n" if flags else None, **flags)
    with pytest.raises(GateRefused) as caught:
        scene.deploy()
    assert caught.value.exit_code == 4
    assert "--yes" in caught.value.next_step
    assert not scene.changed


@pytest.mark.parametrize(
    "given", [{"yes": True}, {"approval": False}, {"plan": True}], ids=lambda one: next(iter(one))
)
def test_without_a_question(monkeypatch, given):
    """--yes is the approval; most environments want none; a plan changes nothing."""
    scene = Scene(monkeypatch, **given)
    scene.deploy()
    assert scene.changed is not given.get("plan", False)


def test_what_was_left_unfinished_is_taken_back_with_an_approval_too(monkeypatch):
    scene = Scene(monkeypatch)
    plan = STRATEGIES["blue-green"](scene.situation)
    unfinished = SimpleNamespace(doing="deploy v2")
    found = (scene.situation, plan, unfinished)
    monkeypatch.setattr("fairlead.rollout.undo.plan_undo", lambda session, any_: found)
    with pytest.raises(GateRefused, match="asks for an approval"):
        rolled.taken_back(scene.run, scene.session, any_=True)
    assert not scene.changed
