"""A plan carried out, step by step; and, when a step fails, everything before it undone."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event

from fairlead.commands import host as phrases
from fairlead.config import SmokeCheck
from fairlead.errors import FairleadError
from fairlead.events import Listener, PhaseFinished, PhaseStarted
from fairlead.model import Result, Step
from fairlead.rollout import smoke
from fairlead.rollout.fleet import Fleet, Outcome, only_result
from fairlead.rollout.journal import Turn
from fairlead.rollout.plan import ClientSmokeStep, Commands, Plan, SmokeStep
from fairlead.rollout.situation import Situation

LAST_LINES = 6
RESTORE = "restore"  # the step that replaces data
# Steps before the new containers are started: the idle slot still holds an older release.
UNSTARTED = frozenset(
    ("settle", "check", "backup", "upload", "pull", "router", "stop", "restore", "migrate")
)
UNDO_PATIENCE = 15.0  # seconds from when an undo begins, in which it is tried again
FENCED = "@fenced"  # said by fl_fence; its exit code may be that of a migration, too


@dataclass(frozen=True)
class Failure:
    """Where a plan stopped: `reasons` by host (`here` for this machine), a sentence a line.

    evidence: what the containers that the step was about show, by host: an undo takes them away.
    """

    step: Step
    reasons: Mapping[str, tuple[str, ...]]
    evidence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def told(self) -> list[str]:
        """Reasons and evidence, each line after its host."""
        told = {
            name: (*self.reasons.get(name, ()), *self.evidence.get(name, ()))
            for name in (*self.reasons, *self.evidence)
        }
        return [f"{name}: {line}" for name, lines in told.items() for line in lines]


@dataclass
class Execution:
    """One run of a plan on a fleet; it is our turn there. `cancel` is set by Ctrl-C.

    fenced: hosts whose lock is somebody else's by now. stuck: hosts where the undo of a step that
    touched what serves failed. data_unknown: data that were being restored could not be brought
    back, so nothing was started on them.
    """

    fleet: Fleet
    situation: Situation
    plan: Plan
    turn: Turn
    cancel: Event
    listen: Listener
    begun: list[Step] = field(init=False)
    seconds: dict[str, float] = field(default_factory=dict)
    fenced: set[str] = field(default_factory=set)
    stuck: set[str] = field(default_factory=set)
    data_unknown: bool = False

    def __post_init__(self) -> None:
        self.begun = list(self.plan.done)

    @property
    def after_switch(self) -> bool:
        """Whether anything that serves was touched."""
        return any(step.after_switch for step in self.begun)

    def run(self) -> Failure | None:
        """Carry out every step in order; the failure that ended it, or None."""
        for step in self.plan.steps:
            if self.cancel.is_set():
                return Failure(step, {}, interrupted=True)
            reasons = self._carry_out(step)
            if reasons:
                return self._failure(step, reasons)
        return None

    def undo(self) -> dict[str, tuple[str, ...]]:
        """Undo what was begun, last first; what could not be undone, by host.

        Ends where data could not be brought back: no release may be started on such data alone.
        """
        failed: dict[str, tuple[str, ...]] = {}
        for step in reversed(self.begun):
            if not step.undo:
                continue
            back = Step(f"undo {step.name}", f"undo: {step.title}", step.undo)
            started = self._announce(back)
            patience = UNDO_PATIENCE if step.after_switch and step.name != RESTORE else 0.0
            reasons = _reasons(self._taken_back(back, patience))
            self._conclude(back, started, not reasons)
            for name, lines in reasons.items():
                failed[name] = (*failed.get(name, ()), *lines)
            if step.after_switch:
                self.stuck |= set(reasons)
            if reasons and step.name == RESTORE:
                self.data_unknown = True
                break
        return failed

    def _taken_back(self, back: Step, patience: float) -> dict[str, Outcome]:
        """What came of an undo. Where it failed it is tried again: else this host stays behind,
        for a disk that was full or a router that was gone for some seconds."""
        give_up = time.monotonic() + patience
        outcomes: dict[str, Outcome] = {}
        left = dict(back.commands)
        while True:
            outcomes |= self.fleet.act(back.name, left, self.turn)
            self.note_fenced(outcomes)
            left = {
                name: words
                for name, words in left.items()
                if isinstance(outcome := outcomes[name], Result)
                and not outcome.ok
                and name not in self.fenced
            }
            if not left or time.monotonic() > give_up:
                return outcomes
            time.sleep(1.0)

    def record(self, step: str) -> str:
        """Where a step's output is on its hosts, whole (commands/steps.sh)."""
        return f"{self.situation.layout.directory}/journal/{self.turn.run}/*.{step}/"

    def tidy(self, record: Commands) -> dict[str, tuple[str, ...]]:
        """What comes after a certain outcome; what went wrong there, by host.

        record: the audit line of each host. It comes last in the last script, so that it is
        written wherever nothing went wrong.
        """
        failed: dict[str, tuple[str, ...]] = {}
        for step in self.plan.tidy:
            started = self._announce(step)
            last = record if step is self.plan.tidy[-1] else {}
            words = {name: (*said, *last.get(name, ())) for name, said in step.commands.items()}
            outcomes = self.fleet.act(step.name, words, self.turn)
            self.note_fenced(outcomes)
            reasons = _reasons(outcomes)
            self._conclude(step, started, not reasons)
            failed.update(reasons)
        return failed

    def _carry_out(self, step: Step) -> dict[str, tuple[str, ...]]:
        started = self._announce(step)
        self.begun.append(step)
        if isinstance(step, ClientSmokeStep):
            reasons = self._ask_from_here(step)
        else:
            cancel = self.cancel if step.interruptible else None
            outcomes = self.fleet.act(step.name, step.commands, self.turn, cancel)
            reasons = _reasons(outcomes)
            self.note_fenced(outcomes)
            if isinstance(step, SmokeStep) and not reasons:
                reasons = _judge(step, outcomes)
        self._conclude(step, started, not reasons)
        return reasons

    def _failure(self, step: Step, reasons: dict[str, tuple[str, ...]]) -> Failure:
        if self.cancel.is_set():
            return Failure(step, {}, interrupted=True)
        asked = self.situation.hosts if isinstance(step, ClientSmokeStep) else reasons
        evidence = self._explain(step, [name for name in asked if name in self.fleet.transports])
        return Failure(step, reasons, evidence)

    def note_fenced(self, outcomes: Mapping[str, Outcome]) -> None:
        """Which hosts refused, as the lock there is no longer ours."""
        self.fenced |= {
            name
            for name, outcome in outcomes.items()
            if isinstance(outcome, Result) and FENCED in outcome.out.splitlines()
        }

    def _explain(self, step: Step, names: list[str]) -> dict[str, tuple[str, ...]]:
        """State, health answers and last log lines of the containers that the step was about."""
        if step.name in UNSTARTED:
            return {}
        project = self.situation.layout.key if step.name == "data" else ""
        asked = {
            name: (phrases.explain(project or self.situation.new_project(name)),) for name in names
        }
        return {
            name: tuple(
                line.removeprefix("@why ")
                for line in outcome.out.splitlines()
                if line.startswith("@why ")
            )
            for name, outcome in self.fleet.ask(asked).items()
            if isinstance(outcome, Result)
        }

    def _ask_from_here(self, step: ClientSmokeStep) -> dict[str, tuple[str, ...]]:
        faults = [
            fault
            for check in step.checks
            for fault in smoke.judge(check, smoke.ask(step.url, check, step.host))
        ]
        return {"here": tuple(faults)} if faults else {}

    def _announce(self, step: Step) -> float:
        self.listen(PhaseStarted(step.name, step.title, step.hosts))
        return time.monotonic()

    def _conclude(self, step: Step, started: float, ok: bool) -> None:
        self.seconds[step.name] = time.monotonic() - started
        self.listen(PhaseFinished(step.name, ok, self.seconds[step.name]))


