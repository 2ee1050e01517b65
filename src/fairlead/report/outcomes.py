"""How a command ended, in one word and as data."""

from collections.abc import Mapping
from dataclasses import asdict

from fairlead.errors import ConfigError, FairleadError
from fairlead.report.called import Spoken
from fairlead.report.layout import docs


def outcome(payload: Mapping[str, object], error: FairleadError | None, exit_code: int) -> str:
    """An error's kind, else what the command says of itself, else `done` or `failed`."""
    if error is not None:
        return error.kind
    return str(payload.get("outcome") or ("failed" if exit_code else "done"))


def described(error: FairleadError, spoken: Spoken = str) -> dict[str, object]:
    """An error as JSON-ready values; a configuration's faults one by one."""
    told: dict[str, object] = {
        "kind": error.kind,
        "exit_code": error.exit_code,
        "what": spoken(error.what),
        "why": [*map(spoken, error.why)],
        "state": spoken(error.state),
        "next": spoken(error.next_step),
        "docs": docs(error.docs),
    }
    if isinstance(error, ConfigError):
        told["problems"] = [asdict(problem) for problem in error.problems]
    return told
