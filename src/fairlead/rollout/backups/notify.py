"""Telling somebody that a verification failed, by a command of the project's own."""

import shlex

from fairlead.events import Notice
from fairlead.model import Command
from fairlead.rollout.session import Session
from fairlead.transport.local import run_local

LIMIT = 60.0  # s


def notify(session: Session, lines: list[str]) -> None:
    """Run `[backup] on_failure` with the lines on stdin. Whatever comes of it changes nothing."""
    wanted = session.environment.backup.on_failure
    if not wanted:
        return
    text = session.redact("\n".join(lines) + "\n")
    command = Command(tuple(shlex.split(wanted)), stdin=text.encode(), timeout=LIMIT)
    ran = run_local(command, cwd=session.environment.root)
    if not ran.ok:
        why = "there is no such program" if ran.missing else ran.stopped or f"exit {ran.code}"
        session.listen(Notice(f"`on_failure` did not work ({why}): {wanted}", "warning"))
