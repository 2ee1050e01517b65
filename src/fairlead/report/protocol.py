"""What a reporter promises, whoever it writes for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from fairlead.checks.finding import Finding
from fairlead.errors import FairleadError
from fairlead.events import Event
from fairlead.model import Step


class Wishes(Protocol):
    """The two flags that decide how a command reports."""

    @property
    def json(self) -> bool: ...

    @property
    def verbose(self) -> bool: ...


class Reporter(Protocol):
    """Tells what happens and what came of it. Safe to call from several threads.

    For people, results go to stdout, progress and errors to stderr. With `--json` everything is
    a JSON line on stdout and the last line is the result. No method raises because a stream is
    gone: a closed terminal or a full log never changes what a deploy does.
    """

    @property
    def ok(self) -> bool:
        """False once an error or a result that is not ok was reported."""
        ...

    def event(self, event: Event) -> None:
        """Tell of progress. May be passed as a `events.Listener`."""
        ...

    def error(self, error: FairleadError) -> None:
        """Tell what failed, why, what is true now and what to do next."""
        ...

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        notes: Sequence[str] = (),
    ) -> None:
        """Show rows under columns; a cell of None is shown as empty and is null in JSON."""
        ...

    def findings(self, findings: Sequence[Finding]) -> None:
        """Show faults, a line each in the order given: where, which rule, what, who says so.

        In a CI job each is also told where it stands in the change. What it means for the
        command is told by `result`: a finding alone is no failure.
        """
        ...

    def text(self, lines: Iterable[str]) -> None:
        """Pass plain result text through, line by line as it comes (logs, files)."""
        ...

    def plan(
        self,
        steps: Sequence[Step],
        header: Mapping[str, str],
        notes: Sequence[str] = (),
        verbose: bool = False,
    ) -> None:
        """Show what would run: one line a step, with `verbose` the argv of every command."""
        ...

    def result(
        self, payload: Mapping[str, object], summary: Sequence[str] = (), ok: bool = True
    ) -> None:
        """Tell what came of the command: `summary` for people, `payload` for scripts.

        Known keys of payload: outcome, release, digest or digests (by service), url, hosts,
        reason. A second call adds to the payload of the first. Not ok means exit code 1.
        """
        ...

    def close(self, exit_code: int = 0) -> None:
        """End the report: the JSON result line, the CI summary. Later calls do nothing."""
        ...
