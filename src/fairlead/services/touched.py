"""From files that changed to the services they belong to. Pure: git is asked elsewhere."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from fairlead.services.declared import RepositoryService
from fairlead.services.owners import Owners


@dataclass(frozen=True)
class Touched:
    """files: service → its files that changed, sorted. everything: a global file that changed.
    unowned: files that belong to nobody, and so select nothing."""

    files: dict[str, list[str]]
    everything: str = ""
    unowned: tuple[str, ...] = ()


def touched(
    services: Sequence[RepositoryService],
    global_files: Sequence[str],
    files: Iterable[str],
    outside: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Touched:
    """Whose the files are. A global file is also its folder's owner's. outside: as of Owners."""
    owners = Owners(services, global_files, outside)
    found: defaultdict[str, list[str]] = defaultdict(list)
    everything, unowned = "", []
    for file in sorted(set(files)):
        is_global = owners.is_global(file)
        everything = everything or (file if is_global else "")
        names = owners.of(file)
        for name in names:
            found[name].append(file)
        if not names and not is_global:
            unowned.append(file)
    return Touched(dict(found), everything, tuple(unowned))
