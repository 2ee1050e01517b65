"""Which services a repository declares: in services.json, or in deploy/fairlead.toml."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fairlead.config import Repository
from fairlead.config.kinds import ServiceName
from fairlead.config.loader import Loader, nearest
from fairlead.config.local import BASE
from fairlead.config.source import Shared, Source
from fairlead.config.toml_lines import KeyPath
from fairlead.errors import ConfigError, Problem
from fairlead.services.outside import outside

FILE = "services.json"


@dataclass(frozen=True)
class RepositoryService:
    """A service, or a library of services, as its source is kept in the repository.

    path: its folder, from the repository's root (`.` is the root). dockerfile: from that folder;
    a library's is never looked at. language: empty when it is not said. test_command: a command
    line to be run in `path`; empty for none. depends_on: names of the services it is built from.
    """

    name: str
    path: str
    dockerfile: str = "Dockerfile"
    language: str = ""
    test_command: str = ""
    depends_on: tuple[str, ...] = ()

    def listed(self) -> dict[str, Any]:
        """Its keys as services.json has them, for scripts and for a CI matrix."""
        return {**vars(self), "depends_on": list(self.depends_on)}


@dataclass(frozen=True)
class _Entry(Source):
    """An entry of services.json: a Source with its name."""

    name: ServiceName


@dataclass(frozen=True)
class _File(Shared):
    services: tuple[_Entry, ...] = field(default=())


@dataclass(frozen=True)
class Declaration:
    """All that a repository declares of its services. root: its top folder.

    services: sorted by name. global_files: patterns of files that belong to every service.
    outside: service → files and folders that its image is made from besides its own folder.
    """

    root: Path
    services: tuple[RepositoryService, ...]
    global_files: tuple[str, ...] = ()
    outside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_declaration(repository: Repository) -> Declaration:
    """The services of services.json or of [services.<name>] tables with a `path`.

    services.json is a list of objects (name, path, dockerfile, language, test_command,
    depends_on), or an object with such a list as `services` and patterns as `global_files`.
    Raises ConfigError with every fault: a path that is no folder, an unknown name in depends_on.
    """
    problems: list[Problem] = []
    file = _read(repository.root, problems)
    written = _written(repository, file.services, problems)
    known = {name: None for _, name, _ in written}
    for place, name, source in written:
        problems += (
            Problem(place, f"services.{name}.{key}", message, suggestion=meant)
            for key, message, meant in _faults(repository.root, name, source, known)
        )
    if problems:
        raise ConfigError(problems, state="nothing was run; nothing was changed")
    found = [_service(name, source) for _, name, source in written]
    found.sort(key=lambda service: service.name)
    shared = (*repository.repository.global_files, *file.global_files)
    return Declaration(repository.root, tuple(found), shared, outside(repository, found))


Written = list[tuple[str, str, Source]]  # file, name, source


def _written(
    repository: Repository, entries: tuple[_Entry, ...], problems: list[Problem]
) -> Written:
    tables = repository.services.items()
    if (repository.root / FILE).is_file():
        problems += (
            Problem(BASE, f"services.{name}", f"its source is declared in {FILE}; not here too")
            for name, _ in tables
        )
        counted = Counter(entry.name for entry in entries)
        problems += (
            Problem(FILE, name, "is declared twice") for name, n in counted.items() if n > 1
        )
        return [(FILE, entry.name, entry) for entry in entries]
    return [(BASE, name, source) for name, source in tables]


def _read(root: Path, problems: list[Problem]) -> _File:
    """services.json, typed; empty where there is none, or where it cannot be read."""
    try:
        raw = json.loads((root / FILE).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return _File()
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(FILE, "file", f"cannot be read: {error}"))
        return _File()
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        problems.append(Problem(FILE, "syntax", f"is no JSON: {error}", line))
        return _File()

    def locate(path: KeyPath) -> tuple[str, int | None]:
        return FILE, None

    body = {"services": raw} if isinstance(raw, list) else raw
    return Loader(locate, lambda text: text, problems).table(_File, body)


def _faults(
    root: Path, name: str, source: Source, known: Mapping[str, None]
) -> Iterator[tuple[str, str, str]]:
    """(key, message, nearest) of what is wrong with one service."""
    if source.path is None:
        yield "path", "is required: the folder of its source", ""
    elif not os.path.isdir(os.path.join(root, source.path)):
        yield "path", f"no such folder: {source.path}", ""
    for wanted in source.depends_on:
        if wanted == name:
            yield "depends_on", "names the service itself", ""
        elif wanted not in known:
            yield "depends_on", f"no service `{wanted}` is declared", nearest(wanted, known)


def _service(name: str, source: Source) -> RepositoryService:
    return RepositoryService(
        name=name,
        path=source.path or ".",
        dockerfile=source.dockerfile,
        language=source.language or "",
        test_command=source.test_command,
        depends_on=source.depends_on,
    )
