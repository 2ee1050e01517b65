"""Which services differ from what they are compared with, and why. When in doubt: all of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fairlead.services.comparison import Comparison
from fairlead.services.declared import Declaration, RepositoryService
from fairlead.services.graph import dependents, reached, way
from fairlead.services.history import Incomparable
from fairlead.services.redeclared import redeclared
from fairlead.services.touched import touched

SHOWN = 20  # files of a service that `why` names


@dataclass(frozen=True)
class Changed:
    """A service that differs. reason: one line. why: every cause, a line each."""

    name: str
    reason: str
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class Changes:
    """services: those that differ, by name. unowned: changed files that belong to no service."""

    services: tuple[Changed, ...]
    unowned: tuple[str, ...] = ()

    @property
    def left_out(self) -> str:
        """What selected nothing, in a line; empty when every file is somebody's."""
        if not self.unowned:
            return ""
        count = len(self.unowned)
        shown = ", ".join(self.unowned[:3]) + (", …" if count > 3 else "")
        return f"changed, but of no service: {count} file{'s' * (count != 1)} ({shown})"


@dataclass(frozen=True)
class Since:
    """What each service is compared with: one commit or several, or a reason to take it anyway."""

    commits: Mapping[str, Sequence[str]]
    anyway: Mapping[str, str] = field(default_factory=dict)


def compared_with(services: Sequence[RepositoryService], base: str) -> Since:
    """All services with one commit, or with the place where this branch left another."""
    return Since({service.name: (base,) for service in services})


def changed(
    declaration: Declaration, since: Since, comparison: Comparison | None = None
) -> Changes:
    """The services whose source, or whose dependencies' source, is not what it was then.

    Uncommitted and untracked files count. Where git cannot compare, every service compared with
    that commit has changed, and the reason says why: a doubt never selects nothing.
    comparison: where git was asked early, or is asked about another commit than what is here.
    """
    comparison = comparison or Comparison(declaration.root)
    graph = dependents(declaration.services)
    found = {name: Changed(name, reason, (reason,)) for name, reason in since.anyway.items()}
    unowned: set[str] = set()
    for compared in _compared(declaration, since, comparison):
        unowned |= compared.unowned
        through = reached(compared.causes, graph)
        for name in through:
            if compared.base in since.commits.get(name, ()):
                found.setdefault(name, _told(name, through, compared.causes))
    through = reached(found, graph)
    causes = {name: list(one.why) for name, one in found.items()}
    for name in through:
        found.setdefault(name, _told(name, through, causes))
    return Changes(tuple(found[name] for name in sorted(found)), tuple(sorted(unowned)))


@dataclass(frozen=True)
class _Compared:
    """What one commit differs in: service → causes, the first is the reason."""

    base: str
    causes: Mapping[str, list[str]]
    unowned: frozenset[str] = frozenset()


def _compared(
    declaration: Declaration, since: Since, comparison: Comparison
) -> Iterator[_Compared]:
    bases = sorted({base for some in since.commits.values() for base in some})
    for base in bases:
        try:
            yield _difference(declaration, base, comparison)
        except Incomparable as doubt:
            everything = (service.name for service in declaration.services)
            causes = {name: [f"every service: {doubt}"] for name in everything}
            yield _Compared(base, causes)


def _difference(declaration: Declaration, base: str, comparison: Comparison) -> _Compared:
    services = declaration.services
    commit, tracked = comparison.since(base)
    files = {*tracked, *comparison.untracked()}
    here = touched(services, declaration.global_files, files, declaration.outside)
    causes = {name: _causes(files) for name, files in here.files.items()}
    for name, cause in redeclared(
        declaration.root, commit, tracked, services, comparison.until
    ).items():
        causes.setdefault(name, []).insert(0, cause)
    for service in services if here.everything else ():
        cause = f"{here.everything} changed, a global file"
        causes.setdefault(service.name, []).insert(0, cause)
    return _Compared(base, causes, frozenset(here.unowned))


def _causes(files: Sequence[str]) -> list[str]:
    """The first file stands for all in the reason; the others are causes of their own."""
    first = f"{files[0]} changed"
    if len(files) == 1:
        return [first]
    rest = [f"{file} changed" for file in files[:SHOWN]]
    more = [f"and {len(files) - SHOWN} more files"] if len(files) > SHOWN else []
    return [f"{len(files)} files changed, such as {files[0]}", *rest, *more]


def _told(name: str, through: Mapping[str, str], causes: Mapping[str, Sequence[str]]) -> Changed:
    steps = way(name, through)
    first, *others = causes[steps[-1]]
    if len(steps) == 1:
        return Changed(name, first, tuple(others) or (first,))
    path = " → ".join(steps[1:])
    return Changed(name, f"built from {path}: {first}", (f"{' → '.join(steps)}: {first}", *others))
