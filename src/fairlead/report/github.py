"""What GitHub Actions reads of a job: groups, annotations, step summary, outputs.

Formats: docs.github.com/actions, "Workflow commands". A summary file over 1 MiB is refused whole;
of each kind of annotation ten are kept per step.
"""

import json
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from fairlead.checks.finding import Finding, Severity
from fairlead.errors import ConfigError, FairleadError
from fairlead.events import Event, Notice, PhaseFinished, PhaseStarted
from fairlead.model import Step
from fairlead.report.called import Spoken
from fairlead.report.markdown import Summary
from fairlead.report.outcomes import outcome
from fairlead.report.protocol import Reporter
from fairlead.report.terminal import Outlet

ANNOTATIONS = 10
KINDS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning"}
OUTPUTS = ("release", "digest", "url", "matrix", "any", "outcome")


class GitHub:
    """Another reporter, and beside it what Actions shows of the step."""

    def __init__(
        self,
        reporter: Reporter,
        err: Outlet,
        *,
        environ: Mapping[str, str],
        redact: Callable[[str], str],
        spoken: Spoken,
        groups: bool,
    ) -> None:
        self._reporter = reporter
        self._err = err
        self._redact = redact
        self._groups = groups
        self._group = ""  # the step whose group is open: groups do not nest
        self._annotated: Counter[str] = Counter()
        self._payload: dict[str, object] = {}
        self._error: FairleadError | None = None
        self._summary = Summary(spoken)
        self._summary_file = environ.get("GITHUB_STEP_SUMMARY", "")
        self._output_file = environ.get("GITHUB_OUTPUT", "")
        self._lock = threading.RLock()
        self._closed = False

    @property
    def ok(self) -> bool:
        return self._reporter.ok

    def event(self, event: Event) -> None:
        with self._lock:
            if isinstance(event, PhaseStarted):
                self._open_group(event)
            if isinstance(event, PhaseFinished) and event.step == self._group:
                self._close_group()
            self._reporter.event(event)
            self._summary.event(event)
            if isinstance(event, Notice) and event.level == "warning":
                self._annotate("warning", event.text)

    def error(self, error: FairleadError) -> None:
        with self._lock:
            self._close_group()
            self._error = error
            self._reporter.error(error)
            self._summary.error(error)
            if isinstance(error, ConfigError):
                for problem in error.problems:
                    place = {"file": problem.file, "line": problem.line or 1}
                    self._annotate("error", str(problem), **place)
            else:
                self._annotate("error", "\n".join((error.what, *error.why)))

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        notes: Sequence[str] = (),
    ) -> None:
        self._reporter.table(title, columns, rows, notes)
        self._summary.table(title, columns, rows, notes)

    def findings(self, findings: Sequence[Finding]) -> None:
        with self._lock:
            self._reporter.findings(findings)
            self._summary.findings(findings)
            for one in sorted(findings, key=lambda finding: finding.severity.rank):
                self._annotate(KINDS.get(one.severity, "notice"), one.message, **_place(one))

    def text(self, lines: Iterable[str]) -> None:
        self._reporter.text(lines)

    def plan(
        self,
        steps: Sequence[Step],
        header: Mapping[str, str],
        notes: Sequence[str] = (),
        verbose: bool = False,
    ) -> None:
        self._reporter.plan(steps, header, notes, verbose)
        self._summary.plan(steps, header, notes)

    def result(
        self, payload: Mapping[str, object], summary: Sequence[str] = (), ok: bool = True
    ) -> None:
        self._payload |= payload
        self._reporter.result(payload, summary, ok)
        self._summary.result(payload, summary)

    def close(self, exit_code: int = 0) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._close_group()
            self._reporter.close(exit_code)
            verdict = outcome(self._payload, self._error, exit_code)
            self._write_summary(verdict, exit_code)
            self._write_outputs(verdict)

    def _open_group(self, event: PhaseStarted) -> None:
        if self._groups and not self._group:
            self._group = event.step
            self._command("group", f"{event.step}: {event.title}")

    def _close_group(self) -> None:
        if self._group:
            self._group = ""
            self._command("endgroup", "")

    def _annotate(self, kind: str, text: str, **properties: object) -> None:
        self._annotated[kind] += 1
        if self._annotated[kind] <= ANNOTATIONS:
            self._command(kind, text, **{"title": "fairlead", **properties})

    def _command(self, name: str, text: str, **properties: object) -> None:
        given = ",".join(f"{key}={_property(str(one))}" for key, one in properties.items())
        told = f"::{name}{' ' + given if given else ''}::{_data(text)}\n"
        self._err.raw(self._err.spell(told))

    def _write_summary(self, verdict: str, exit_code: int) -> None:
        if self._summary_file:
            file = Path(self._summary_file)
            taken = file.stat().st_size if file.exists() else 0
            self._append(file, self._redact(self._summary.markdown(verdict, exit_code, taken)))

    def _write_outputs(self, verdict: str) -> None:
        if not self._output_file:
            return
        values = {**self._payload, "digest": _digest(self._payload), "outcome": verdict}
        known = {name: values[name] for name in OUTPUTS if values.get(name) not in (None, "")}
        given = {name: self._redact(_spelled(value)) for name, value in known.items()}
        text = "".join(_output(name, value) for name, value in given.items())
        self._append(Path(self._output_file), text)

    def _append(self, file: Path, text: str) -> None:
        """Add to one of Actions' files; one that cannot be written changes no outcome."""
        try:
            with file.open("a", encoding="utf-8") as stream:
                stream.write(text)
        except OSError as error:
            self._annotate("warning", f"{file.name} could not be written: {error.strerror}")


def _place(finding: Finding) -> dict[str, object]:
    """The properties of an annotation: the place as far as it is known, and who says so."""
    known = {"file": finding.path, "line": finding.line, "col": finding.column}
    title = f"{finding.tool} {finding.rule}" + f" {finding.place}" * bool(finding.package)
    return {**{key: value for key, value in known.items() if value}, "title": title}


def _digest(payload: Mapping[str, object]) -> str:
    """The digest that was deployed; of several services a line each, `service=digest`."""
    digests = payload.get("digests")
    if payload.get("digest") or not isinstance(digests, Mapping):
        return str(payload.get("digest", ""))
    if len(set(digests.values())) == 1:
        return str(next(iter(digests.values())))
    return "\n".join(f"{service}={digest}" for service, digest in digests.items())


def _spelled(value: object) -> str:
    """A text as it is, anything else as JSON: what `fromJSON` in a workflow reads."""
    return value if isinstance(value, str) else json.dumps(value)


def _output(name: str, value: str) -> str:
    """An output in the form that takes any value; nobody can guess the delimiter."""
    delimiter = f"fairlead_{secrets.token_hex(16)}"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
