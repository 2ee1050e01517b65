"""The lock on every host of an environment: taken in sorted order, leased, kept by heartbeat."""

import getpass
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fairlead.commands import host as phrases
from fairlead.commands.script import script
from fairlead.errors import FairleadError, HostError, LockHeld
from fairlead.events import Notice
from fairlead.model import Command, Result
from fairlead.rollout.fleet import Fleet, Outcome, only_result
from fairlead.rollout.observed import LockHolder

HELD = 73


def who() -> str:
    """Who we are, as other people will read it in the lock."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


@contextmanager
def locked(fleet: Fleet, lease: float, doing: str) -> Iterator[str]:
    """Hold the lock on all hosts; yields its token. Freed on the way out, whatever happens.

    A heartbeat renews the lease three times in its length. A client that dies leaves a lock that
    ends by itself. Raises LockHeld with who, since when and doing what.
    """
    token = secrets.token_hex(8)
    taken: list[str] = []
    stop = threading.Event()
    beat = threading.Thread(target=_beat, args=(fleet, taken, lease, token, stop), daemon=True)
    try:
        for name in fleet.hosts:
            _take(fleet, name, lease, doing, token)
            taken.append(name)
        beat.start()
        yield token
    finally:
        stop.set()
        if beat.ident:
            beat.join()
        _free(fleet, taken, token)


def _run(fleet: Fleet, name: str, command: Command, token: str) -> Outcome:
    variables = {**fleet.variables, "FL_TOKEN": token}
    try:
        return fleet.transports[name].run(script((command,), variables))
    except FairleadError as error:
        return error


def _take(fleet: Fleet, name: str, lease: float, doing: str, token: str) -> None:
    result = only_result(_run(fleet, name, phrases.lock(lease, who(), doing), token))
    for line in result.out.splitlines():
        if line.startswith("@takeover\t"):
            _, previous, task = line.split("\t")
            fleet.listen(
                Notice(f"{name}: took over the lock that {previous} left ({task})", "warning")
            )
    if result.code == HELD:
        raise _held(name, result)
    if not result.ok:
        raise HostError(
            name,
            "the lock could not be written",
            why=result.err.strip().splitlines()[-3:],
            state="nothing was changed",
            next_step="inv doctor",
        )


def _held(name: str, result: Result) -> LockHeld:
    line = next(line for line in result.out.splitlines() if line.startswith("@held\t"))
    _, holder, since, doing, left = line.split("\t")
    return held_error(name, LockHolder(holder, since, doing, int(left)))


def held_error(name: str, lock: LockHolder) -> LockHeld:
    """The refusal, for a person who waits: who, since when, doing what, how long at most."""
    return LockHeld(
        f"{name} is locked by {lock.who} since {lock.since}: {lock.doing}",
        why=[f"its lease ends in {lock.seconds_left} s unless {lock.who} renews it"],
        state="nothing was changed",
        next_step="wait for it (inv lock.status), or free it: inv lock.release --yes",
        docs="reference/tasks.md#lock",
    )


def _free(fleet: Fleet, taken: list[str], token: str) -> None:
    for name in taken:
        outcome = _run(fleet, name, phrases.unlock(), token)
        if isinstance(outcome, Exception) or not outcome.ok:
            text = f"{name}: the lock could not be freed; it ends by itself with its lease"
            fleet.listen(Notice(text, level="warning"))


def _beat(fleet: Fleet, names: list[str], lease: float, token: str, stop: threading.Event) -> None:
    while not stop.wait(lease / 3):
        for name in names:
            with suppress(FairleadError):  # the next mutation on it finds out by its fence
                only_result(_run(fleet, name, phrases.renew(lease), token))
