"""The moves strategies are made of: start a slot, prove it, switch to it, retire the other."""

from collections.abc import Mapping

from fairlead.commands import backup, compose, host, router
from fairlead.engines.compose.addresses import host_header
from fairlead.engines.compose.layout import SETTLE_SECONDS
from fairlead.model import Command, ReleaseStatus, Step
from fairlead.rollout import smoke
from fairlead.rollout.backups.retention import doomed
from fairlead.rollout.observed import KeptRelease
from fairlead.rollout.plan import ClientSmokeStep, Plan, SmokeStep, in_order, step
from fairlead.rollout.situation import Situation
from fairlead.rollout.strategies.revival import revived
from fairlead.rollout.strategies.settle import settle


def start(
    situation: Situation, scales: Mapping[str, Mapping[str, int]] | None = None
) -> Step | None:
    """Start the target in the idle slot; where it is waiting there already, wake it.

    scales: by host, how many of each service to begin with; else all of them.
    """
    commands: dict[str, tuple[Command, ...]] = {}
    for name in situation.hosts:
        if situation.is_warm(name) or not situation.part(name).replicas:
            continue
        project = situation.new_project(name)
        if situation.is_waiting(name):
            commands[name] = (
                *router.ready(*situation.new_backends(name)),
                host.activate(project),
            )
            continue
        # A routed host's router is in the slot's network already: the router's step saw to both.
        commands[name] = (
            *(() if situation.part(name).routed else (host.network(project),)),
            *_left_over(situation, name),
            host.make_room(project, _backends(situation, name)),
            compose.up(project, situation.file(name), scales[name] if scales else None),
        )
    return step(
        "start",
        f"start {situation.target.release} in the idle slot",
        commands,
        {name: _away(situation, name) for name in commands},
    )


def _left_over(situation: Situation, name: str) -> tuple[Command, ...]:
    """Workers that a killed roll-out left in the idle slot finish the job in hand."""
    state = situation.state(name)
    left = any(c.running and not c.backend for c in state.slot(state.idle_slot))
    return (host.stop_workers(situation.new_project(name)),) if left else ()


def _away(situation: Situation, name: str) -> tuple[Command, ...]:
    """Undo of `start`: it answers what it was asked, its workers end their jobs, then it goes.

    Where traffic could not be sent back, it stays and serves: the new release is better than none.
    """
    project, backends = situation.new_project(name), situation.new_backends(name)
    timeout = situation.environment.drain_timeout
    answered = (router.drain(timeout, *backends),) if backends else ()
    return (
        host.require_idle(project),
        *answered,
        host.stop_workers(project),
        host.clear(project),
    )


def prove(situation: Situation) -> Step | None:
    """Wait until every container is healthy, by its own word and by the router's."""
    commands = {
        name: (healthy(situation, name),)
        for name in situation.hosts
        if situation.part(name).replicas and not situation.is_warm(name)
    }
    return step("health", "wait until it is healthy", commands)


def healthy(situation: Situation, name: str) -> Command:
    """The wait for the idle slot on one host."""
    return host.await_healthy(
        situation.new_project(name), SETTLE_SECONDS, situation.health_timeout(name)
    )


def smoke_idle(situation: Situation) -> Step | None:
    """Smoke checks on the idle slot, container by container, before it gets any traffic."""
    checks = smoke.from_host(situation.environment)
    commands = {
        name: smoke.idle_commands(situation, name, checks)
        for name in situation.hosts
        if not situation.is_warm(name)
    }
    plain = step("smoke-idle", "smoke checks on the idle slot", commands)
    return SmokeStep(**vars(plain), checks=checks) if plain and checks else None


def switch(situation: Situation, *, old_runs: bool = True) -> Step | None:
    """One entry of the router's map: traffic goes to the new slot, request by request.

    old_runs: the old slot runs meanwhile, so it is proven before traffic goes back to it.
    """
    commands = {
        name: (
            *_still_up(situation, name),
            *routes(situation, name),
            router.switch(situation.new_slot(name)),
            *_awake(situation, name),
        )
        for name in situation.hosts
    }
    return step(
        "switch",
        "switch traffic to " + _slots(situation),
        commands,
        {name: _switched_back(situation, name, old_runs) for name in situation.hosts},
        interruptible=False,
        after_switch=True,
    )


def _switched_back(situation: Situation, name: str, old_runs: bool) -> tuple[Command, ...]:
    proven = revived(situation, name) if old_runs and situation.old_slot(name) else ()
    return (*proven, *back(situation, name), *_asleep(situation, name))


def _still_up(situation: Situation, name: str) -> tuple[Command, ...]:
    """A warm slot was proven when it was live; the router has asked it ever since.

    From before the switch on it comes back after a reboot: what is live always does.
    """
    backends = situation.new_backends(name) if situation.is_warm(name) else ()
    if not situation.is_warm(name):
        return ()
    keep = host.keep(situation.new_project(name))
    return (router.require_up(*backends), keep) if backends else (keep,)


def _awake(situation: Situation, name: str) -> tuple[Command, ...]:
    """A warm slot that is live again: its workers run, and all of it comes back after a reboot."""
    return (host.activate(situation.new_project(name)),) if situation.is_warm(name) else ()


def _asleep(situation: Situation, name: str) -> tuple[Command, ...]:
    """Undo of `_awake`: the slot waits as before, without workers."""
    if not situation.is_warm(name):
        return ()
    project = situation.new_project(name)
    return (host.stop_workers(project), host.retire(project, situation.environment.keep_warm))


