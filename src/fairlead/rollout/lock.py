"""The lock on every host of an environment: taken in sorted order, leased, kept by heartbeat."""

import getpass
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType

from fairlead.commands import host as phrases
from fairlead.commands.script import script
from fairlead.errors import FairleadError, HostError, LockHeld
from fairlead.events import Notice
from fairlead.model import Command, Result
from fairlead.rollout.fleet import Fleet, Outcome, all_results, only_result
from fairlead.rollout.observed import LockHolder
from fairlead.rollout.plan import Commands
from fairlead.transport.fanout import fan_out

HELD = 73
NOTHING: Commands = MappingProxyType({})


def who() -> str:
    """Who we are, as other people will read it in the lock."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


@contextmanager
def locked(fleet: Fleet, lease: float, doing: str, opening: Commands = NOTHING) -> Iterator[str]:
    """Hold the lock on all hosts; yields its token. Freed on the way out, whatever happens.

    opening: what each host does at once when its lock is ours. A heartbeat a host renews the lease
    three times in its length. A client that dies leaves a lock that ends by itself, but not before
    the step that runs on that host. Raises LockHeld with who, since when and doing what.
    """
    token = fleet.token or secrets.token_hex(8)
    taken: list[str] = []
    stop = threading.Event()
    beats = [
        threading.Thread(target=_beat, args=(fleet, name, lease, token, stop), daemon=True)
        for name in fleet.hosts
    ]
    try:
        for name in fleet.hosts:
            words = (phrases.lock(lease, who(), doing), *opening.get(name, ()))
            taken.append(name)  # before: it may be written, and what comes after it fail
            _take(fleet, name, words, token)
        for beat in beats:
            beat.start()
        yield token
    finally:
        stop.set()
        for beat in beats:
            if beat.ident:
                beat.join(1.0)  # one that waits for a host that is gone may wait on
        _free(fleet, taken, token)


@contextmanager
def our_turn(fleet: Fleet, lease: float) -> Iterator[None]:
    """Hold the lock for what is planned next. Whoever carries that out has the same lock."""
    with locked(fleet, lease, "plan what it has waited for") as token:
        fleet.token = token
        try:
            yield
        finally:
            fleet.token = ""


def _run(
    fleet: Fleet, name: str, commands: tuple[Command, ...], token: str, *, again: bool = True
) -> Outcome:
    whole = script(commands, {**fleet.variables, "FL_TOKEN": token})
    try:
        return fleet.transports[name].run(replace(whole, repeatable=again))
    except FairleadError as error:
        return error


def _take(fleet: Fleet, name: str, words: tuple[Command, ...], token: str) -> None:
    result = only_result(_run(fleet, name, words, token))
    for line in result.out.splitlines():
        if line.startswith("@takeover\t"):
            _, previous, task = line.split("\t")
            fleet.listen(
                Notice(f"{name}: took over the lock that {previous} left ({task})", "warning")
            )
    if result.code == HELD and (holder := _shown(result)):
        raise held_error(name, holder)
    if not result.ok:
        raise HostError(
            name,
            "the lock could not be written",
            why=result.err.strip().splitlines()[-3:],
            state="nothing was changed",
            next_step="inv doctor",
        )


def _shown(result: Result) -> LockHolder | None:
    lines = [line for line in result.out.splitlines() if line.startswith("@held\t")]
    return LockHolder.parse(lines[0].removeprefix("@held\t")) if lines else None


def held_error(name: str, lock: LockHolder) -> LockHeld:
    """The refusal, for a person who waits: who, since when, doing what, how long at most."""
    if lock.released:
        return LockHeld(
            f"{name}: {lock.who} {lock.doing}",
            why=["nobody can work there before it has ended: there is no lock left to free"],
            state="nothing was changed",
            next_step="wait for it (--lock-wait=15m with the command); one that hangs is ended as "
            "told above, then inv status",
            docs="reference/tasks.md#lock",
        )
    return LockHeld(
        f"{name} is locked by {lock.who} since {lock.since}: {lock.doing}",
        why=[f"its lease ends in {lock.seconds_left} s unless {lock.who} renews it"],
        state="nothing was changed",
        next_step="wait for it (inv lock.status, or --lock-wait=15m with the command); a lock "
        f"whose owner is gone for good: inv lock.release --token={lock.token} --yes",
        docs="reference/tasks.md#lock",
    )


def looking(fleet: Fleet) -> Commands:
    """What asks every host who holds its lock, and nothing else."""
    return dict.fromkeys(fleet.hosts, (phrases.show_lock(),))


def holders(fleet: Fleet) -> dict[str, LockHolder | None]:
    """Who has the lock, by host; None where it is free.

    Raises HostError when a host does not say.
    """
    found = {}
    for name, result in all_results(fleet.ask(looking(fleet))).items():
        if not result.ok:
            raise HostError(
                name,
                "does not say who holds its lock",
                why=result.err.strip().splitlines()[-3:],
                next_step="inv doctor",
            )
        found[name] = _shown(result)
    return found


def breaking(fleet: Fleet, why: str, token: str) -> Commands:
    """What frees the lock on every host, whoever has it; only that of `token`, if it is given."""
    return dict.fromkeys(fleet.hosts, (phrases.break_lock(who(), why, token),))


def freed(fleet: Fleet, commands: Commands) -> list[str]:
    """Carry that out; a line for each lock it freed. LockHeld: it is somebody else's by now."""
    lines = []
    for name, result in all_results(fleet.ask_once(commands)).items():
        if result.code == HELD and (holder := _shown(result)) and holder.released:
            raise held_error(name, holder)
        if result.code == HELD:
            raise LockHeld(
                f"{name}: {result.err.strip()}",
                state="nothing was changed there",
                next_step="inv lock.status",
            )
        if not result.ok:
            raise HostError(
                name,
                "the lock could not be freed",
                why=result.err.splitlines()[-3:],
                state="it ends by itself with its lease",
                next_step="inv lock.status, or inv doctor",
            )
        if holder := _shown(result):
            lines.append(f"{name}: was held by {holder.who}")
    return lines


def _free(fleet: Fleet, taken: list[str], token: str) -> None:
    """On all hosts side by side: one that is gone keeps the others locked no longer."""
    freed = fan_out(taken, lambda name: _run(fleet, name, (phrases.unlock(),), token))
    for name, outcome in freed.items():
        if isinstance(outcome, Exception) or not outcome.ok:
            text = f"{name}: the lock could not be freed; it ends by itself with its lease"
            fleet.listen(Notice(text, level="warning"))


def _beat(fleet: Fleet, name: str, lease: float, token: str, stop: threading.Event) -> None:
    """Each host has a heartbeat of its own: one that does not answer holds up no other's."""
    while not stop.wait(lease / 3):
        _run(
            fleet, name, (phrases.renew(),), token, again=False
        )  # the fence finds out, if it fails
