"""Back to older data: what writes is stopped, the data are restored, the older release starts.

There is a gap from the stop to the switch: two releases at once are of no use when the data change
under both. A failure anywhere brings back the data and the release that were there.
"""

from collections.abc import Mapping
from dataclasses import replace

from fairlead.commands import backup, host, router
from fairlead.config import BackupData
from fairlead.model import Command, Step
from fairlead.rollout.backups.choice import DataBackup
from fairlead.rollout.observed import HostState
from fairlead.rollout.plan import Plan, in_order, step
from fairlead.rollout.situation import Situation
from fairlead.rollout.strategies import slots
from fairlead.rollout.strategies.preparation import preparation
from fairlead.rollout.strategies.revival import reopened


def plan(situation: Situation, chosen: DataBackup) -> Plan:
    """The target with the data of a backup; hosts that serve the target already keep their slot."""
    cold = replace(
        situation, observed={name: _cold(state) for name, state in situation.observed.items()}
    )
    ordinary = slots.finished(
        cold,
        _check(chosen),
        *preparation(cold),
        _stop(situation),
        _restore(situation, chosen),
        slots.start(cold),
        slots.prove(cold),
        slots.smoke_idle(cold),
        _resume(situation),
        slots.switch(cold, old_runs=False),
        *slots.smoke_live(cold),
    )
    return replace(ordinary, tidy=in_order(_done(chosen), *ordinary.tidy))


def taken_back(
    situation: Situation, before: str, data: Mapping[str, tuple[BackupData, ...]]
) -> tuple[Step, ...]:
    """Of a run that was cut off once it had begun to restore: the data of before it again.

    before: the backup that has them. Both slots are stopped then, as either may write.
    """
    stops = {name: _all_stopped(situation, state) for name, state in situation.observed.items()}
    back = {
        name: tuple(backup.give_back(before, one) for one in reversed(here))
        for name, here in data.items()
    }
    stop, restore = "stop what writes (nothing is served meanwhile)", f"the data of {before} again"
    return in_order(
        step("undo stop", stop, stops, interruptible=False, after_switch=True),
        step("undo restore", restore, back, interruptible=False, after_switch=True),
    )


def _all_stopped(situation: Situation, state: HostState) -> tuple[Command, ...]:
    held = [one for one in state.containers if one.slot]
    if not held:
        return ()
    backends = sorted({one.backend for one in held if one.backend})
    return (
        router.switch("-"),
        router.drain(situation.environment.drain_timeout, *backends),
        *(
            host.retire(situation.layout.project(slot), 0)
            for slot in sorted({one.slot for one in held})
        ),
    )


def _cold(state: HostState) -> HostState:
    """The host once everything that may write is stopped: nothing is warm any more."""
    containers = tuple(
        replace(one, status="exited") if one.slot and one.running else one
        for one in state.containers
    )
    return replace(state, containers=containers)


def _check(chosen: DataBackup) -> Step | None:
    commands = {
        name: (backup.check(chosen.stamp, *(one.name for one in data)),)
        for name, data in chosen.data.items()
    }
    return step("check", f"see that backup {chosen.stamp} is whole", commands)


def _stop(situation: Situation) -> Step | None:
    """No requests, no workers, nothing in either slot: what is written now would be lost."""
    commands: dict[str, tuple[Command, ...]] = {}
    undo: dict[str, tuple[Command, ...]] = {}
    for name, state in situation.observed.items():
        slotted = sorted({one.slot for one in state.containers if one.slot and one.running})
        if not (slotted or state.live_slot):
            continue
        stops = tuple(host.retire(situation.layout.project(slot), 0) for slot in slotted)
        commands[name] = (*_closed(situation, name), *stops)
        undo[name] = _reopened(situation, name)
    return step(
        "stop",
        "stop what writes (nothing is served from here to the switch)",
        commands,
        undo,
        after_switch=True,
    )


def _closed(situation: Situation, name: str) -> tuple[Command, ...]:
    if not situation.old_slot(name):
        return ()
    timeout = situation.environment.drain_timeout
    return (router.switch("-"), router.drain(timeout, *situation.old_backends(name)))


def _reopened(situation: Situation, name: str) -> tuple[Command, ...]:
    """The live slot runs again, has its traffic, and is healthy."""
    old = situation.old_slot(name)
    return reopened(situation, name, (router.switch(old),)) if old else ()


def _restore(situation: Situation, chosen: DataBackup) -> Step | None:
    """Not to be interrupted: what is begun for one service is short to end, and long to undo."""
    present = situation.target.stamp
    names = ", ".join(one.name for data in chosen.data.values() for one in data)
    return step(
        "restore",
        f"restore the data of {chosen.stamp}: {names}",
        {
            name: tuple(backup.restore(chosen.stamp, one) for one in data)
            for name, data in chosen.data.items()
        },
        {
            name: tuple(backup.give_back(present, one) for one in reversed(data))
            for name, data in chosen.data.items()
        },
        interruptible=False,
        after_switch=True,
    )


def _resume(situation: Situation) -> Step | None:
    """Hosts that serve the target already go on with it."""
    commands = {
        name: _reopened(situation, name)
        for name in situation.observed
        if name not in situation.hosts
    }
    return step("resume", "start what serves already again", commands, after_switch=True)


def _done(chosen: DataBackup) -> Step | None:
    commands = {
        name: (backup.restored(chosen.sequence, *(one.name for one in data)),)
        for name, data in chosen.data.items()
    }
    title = "record that the data are back"
    return step("restored", title, commands, interruptible=False, after_switch=True)