def back(situation: Situation, name: str) -> tuple[Command, ...]:
    """Traffic back to what was live before; to nothing, when nothing was."""
    old = situation.old_slot(name)
    release = situation.state(name).live_release
    if not old:
        # Routes to nothing would be in the way of another application.
        gone = (router.routes(situation.layout.key, "/dev/null"),)
        return (router.switch("-"), *(gone if situation.part(name).routed else ()))
    if not release or not _has_routes(situation, name):
        return (router.switch(old),)
    file = situation.layout.release_file(release, "routes")
    return (router.routes(situation.layout.key, file), router.switch(old))


def drain(situation: Situation) -> Step | None:
    """Wait until the old slot has answered all it was asked, for `drain_timeout` at most."""
    timeout = situation.environment.drain_timeout
    commands = {
        name: (router.drain(timeout, *backends),)
        for name in situation.hosts
        if (backends := situation.old_backends(name))
    }
    return step("drain", "let the old slot finish its requests", commands, after_switch=True)


def smoke_live(situation: Situation) -> tuple[Step, ...]:
    """Smoke checks through the router, from the hosts and from here."""
    environment = situation.environment
    checks = smoke.from_host(environment)
    commands = {
        name: smoke.router_commands(environment, checks)
        for name in situation.hosts
        if situation.part(name).routed
    }
    plain = step("smoke-host", "smoke checks through the router", commands, after_switch=True)
    asked = smoke.from_client(environment)
    return in_order(
        SmokeStep(**vars(plain), checks=checks) if plain and checks else None,
        ClientSmokeStep(
            "smoke-client",
            f"smoke checks from here at {environment.url}",
            {},
            after_switch=True,
            checks=asked,
            url=environment.url,
            host=host_header(environment, environment.url),
        )
        if asked and environment.url
        else None,
    )


def stop_old_workers(situation: Situation) -> Step | None:
    """The old workers get their stop signal and their own grace period."""
    commands: dict[str, tuple[Command, ...]] = {}
    undo: dict[str, tuple[Command, ...]] = {}
    for name in situation.hosts:
        slot = situation.old_slot(name)
        if slot and any(not c.backend for c in situation.state(name).slot(slot)):
            commands[name] = (host.stop_workers(situation.old_project(name)),)
            undo[name] = (host.revive(situation.old_project(name)),)
    return step("workers", "stop the old workers", commands, undo, after_switch=True)


def tidy(situation: Situation) -> tuple[Step, ...]:
    """After the outcome is certain: record it, retire the old slot, prune."""
    target, environment = situation.target, situation.environment
    commands: dict[str, tuple[Command, ...]] = {}
    for name in situation.hosts:
        old = situation.old_slot(name)
        words: list[Command] = [host.status(target.release, ReleaseStatus.PROVEN)]
        live = situation.state(name).live_release
        words += [
            host.status(kept.id, ReleaseStatus.ROLLED_BACK)
            for kept in situation.state(name).releases
            if kept.sequence > target.sequence
            and kept.status in (ReleaseStatus.PROVEN, ReleaseStatus.PREPARED)
        ]
        if old:
            words.append(host.retire(situation.old_project(name), environment.keep_warm))
        kept_releases = (target.release, live) if live else (target.release,)
        words.append(host.prune(environment.keep_releases, *kept_releases))
        gone = doomed(situation.state(name), environment.backup, environment.keep_releases)
        if gone:
            words.append(backup.remove(*(one.stamp for one in gone)))
        commands[name] = tuple(words)
    title = f"{_farewell(situation)}, prune"
    return in_order(step("tidy", title, commands, interruptible=False, after_switch=True))


def _farewell(situation: Situation) -> str:
    """What becomes of what was live before, in words."""
    warm = situation.environment.keep_warm
    if not any(situation.old_slot(name) for name in situation.hosts):
        return f"put {situation.target.release} on record"
    return f"keep the old slot warm for {warm:.0f} s" if warm > 0 else "stop the old slot"


def finished(situation: Situation, *steps: Step | None) -> Plan:
    """A plan of these steps, and what is tidied up after them."""
    return Plan(in_order(settle(situation), *steps), tidy(situation))


def _backends(situation: Situation, name: str) -> str:
    """The file of the idle slot's backends as this release wants them; none without routes."""
    slot = situation.new_slot(name)
    file = situation.layout.release_file(situation.target.release, f"router-{slot}.cfg")
    return file if situation.part(name).routed else ""


def routes(situation: Situation, name: str) -> tuple[Command, ...]:
    """This release's routes, where they differ from the live one's."""
    kept, part = _kept_live(situation, name), situation.part(name)
    if not _has_routes(situation, name):
        return ()
    if kept and kept.manifest["host"]["files"].get("routes") == part.digests.get("routes"):
        return ()
    file = situation.layout.release_file(situation.target.release, "routes")
    return (router.routes(situation.layout.key, file),)


def _has_routes(situation: Situation, name: str) -> bool:
    """Whether this release or the live one is routed there: other hosts may have no router."""
    kept = _kept_live(situation, name)
    return bool(situation.part(name).routed or (kept and kept.manifest["host"]["routed"]))


def _kept_live(situation: Situation, name: str) -> KeptRelease | None:
    state = situation.state(name)
    return state.kept(state.live_release) if state.live_release else None


def _slots(situation: Situation) -> str:
    slots = sorted({situation.new_slot(name) for name in situation.hosts})
    return " and ".join(slots)
