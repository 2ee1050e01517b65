"""All services of a suite, for as long as it runs."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from fairlead.checks.suites.services.container import container
from fairlead.checks.suites.services.recipe import Address, Recipe, Unavailable, recipe
from fairlead.checks.suites.services.server import server
from fairlead.config.suites import SuiteService


@contextmanager
def started(
    names: Sequence[str],
    declared: Mapping[str, SuiteService],
    *,
    cancel: threading.Event,
    tell: Callable[[str], None],
    note: Callable[[str], None] = lambda _: None,
) -> Iterator[dict[str, str]]:
    """The environment variables in which a suite finds its services, all of them ready.

    They end with the block, also when it raises. tell: gets a few words on what is awaited.
    note: gets a sentence where a service is not what is declared, and why.
    Raises Unavailable naming the service and why it cannot be had, in every way that was tried.
    """
    with ExitStack() as running:
        variables: dict[str, str] = {}
        for name in names:
            tell(f"starting {name}")
            wanted = _recipe(name, declared)
            address = _start(wanted, running, cancel, note)
            variables |= address.variables(wanted)
        yield variables


def _recipe(name: str, declared: Mapping[str, SuiteService]) -> Recipe:
    try:
        return recipe(name, declared.get(name))
    except Unavailable as why:
        raise Unavailable(f"service {name}: {why}") from None


def _start(
    wanted: Recipe, running: ExitStack, cancel: threading.Event, note: Callable[[str], None]
) -> Address:
    """In a container; else as a server of this machine, which is noted."""
    reasons = []
    for way in (container, server):
        try:
            address = running.enter_context(way(wanted, cancel))
        except Unavailable as why:
            reasons.append(str(why))
        else:
            if address.kind == "server":
                instead = f"a server of this machine instead of {wanted.image}"
                note(f"service {wanted.name}: {instead}: {reasons[0]}")
            return address
        if cancel.is_set():
            break
    raise Unavailable(f"service {wanted.name}: {'; '.join(reasons)}")