def _reasons(outcomes: Mapping[str, Outcome]) -> dict[str, tuple[str, ...]]:
    """The hosts that failed, and what each said."""
    reasons: dict[str, tuple[str, ...]] = {}
    for name, outcome in outcomes.items():
        if isinstance(outcome, FairleadError):
            reasons[name] = (outcome.what, *outcome.why)
        elif isinstance(outcome, Exception):  # whatever it is, what was begun must be undone
            reasons[name] = (f"unexpected {type(outcome).__name__}: {outcome}",)
        elif not outcome.ok:
            said = (*_last_lines(_own_output(outcome.out)), *_last_lines(outcome.err))
            reasons[name] = said or (f"exit code {outcome.code}",)
    return reasons


def _own_output(out: str) -> str:
    """What the command that failed printed itself: a migration may report on stdout."""
    lines = out.splitlines()
    begun = max((n for n, line in enumerate(lines) if line.startswith("@run ")), default=0)
    return "\n".join(line for line in lines[begun:] if not line.startswith("@"))


def _last_lines(text: str) -> tuple[str, ...]:
    return tuple([line for line in text.splitlines() if line.strip()][-LAST_LINES:])


def _faults(check: SmokeCheck, answers: Sequence[smoke.Answer]) -> list[str]:
    """What is wrong with the answers to a check; a check that nobody answered has not passed."""
    if not answers:
        return [f"{check.name}: there was nobody to ask"]
    return [fault for answer in answers for fault in smoke.judge(check, answer)]


def _judge(step: SmokeStep, outcomes: Mapping[str, Outcome]) -> dict[str, tuple[str, ...]]:
    reasons: dict[str, tuple[str, ...]] = {}
    for name, outcome in outcomes.items():
        answers = smoke.parse_answers(only_result(outcome).out)
        asked = {int(command.argv[1]) for command in step.commands[name]}
        faults = [
            fault
            for index in sorted(asked)
            for fault in _faults(step.checks[index], answers.get(index, []))
        ]
        if faults:
            reasons[name] = tuple(faults)
    return reasons
