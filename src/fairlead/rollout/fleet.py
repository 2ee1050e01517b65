"""The hosts of an environment, spoken to side by side."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from threading import Event

from fairlead.commands import host as phrases
from fairlead.commands.script import script, step_script
from fairlead.errors import FairleadError, HostError
from fairlead.events import HostFinished, HostOutput, HostProgress, Listener, Notice
from fairlead.model import Command, Result
from fairlead.rollout.journal import Turn
from fairlead.rollout.observe import SERVING, STATE, parse_state
from fairlead.rollout.observed import HostState, Observed
from fairlead.rollout.progress import read_progress
from fairlead.transport.fanout import fan_out
from fairlead.transport.protocol import Transport

Outcome = Result | Exception
Redact = Callable[[str], str]


class Fleet:
    """Runs scripts on hosts and tells what they say.

    token: of the lock that is ours while we plan; no look at a host tells of that one.
    """

    def __init__(
        self,
        transports: Mapping[str, Transport],
        variables: Mapping[str, str],
        listen: Listener,
        redact: Redact = str,
    ) -> None:
        self.transports = transports
        self.variables = variables
        self.listen = listen
        self.redact = redact
        self.token = ""
        self.round_trips = 0
        self._ahead: Future[dict[str, HostState]] | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(sorted(self.transports))

    def ask(self, commands: Mapping[str, tuple[Command, ...]]) -> dict[str, Outcome]:
        """Run commands that are as good when they run twice, quietly."""

        def work(name: str) -> Result:
            words = {"FL_TOKEN": "", **self.variables}
            return self._run(name, replace(script(commands[name], words), repeatable=True))

        return fan_out(commands, work)

    def ask_once(self, commands: Mapping[str, tuple[Command, ...]]) -> dict[str, Outcome]:
        """Run commands, quietly; after a lost connection nothing is sent again."""
        words = {"FL_TOKEN": "", **self.variables}
        return fan_out(commands, lambda name: self._run(name, script(commands[name], words)))

    def act(
        self,
        step: str,
        commands: Mapping[str, tuple[Command, ...]],
        turn: Turn,
        cancel: Event | None = None,
        *,
        quiet: bool = False,
    ) -> dict[str, Outcome]:
        """Run a step: commands that change hosts, and run to their end whatever becomes of us.

        Each script first checks that the lock is still ours, and writes itself into the journal.
        """
        place = turn.next(step)

        def work(name: str) -> Result:
            started = time.monotonic()
            result: Result | None = None
            try:
                words = (phrases.fence(), *commands[name])
                variables = {"FL_TOKEN": turn.token, **self.variables}
                whole = step_script(words, variables, turn.run, place)
                result = self._run(name, whole, None if quiet else step, cancel)
                return result
            finally:
                if not quiet:
                    ok = bool(result and result.ok)
                    self.listen(HostFinished(step, name, ok, time.monotonic() - started))

        return fan_out(commands, work)

    def look_ahead(self) -> None:
        """Begin to look at every host, beside all else; the next `observe()` takes the answer."""
        if self._ahead is None:
            pool = ThreadPoolExecutor(max_workers=1)
            self._ahead = pool.submit(self._observed, None)
            pool.shutdown(wait=False)

    def observe(self, known: Observed | None = None) -> dict[str, HostState]:
        """Look at every host. Raises the first host's error; all of them are in its `why`.

        known: an earlier look, by which this one only asks for what a roll-out changes.
        """
        ahead, self._ahead = self._ahead, None
        return ahead.result() if ahead and known is None else self._observed(known)

    def _observed(self, known: Observed | None) -> dict[str, HostState]:
        words = phrases.observe_state() if known else phrases.observe()
        seen = all_results(self.ask(dict.fromkeys(self.hosts, (words,))))
        return {n: self._of_others(_state(n, result, known, STATE)) for n, result in seen.items()}

    def _of_others(self, state: HostState) -> HostState:
        """The host without a lock that is ours."""
        ours = bool(self.token) and state.lock is not None and state.lock.token == self.token
        return replace(state, lock=None) if ours else state

    def look(self, known: Observed | None = None) -> dict[str, HostState | FairleadError]:
        """As `observe`, but a host that fails is told beside the others; so is one whose engine
        does not answer, of which nobody knows what runs there.

        known: an earlier look, by which this one only asks what runs and which slot is live.
        """
        words = phrases.observe_serving() if known else phrases.observe()
        found: dict[str, HostState | FairleadError] = {}
        for name, outcome in self.ask(dict.fromkeys(self.hosts, (words,))).items():
            try:
                found[name] = _seen(_state(name, only_result(outcome), known, SERVING))
            except FairleadError as error:
                found[name] = error
        return found

    def stream(
        self, name: str, commands: tuple[Command, ...], tell: Callable[[str], None], cancel: Event
    ) -> Result:
        """Run commands on one host and hand on each line they print, until they end."""
        whole = script(commands, {"FL_TOKEN": "", **self.variables})
        marks = ("@run ", "@ended")

        def hear(line: str) -> None:
            if not line.startswith(marks):
                tell(line)

        return self.transports[name].run(whole, hear, cancel)

    def close(self) -> None:
        if self._ahead is not None:
            wait([self._ahead])
        for transport in self.transports.values():
            transport.close()

    def _run(
        self, name: str, whole: Command, step: str | None = None, cancel: Event | None = None
    ) -> Result:
        self.round_trips += 1
        tell = None if step is None else self._teller(step, name)
        return self.transports[name].run(whole, tell, cancel)

    def _teller(self, step: str, name: str) -> Callable[[str], None]:
        def tell(line: str) -> None:
            if line.startswith("@warning "):
                text = f"{name}: {line.removeprefix('@warning ')}"
                self.listen(Notice(self.redact(text), "warning"))
                return
            if not line.startswith("@"):
                self.listen(HostOutput(step, name, self.redact(line)))
            elif (progress := read_progress(line)) is not None:
                what, done, total, note = progress
                self.listen(HostProgress(step, name, what, done, total, self.redact(note)))

        return tell


def _state(name: str, result: Result, known: Observed | None, asked: frozenset[str]) -> HostState:
    return parse_state(name, result, known[name] if known else None, asked)


def _seen(state: HostState) -> HostState:
    """The state, if its containers could be seen. Raises HostError."""
    if not state.docker.startswith("unreachable"):
        return state
    raise HostError(
        state.host,
        f"Docker does not answer: {state.docker.removeprefix('unreachable ')}",
        state="what runs there is not known",
        next_step="start it (systemctl start docker), then inv status; inv doctor looks closer",
    )


def only_result(outcome: Outcome) -> Result:
    """The result; raises the exception that is in its place."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def all_results(outcomes: Mapping[str, Outcome]) -> dict[str, Result]:
    """Every host's result. Raises when a host has none: the first error, with all of them told."""
    errors = [outcome for outcome in outcomes.values() if isinstance(outcome, Exception)]
    if not errors:
        return {name: only_result(outcome) for name, outcome in outcomes.items()}
    first = errors[0]
    if len(errors) > 1 and isinstance(first, FairleadError):
        first.why = (*first.why, *(str(error) for error in errors[1:]))
    raise first
