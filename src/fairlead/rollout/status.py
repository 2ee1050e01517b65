"""What is true now, host by host, as `inv status` tells it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fairlead.config import Environment
from fairlead.errors import FairleadError, MixedState
from fairlead.model import ReleaseStatus
from fairlead.rollout.journal import Run
from fairlead.rollout.observed import Container, HostState, LockHolder
from fairlead.rollout.unfinished import half_restored, with_data_again

Seen = Mapping[str, HostState | FairleadError]


@dataclass(frozen=True)
class Verdict:
    """One sentence over all hosts; exit code 0 when they agree and are healthy, else 1 or 6."""

    sentence: str
    exit_code: int
    payload: Mapping[str, object]


def describe(environment: Environment, seen: Seen) -> tuple[list[tuple[object, ...]], list[str]]:
    """A row per host, and notes on what a person should see besides."""
    rows: list[tuple[object, ...]] = []
    notes: list[str] = []
    for name, state in sorted(seen.items()):
        if isinstance(state, FairleadError):
            rows.append((name, "no answer", "", "", "", ""))
            continue
        rows.append(_row(state))
        notes += [f"{name}: {note}" for note in _notes(state)]
    return rows, notes


def overall(seen: Seen) -> Verdict:
    """Whether the hosts agree, and on what."""
    states = {name: s for name, s in seen.items() if isinstance(s, HostState)}
    lost = sorted(set(seen) - set(states))
    serving = {name: s.live_release for name, s in states.items() if _has_slots(s)}
    releases = set(serving.values()) - {""}
    left = sorted({r.doing for s in states.values() for r in _left(s)})
    restore = half_restored({name: s for name, s in states.items() if not _at_work(s)})
    payload = {
        "hosts": serving,
        "unfinished": [*left, *([restore] if restore else [])],
        "unreachable": lost,
        "locked": {n: s.lock.doing for n, s in states.items() if s.lock and not s.lock.expired},
    }
    if lost:
        text = f"{', '.join(lost)} cannot be reached"
        return Verdict(text, MixedState.exit_code, {"outcome": "unknown", **payload})
    if len(releases) > 1 or any(_moving(s) for s in states.values()):
        text = _differ(states, restore, () if left else releases)
        return Verdict(text, MixedState.exit_code, {"outcome": "mixed", **payload})
    if left:
        text = f"{', '.join(releases) or 'nothing'} serves, and never finished: {', '.join(left)}"
        return Verdict(text, 1, {"outcome": "unfinished", **payload})
    if restore:
        way = with_data_again(states)
        text = f"{', '.join(releases) or 'nothing'} serves, and {restore}: {way}"
        return Verdict(text, 1, {"outcome": "unfinished", **payload})
    if not releases:
        return _nothing_serves(states, payload)
    release = releases.pop()
    sick = [name for name, state in states.items() if not _is_whole(state, release)]
    if sick:
        text = f"{release} serves, but not every container is healthy on {', '.join(sick)}"
        return Verdict(text, 1, {"outcome": "degraded", "release": release, **payload})
    return Verdict(f"{release} serves", 0, {"outcome": "serving", "release": release, **payload})


def _differ(states: Mapping[str, HostState], restore: str, releases: Iterable[str]) -> str:
    """What each host serves, and what makes them agree; of an unfinished run the notes tell that.

    restore: of data, that never ended. releases: which all could be brought to.
    """
    text = "hosts serve different releases, or a roll-out stopped half way: " + ", ".join(
        f"{name} {state.live_release or 'nothing'} ({state.live or 'no slot'})"
        for name, state in states.items()
    )
    if restore:
        return f"{text}; {restore}: {with_data_again(states)}"
    ways = " or ".join(f"--to={one}" for one in sorted(releases))
    return f"{text}; inv rollback {ways} brings all to it" if ways else text


def _nothing_serves(states: Mapping[str, HostState], payload: Mapping[str, object]) -> Verdict:
    """In order before the first deploy; an outage where a release was proven before."""
    proven = max(
        (
            (kept.sequence, kept.id)
            for state in states.values()
            for kept in state.releases
            if kept.status is ReleaseStatus.PROVEN
        ),
        default=None,
    )
    if proven is None:
        return Verdict("nothing is deployed yet", 0, {"outcome": "empty", **payload})
    text = f"nothing serves, though {proven[1]} did: inv rollback --to={proven[1]} starts it again"
    return Verdict(text, 1, {"outcome": "down", **payload})


def _left(state: HostState) -> list[Run]:
    """Runs that changed what serves, and that nobody is at work on any more."""
    return [] if _at_work(state) else [run for run in state.runs if run.unfinished and run.touched]


def _at_work(state: HostState) -> bool:
    """Whether somebody is at work there now, who may bring to its end what looks unfinished."""
    return bool(state.lock and not state.lock.expired)


def _is_whole(state: HostState, release: str) -> bool:
    """Whether all that the release has on this host runs, and is healthy."""
    live = state.slot(state.live_slot) if state.live_slot else ()
    kept = state.kept(release)
    declared = kept.manifest.get("host", {}).get("replicas", {}) if kept else {}
    return _count(live) == max(int(sum(declared.values())), len(live))


def _has_slots(state: HostState) -> bool:
    return bool(state.live) or any(container.slot for container in state.containers)


def _moving(state: HostState) -> bool:
    return bool(state.live and state.live.share)


def _row(state: HostState) -> tuple[object, ...]:
    live, idle = state.slot(state.live_slot), state.slot(state.idle_slot)
    waiting = state.release_in(state.idle_slot)
    warm = "warm" if any(c.running for c in idle) else "stopped"
    return (
        state.host,
        state.live_release or "nothing",
        str(state.live or "-"),
        f"{_count(live)}/{len(live)} healthy" if live else "-",
        f"{waiting} {warm}" if waiting else ("empty" if not idle else "several releases"),
        _held(state.lock),
    )


def _held(lock: LockHolder | None) -> str:
    """Who has the lock; one whose lease has ended is there for the taking."""
    if lock is None:
        return "free"
    if lock.released:
        return f"{lock.who} {lock.doing}"
    if lock.expired:
        return f"free: left by {lock.who}, {lock.doing}"
    return f"{lock.who}: {lock.doing} ({lock.seconds_left} s left)"


def _count(containers: tuple[Container, ...]) -> int:
    return sum(1 for c in containers if c.running and c.health in ("", "healthy"))


def _notes(state: HostState) -> list[str]:
    notes = []
    if state.live_runtime != state.live_file and state.live_runtime and state.live_file:
        notes.append(
            f"the router serves {state.live_runtime}, its file says {state.live_file}; the next "
            "deploy sets that right"
        )
    if state.router.split()[0] not in ("running", "absent"):
        notes.append(f"the router is {state.router.split()[0]}")
    live = state.kept(state.live_release) if state.live_release else None
    if live and live.manifest.get("bypass"):
        notes.append(f"{live.id}: {live.manifest['bypass']}")
    for container in state.containers:
        if container.slot in ("", state.live_slot) and not container.running:
            oom = ", out of memory" if container.oom else ""
            notes.append(
                f"{container.name} is {container.status} (exit code {container.exit_code}{oom})"
            )
    return [*notes, *_unfinished(state)]


def _unfinished(state: HostState) -> list[str]:
    """Runs that have not come to their end, by the journal: where, and whose turn it is."""
    alive = _at_work(state)
    notes = []
    for run in state.runs:
        if not run.unfinished:
            continue
        about = f"{run.doing} by {run.who} is at `{run.at}` since {run.since}"
        if alive:
            notes.append(f"{about}; its lock is alive")
        elif run.touched:
            notes.append(
                f"{about} and never finished: {run.release} serves "
                + ("already" if run.release in state.serving else "nothing")
                + f"; {run.ways_out}"
            )
        else:
            notes.append(
                f"{about} and never finished; nothing that serves was changed: deploy again, or "
                "inv deploy --resume"
            )
    return notes
