"""Rolling: batch by batch of hosts, and on each host replica by replica.

The new slot grows as the old one shrinks, and the router's share of the new one grows with it, so
a host never runs more than one replica too many and never serves from fewer than all but one.
"""

from collections import Counter
from dataclasses import replace

from fairlead.commands import compose, host, router
from fairlead.model import Command, Step
from fairlead.rollout.observed import Live
from fairlead.rollout.plan import Plan, step
from fairlead.rollout.situation import Situation
from fairlead.rollout.strategies import slots
from fairlead.rollout.strategies.preparation import migration, preparation
from fairlead.rollout.strategies.revival import revived

WHOLE = 10_000  # a share of all requests, in the router's unit


def plan(situation: Situation) -> Plan:
    """Preparation on all hosts, then each batch from first replica to last, then the checks."""
    steps: list[Step | None] = [*preparation(situation), migration(situation)]
    for batch in batches(situation):
        steps += _batch(_only(situation, batch))
    return slots.finished(
        situation, *steps, *slots.smoke_live(situation), slots.stop_old_workers(situation)
    )


def batches(situation: Situation) -> list[tuple[str, ...]]:
    """The hosts in order, cut into batches of the configured size."""
    names = situation.hosts
    size = situation.environment.rolling.size(len(names))
    return [names[start : start + size] for start in range(0, len(names), size)]


def _only(situation: Situation, names: tuple[str, ...]) -> Situation:
    hosts = {name: situation.target.hosts[name] for name in names}
    return replace(situation, target=replace(situation.target, hosts=hosts))


def _batch(situation: Situation) -> list[Step | None]:
    in_place = any(situation.is_waiting(name) for name in situation.hosts)
    if in_place or not any(situation.old_slot(name) for name in situation.hosts):
        return [
            _named(situation, slots.start(situation)),
            _named(situation, slots.prove(situation)),
            _named(situation, slots.smoke_idle(situation)),
            _named(situation, slots.switch(situation)),
            _named(situation, slots.drain(situation)),
        ]
    rounds = max(
        (n for h in situation.hosts for n in situation.part(h).replicas.values()), default=1
    )
    first = {name: _new_counts(situation, name, 1, rounds) for name in situation.hosts}
    steps: list[Step | None] = [
        _named(situation, slots.start(situation, first)),
        _named(situation, slots.prove(situation)),
        _named(situation, slots.smoke_idle(situation)),
    ]
    for count in range(1, rounds + 1):
        if count > 1:
            steps.append(_grow(situation, count, rounds))
        steps.append(_shift(situation, count, rounds))
        steps.append(_shrink(situation, count, rounds))
    return steps


def _named(situation: Situation, one: Step | None) -> Step | None:
    """The step under a name that tells its batch, so that no two of a plan are alike."""
    if one is None:
        return None
    return replace(one, name=f"{one.name}:{'+'.join(situation.hosts)}")


def _new_counts(situation: Situation, name: str, count: int, rounds: int) -> dict[str, int]:
    """How many of each service the new slot has in a round; one at least, as it gets requests."""
    return {
        service: -(-replicas * count // rounds)
        for service, replicas in situation.part(name).replicas.items()
    }


def _old_counts(situation: Situation, name: str, count: int, rounds: int) -> dict[str, int]:
    """How many the old slot has after a round: one at least, for as long as it gets requests."""
    slot = situation.old_slot(name)
    held = situation.state(name).slot(slot) if slot else ()
    running = Counter(container.service for container in held if container.running)
    if count == rounds:
        return dict.fromkeys(running, 0)
    new = _new_counts(situation, name, count, rounds) if count else {}
    return {
        service: max(1, replicas - new.get(service, 0)) for service, replicas in running.items()
    }


def _grow(situation: Situation, count: int, replicas: int) -> Step | None:
    """One replica more; it gets no traffic before the router has seen it answer."""
    commands: dict[str, tuple[Command, ...]] = {}
    for name in situation.hosts:
        scale = _new_counts(situation, name, count, replicas)
        if scale == _new_counts(situation, name, count - 1, replicas):
            continue
        backends = situation.new_backends(name)
        commands[name] = (
            *router.hold_free(*backends),
            compose.grow(situation.new_project(name), situation.file(name), scale),
            slots.healthy(situation, name),
            *router.admit(*backends),
        )
    title = f"start replica {count} of {replicas}, wait until it is healthy"
    return _named(situation, step(f"grow-{count}", title, commands, after_switch=True))


def _shift(situation: Situation, count: int, replicas: int) -> Step | None:
    """The new slot's share of the requests, as its share of the replicas."""
    commands = {
        name: (
            *(slots.routes(situation, name) if count == replicas else ()),
            router.switch(_value(situation, name, count, replicas)),
        )
        for name in situation.hosts
    }
    undo = {name: _restore(situation, name) for name in situation.hosts} if count == 1 else {}
    title = f"send {count}/{replicas} of the requests to the new release"
    one = step(f"shift-{count}", title, commands, undo, interruptible=False, after_switch=True)
    return _named(situation, one)


def _value(situation: Situation, name: str, count: int, replicas: int) -> str:
    new, old = situation.new_slot(name), situation.old_slot(name)
    if count == replicas or not old:
        return new
    return str(Live(old, new, WHOLE * count // replicas))


def _restore(situation: Situation, name: str) -> tuple[Command, ...]:
    """Undo a roll of any length: the whole old slot again, healthy, and all traffic on it."""
    whole = revived(situation, name) if situation.old_slot(name) else ()
    return (*whole, *slots.back(situation, name))


def _shrink(situation: Situation, count: int, replicas: int) -> Step | None:
    """As many replicas less of the old release: drained first, then stopped."""
    commands: dict[str, tuple[Command, ...]] = {}
    for name in situation.hosts:
        before = _old_counts(situation, name, count - 1, replicas)
        after = _old_counts(situation, name, count, replicas)
        left = {service: number for service, number in after.items() if number < before[service]}
        if left:
            timeout = situation.environment.drain_timeout
            commands[name] = (host.shrink(situation.old_project(name), timeout, left),)
    title = f"drain and stop old replicas, {count} of {replicas}"
    return _named(situation, step(f"shrink-{count}", title, commands, after_switch=True))
