"""The end of a run as each host keeps it: a line in audit.jsonl, and the journal's end."""

import json
from datetime import UTC, datetime

from fairlead.commands import host as phrases
from fairlead.events import Notice
from fairlead.model import Command
from fairlead.rollout.execute import Execution
from fairlead.rollout.lock import who
from fairlead.rollout.plan import Commands
from fairlead.rollout.session import Session


def conclude(
    session: Session,
    execution: Execution,
    doing: str,
    outcome: str,
    why: str,
    *,
    ended: bool = True,
) -> None:
    """Write the end of the run on every host; a failure here is told and changes nothing.

    ended: or the audit line alone, as the next command goes on with the run. So it is where data
    are still to be brought back.
    """
    commands = record(session, execution, doing, outcome, why)
    if execution.data_unknown or not ended:
        commands = {name: words[:1] for name, words in commands.items()}
    write(session, execution, commands)


def record(
    session: Session, execution: Execution, doing: str, outcome: str, why: str
) -> dict[str, tuple[Command, ...]]:
    """The commands that write it, by host: for a script that goes to the host anyway."""
    run = execution.turn.run
    commands: dict[str, tuple[Command, ...]] = {}
    for name in session.fleet.hosts:
        line = json.dumps(_line(session, execution, doing, outcome, why, name))
        commands[name] = (phrases.audit(line), phrases.journal_end(run, outcome))
    return commands


def _line(
    session: Session, execution: Execution, doing: str, outcome: str, why: str, host: str
) -> dict[str, object]:
    situation, bypass = execution.situation, execution.situation.target.bypass
    return {
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "event": doing.split()[0],
        "release": situation.target.release,
        "from": situation.state(host).live_release,
        "outcome": outcome,
        "why": session.redact(why),
        **({"bypass": session.redact(bypass)} if bypass else {}),
        "who": who(),
        **execution.plan.audit,
        "run": execution.turn.run,
    }


def write(session: Session, execution: Execution, commands: Commands) -> None:
    """Carry these out; a host where that fails is told."""
    if not commands:
        return
    outcomes = session.fleet.act("end", commands, execution.turn, quiet=True)
    execution.note_fenced(outcomes)
    for name, result in outcomes.items():
        if isinstance(result, Exception) or not result.ok:
            session.listen(Notice(f"{name}: the audit line could not be written", "warning"))
