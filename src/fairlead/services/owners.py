"""Whose a file is: by folder, by what an image is made from, by a pattern of global files."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from fairlead.config.source import tree_regex
from fairlead.services.declared import RepositoryService


class Owners:
    """Answers for one set of services; each answer costs as many look-ups as a path has parts.

    A file belongs to every service whose folder it is in, also where folders are nested: a
    Docker build sees all that is below its folder. A path above a service's folder is its own,
    too: git names a submodule, and a folder that became a file, by that path alone.
    outside: service → files and folders that are its own besides its folder.
    """

    def __init__(
        self,
        services: Sequence[RepositoryService],
        global_files: Sequence[str],
        outside: Mapping[str, Sequence[str]],
    ) -> None:
        self._inside: defaultdict[str, list[str]] = defaultdict(list)
        self._above: defaultdict[str, list[str]] = defaultdict(list)
        self._everywhere = [service.name for service in services if service.path == "."]
        for service in services:
            for path in (service.path, *outside.get(service.name, ())):
                if path != ".":
                    self._inside[path].append(service.name)
                    for folder in _folders(path):
                        self._above[folder].append(service.name)
        self._global = re.compile("|".join(map(tree_regex, global_files)) or r"(?!)")

    def is_global(self, file: str) -> bool:
        """Whether a change to it is a change to every service."""
        return bool(self._global.fullmatch(file))

    def of(self, file: str) -> list[str]:
        """The names of the services it belongs to."""
        owners = [*self._everywhere, *self._inside.get(file, ()), *self._above.get(file, ())]
        for folder in _folders(file):
            owners += self._inside.get(folder, ())
        return list(dict.fromkeys(owners))


def _folders(path: str) -> Iterator[str]:
    """`a/b` and `a` for `a/b/c`."""
    end = path.rfind("/")
    while end > 0:
        yield path[:end]
        end = path.rfind("/", 0, end)
