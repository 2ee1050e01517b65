"""What is said to a host: calls of the functions in the .sh files here, as argv.

Those about its router, its data and its health have modules of their own.
"""

from collections.abc import Mapping

from fairlead.model import Command


def network(*names: str) -> Command:
    return Command(("fl_network", *names))


def absent_networks(*names: str) -> Command:
    return Command(("fl_absent_networks", *names), timeout=30)


def receive(release: str, archive: bytes, note: str) -> Command:
    return Command(("fl_receive", release), stdin=archive, stdin_note=note)


def backup(stamp: str, release: str, sequence: int) -> Command:
    return Command(("fl_backup", stamp, release, str(sequence)))


def restore(stamp: str, release: str) -> Command:
    return Command(("fl_restore", stamp, release))


def irreversible(release: str) -> Command:
    """Leave a mark: the release's migration is about to take away what older ones need."""
    return Command(("fl_irreversible", release), timeout=30)


def pull(*references: str, timeout: float) -> Command:
    return Command(("fl_pull", *references), timeout=timeout)


def pull_as(
    server: str, username: str, password: bytes, *references: str, timeout: float
) -> Command:
    """The same, logged in for as long as it takes and no longer."""
    words = ("fl_pull_as", server, username, *references)
    note = "the registry's password"
    return Command(words, stdin=password, stdin_note=note, timeout=timeout)


def make_room(project: str, config: str = "") -> Command:
    """Empty an idle slot; with a file on the host, the slot's backends become those of the file."""
    return Command(("fl_make_room", project, config) if config else ("fl_make_room", project))


def require_idle(project: str) -> Command:
    """Ends an undo that would take away what serves, because the one before it failed."""
    return Command(("fl_require_idle", project), timeout=30)


def clear(project: str) -> Command:
    return Command(("fl_clear", project))


def clear_one_off(project: str) -> Command:
    return Command(("fl_clear_one_off", project), timeout=30)


def await_healthy(project: str, settle: float, timeout: float, *patience: str) -> Command:
    """Ends with the first container that has no hope; with `patient` not before the time is up."""
    words = ("fl_await", project, f"{settle:.0f}", f"{timeout:.0f}", *patience)
    return Command(words, timeout=timeout + 30)


def explain(project: str) -> Command:
    return Command(("fl_explain", project))


def keep(project: str) -> Command:
    """The containers of a slot come back after a reboot; none is started or stopped now."""
    return Command(("fl_keep", project))


def activate(project: str) -> Command:
    return Command(("fl_activate", project))


def revive(project: str) -> Command:
    """Undo of a stop, even of one that was cut short: all of the slot runs again."""
    return Command(("fl_revive", project), timeout=900)


def stop_workers(project: str) -> Command:
    return Command(("fl_stop_workers", project), timeout=900)


def shrink(project: str, timeout: float, left: Mapping[str, int]) -> Command:
    """Drain and stop replicas of a slot's services until so many of each are left."""
    counts = (f"{service}={count}" for service, count in left.items())
    return Command(("fl_shrink", project, f"{timeout:.0f}", *counts), timeout=timeout + 900)


def ask_containers(
    index: int, project: str, backend: str, port: int, request: tuple[str, ...]
) -> Command:
    """Ask every container of a backend directly; request: method, path, host, seconds, and
    `https` when visitors come so."""
    return Command(("fl_ask_containers", str(index), project, backend, str(port), *request))


def ask_router(index: int, entrance: str, request: tuple[str, ...]) -> Command:
    """Ask through the host's router; entrance: its port, or `https`; request: method, path, host,
    seconds."""
    return Command(("fl_ask_router", str(index), entrance, *request))


def retire(project: str, keep_warm: float) -> Command:
    return Command(("fl_retire", project, f"{keep_warm:.0f}"), timeout=900)


def status(release: str, value: str) -> Command:
    return Command(("fl_status", release, value))


def audit(line: str) -> Command:
    return Command(("fl_audit", line))


def prune(keep: int, *releases: str) -> Command:
    return Command(("fl_prune", str(keep), *releases))


def lock(lease: float, who: str, doing: str) -> Command:
    """Take the lock; it waits for a warm slot that is just being stopped."""
    return Command(("fl_lock", f"{lease:.0f}", who, doing), timeout=330)


def renew() -> Command:
    return Command(("fl_renew",), timeout=30)


def fence() -> Command:
    """Ends the script unless the lock is ours; in a step it waits for one that still runs."""
    return Command(("fl_fence",), timeout=330)


def unlock() -> Command:
    return Command(("fl_unlock",), timeout=30)


def break_lock(who: str, why: str, token: str) -> Command:
    """Free the lock of others; only that of `token`, if it is given."""
    words = ("fl_lock_break", who, why)
    return Command((*words, token) if token else words, timeout=30)


def show_lock() -> Command:
    """Who holds the lock; a small question, for those who ask it again and again."""
    return Command(("fl_lock_show",), timeout=30)


def journal_open(run: str, header: str) -> Command:
    return Command(("fl_journal_open", run, header), timeout=30)


def journal_end(run: str, outcome: str) -> Command:
    return Command(("fl_journal_end", run, outcome), timeout=30)


def observe(*references: str) -> Command:
    return Command(("fl_observe", *references), timeout=60)


def observe_state() -> Command:
    """A second look: only at what a roll-out changes."""
    return Command(("fl_observe_state",), timeout=60)


def observe_serving() -> Command:
    """A last look: only at what runs, and which slot is live."""
    return Command(("fl_observe_serving",), timeout=60)
