"""The hosts of an environment, spoken to side by side."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event

from fairlead.commands import host as phrases
from fairlead.commands.script import script
from fairlead.errors import FairleadError
from fairlead.events import HostFinished, HostOutput, HostProgress, Listener, Notice
from fairlead.model import Command, Result
from fairlead.rollout.observe import SERVING, STATE, parse_state
from fairlead.rollout.observed import HostState, Observed
from fairlead.rollout.progress import read_progress
from fairlead.transport.fanout import fan_out
from fairlead.transport.protocol import Transport

Outcome = Result | Exception
Redact = Callable[[str], str]


class Fleet:
    """Runs scripts on hosts and tells what they say. `token` owns the lock, once it is taken."""

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
        self.round_trips = 0
        self._ahead: Future[dict[str, HostState]] | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(sorted(self.transports))

    def ask(self, commands: Mapping[str, tuple[Command, ...]]) -> dict[str, Outcome]:
        """Run read-only commands, quietly."""
        return fan_out(commands, lambda name: self._run(name, commands[name], {}, None, None))

    def act(
        self,
        step: str,
        commands: Mapping[str, tuple[Command, ...]],
        token: str,
        cancel: Event | None = None,
    ) -> dict[str, Outcome]:
        """Run commands that change hosts. Each script first checks that the lock is still ours.

        step: under what name its progress is told; empty: quietly.
        """

        def work(name: str) -> Result:
            started = time.monotonic()
            result: Result | None = None
            try:
                words = (phrases.fence(), *commands[name])
                result = self._run(name, words, {"FL_TOKEN": token}, step or None, cancel)
                return result
            finally:
                if step:
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
        return {name: _state(name, result, known, STATE) for name, result in seen.items()}

    def look(self, known: Observed | None = None) -> dict[str, HostState | FairleadError]:
        """As `observe`, but a host that fails is told beside the others.

        known: an earlier look, by which this one only asks what runs and which slot is live.
        """
        words = phrases.observe_serving() if known else phrases.observe()
        found: dict[str, HostState | FairleadError] = {}
        for name, outcome in self.ask(dict.fromkeys(self.hosts, (words,))).items():
            try:
                found[name] = _state(name, only_result(outcome), known, SERVING)
            except FairleadError as error:
                found[name] = error
        return found

    def stream(self, name: str, commands: tuple[Command, ...], tell: Callable[[str], None]) -> None:
        """Run commands on one host and hand on each line they print, until they end."""
        whole = script(commands, {"FL_TOKEN": "", **self.variables})
        self.transports[name].run(whole, lambda line: None if line.startswith("@") else tell(line))

    def close(self) -> None:
        if self._ahead is not None:
            wait([self._ahead])
        for transport in self.transports.values():
            transport.close()

    def _run(
        self,
        name: str,
        commands: Iterable[Command],
        variables: Mapping[str, str],
        step: str | None,
        cancel: Event | None,
    ) -> Result:
        self.round_trips += 1
        whole = script(tuple(commands), {"FL_TOKEN": "", **self.variables, **variables})
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
