"""Who is built from whom, seen from below: what a change to one service reaches."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence

from fairlead.services.declared import RepositoryService

Dependents = Mapping[str, Sequence[str]]


def dependents(services: Iterable[RepositoryService]) -> Dependents:
    """For each service, those that are built from it directly."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for service in services:
        for name in service.depends_on:
            found[name].append(service.name)
    return found


def reached(changed: Iterable[str], graph: Dependents) -> dict[str, str]:
    """What `changed` reaches, itself included: name → the service it was reached through.

    By the shortest way; empty for those that changed themselves. Circles are walked once.
    """
    through = dict.fromkeys(changed, "")
    waiting = deque(through)
    while waiting:
        name = waiting.popleft()
        for dependent in graph.get(name, ()):
            if dependent not in through:
                through[dependent] = name
                waiting.append(dependent)
    return through


def way(name: str, through: Mapping[str, str]) -> list[str]:
    """From a service that was reached down to the one that changed."""
    steps = [name]
    while following := through[steps[-1]]:
        steps.append(following)
    return steps
