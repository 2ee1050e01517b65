"""The quick answer is the obvious one: against a model too slow and too simple to be wrong."""

from fnmatch import fnmatchcase
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from fairlead.services.declared import RepositoryService
from fairlead.services.graph import dependents, reached, way
from fairlead.services.touched import touched

PARTS = some.sampled_from(["a", "b", "ab", "a.b", "x-1", "ü"])
PATHS = some.lists(PARTS, min_size=1, max_size=4).map("/".join)
GLOBS = some.lists(some.one_of(PARTS, some.just("*")), min_size=1, max_size=3).map("/".join)


@some.composite
def repositories(draw):
    names = [f"s{number}" for number in range(draw(some.integers(1, 7)))]
    return tuple(
        RepositoryService(
            name,
            draw(some.one_of(PATHS, some.just("."))),
            depends_on=tuple(draw(some.lists(some.sampled_from(names), max_size=3))),
        )
        for name in names
    )


OUTSIDE = some.dictionaries(
    some.sampled_from(["s0", "s1", "s2"]), some.lists(PATHS, max_size=2), max_size=2
)


def owns(service: RepositoryService, outside, file: str) -> bool:
    def holds(path: str) -> bool:
        folder, parts = path.split("/"), file.split("/")
        return path == "." or parts[: len(folder)] == folder or folder[: len(parts)] == parts

    return any(map(holds, [service.path, *outside.get(service.name, ())]))


def is_global(pattern: str, file: str) -> bool:
    wanted, parts = pattern.split("/"), file.split("/")
    below = len(parts) > len(wanted) and "*" not in wanted[-1]
    return (below or len(wanted) == len(parts)) and all(map(fnmatchcase, parts, wanted))


def obvious(services, outside, patterns, files) -> set[str]:
    if any(is_global(pattern, file) for pattern in patterns for file in files):
        return {service.name for service in services}
    chosen = {s.name for s in services if any(owns(s, outside, file) for file in files)}
    for _ in services:
        chosen |= {s.name for s in services if chosen & set(s.depends_on)}
    return chosen


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(repositories(), OUTSIDE, some.lists(GLOBS, max_size=2), some.lists(PATHS, max_size=5))
def test_the_selection_is_the_obvious_one(services, outside, patterns, files):
    found = touched(services, patterns, files, outside)
    seeds = {s.name for s in services} if found.everything else set(found.files)
    assert set(reached(seeds, dependents(services))) == obvious(services, outside, patterns, files)
    assert set(found.unowned) == {
        file
        for file in files
        if not any(owns(one, outside, file) for one in services)
        and not any(is_global(pattern, file) for pattern in patterns)
    }


@settings(max_examples=200, deadline=None)
@given(repositories(), some.data())
def test_the_way_that_is_told_is_one_of_dependencies(services, data):
    known = {service.name: service for service in services}
    seeds = data.draw(some.sets(some.sampled_from(sorted(known))))
    through = reached(seeds, dependents(services))
    for name in through:
        steps = way(name, through)
        assert steps[-1] in seeds
        assert all(below in known[above].depends_on for above, below in pairwise(steps))


def test_one_changed_leaf_of_many_selects_itself_and_what_is_built_from_it():
    chain = tuple(
        RepositoryService(f"s{n}", f"s/{n}", depends_on=(f"s{n - 1}",) if n % 9 else ())
        for n in range(45)
    )
    found = touched(chain, (), ["s/42/code.py"])
    assert sorted(reached(found.files, dependents(chain))) == ["s42", "s43", "s44"]
