"""Everything as JSON lines on stdout, for scripts. The last line is the result."""

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from fairlead.checks.finding import Finding
from fairlead.errors import FairleadError
from fairlead.events import Event, Notice
from fairlead.model import Step
from fairlead.report import plan
from fairlead.report.called import Spoken
from fairlead.report.outcomes import described, outcome
from fairlead.report.terminal import Outlet

SCHEMA_VERSION = 1


class JsonLines:
    """One object a line: schema_version, type, time (ISO 8601, UTC), and what the type has.

    Types: phase-started, host-progress, host-output, host-finished, phase-finished, notice,
    table, finding, text, plan, error, and exactly one result, which is the last line.
    """

    def __init__(self, out: Outlet, *, redact: Callable[[str], str], spoken: Spoken) -> None:
        self.ok = True
        self._out = out
        self._redact = redact
        self._spoken = spoken
        self._lock = threading.RLock()
        self._payload: dict[str, object] = {}
        self._findings: list[dict[str, object]] = []
        self._error: FairleadError | None = None
        self._closed = False

    def event(self, event: Event) -> None:
        if isinstance(event, Notice):
            event = replace(event, text=self._spoken(event.text))
        self._line(_kebab(type(event).__name__), asdict(event))

    def error(self, error: FairleadError) -> None:
        self.ok = False
        self._error = error
        self._line("error", {"error": described(error, self._spoken)})

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        notes: Sequence[str] = (),
    ) -> None:
        records = [dict(zip(columns, row, strict=True)) for row in rows]
        self._line("table", {"title": title, "rows": records, "notes": [*map(self._spoken, notes)]})

    def findings(self, findings: Sequence[Finding]) -> None:
        for one in findings:
            self._findings.append(asdict(one))
            self._line("finding", asdict(one))

    def text(self, lines: Iterable[str]) -> None:
        for text in lines:
            self._line("text", {"text": text})

    def plan(
        self,
        steps: Sequence[Step],
        header: Mapping[str, str],
        notes: Sequence[str] = (),
        verbose: bool = False,
    ) -> None:
        self._line("plan", plan.data(steps, header, notes))

    def result(
        self, payload: Mapping[str, object], summary: Sequence[str] = (), ok: bool = True
    ) -> None:
        self.ok = self.ok and ok
        self._payload |= payload
        if summary:
            self._payload["summary"] = [*map(self._spoken, summary)]

    def close(self, exit_code: int = 0) -> None:
        if self._closed:
            return
        verdict = {"outcome": outcome(self._payload, self._error, exit_code)}
        if self._findings:
            self._payload["findings"] = self._findings
        content = {**self._payload, **verdict, "exit_code": exit_code}
        if self._error is not None:
            facts = {"reason": self._spoken(self._error.what), **self._error.facts}
            content = {**facts, **content}
            content["error"] = described(self._error, self._spoken)
        self._line("result", content)
        self._closed = True

    def _line(self, kind: str, content: Mapping[str, object]) -> None:
        head = {
            "schema_version": SCHEMA_VERSION,
            "type": kind,
            "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        text = json.dumps(self._masked({**head, **content, **head}))
        with self._lock:
            if not self._closed:
                self._out.raw(text + "\n")

    def _masked(self, value: Any) -> Any:
        """The value made of JSON's types alone, every text in it without secrets."""
        match value:
            case bool() | int() | None:
                return value
            case float():
                return value if isfinite(value) else None
            case Mapping():
                return {self._redact(str(key)): self._masked(item) for key, item in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._masked(item) for item in value]
        return self._redact(str(value))


def _kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
