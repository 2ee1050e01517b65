"""What a compose file says and Compose's answer does not: env_files, and variables of images.

Compose pours the values of an env_file into `environment`, and no version before 2.33 can be told
to keep them apart. So the text is read here too, for these questions only.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fairlead.config.interpolation import UnresolvedError, expand
from fairlead.model import Secret


@dataclass
class Declared:
    """names: the services, of this file and of those it includes.

    image_variables: by service, those that `image` and `build` refer to. variables: those that
    anything else refers to.
    """

    names: set[str] = field(default_factory=set)
    with_env_file: set[str] = field(default_factory=set)
    image_variables: dict[str, set[str]] = field(default_factory=dict)
    variables: set[str] = field(default_factory=set)

    def only_for_images(self, services: Collection[str]) -> set[str]:
        """Variables that do nothing but name or build the images of these services."""
        theirs = [names for name, names in self.image_variables.items() if name in services]
        others = [names for name, names in self.image_variables.items() if name not in services]
        return set().union(*theirs) - self.variables.union(*others)


def declared_services(compose_file: Path, variables: Mapping[str, Secret]) -> Declared:
    """What the file and the files it includes declare; what cannot be read is left to Compose."""
    found = Declared()
    reader = _Reader(variables, {})
    reader.collect(compose_file, found)
    for document in reader.documents.values():
        _note_variables(document, found)
    return found


@dataclass
class _Reader:
    variables: Mapping[str, Secret]
    documents: dict[Path, Mapping[str, Any]]

    def collect(self, file: Path, found: Declared) -> None:
        if file in self.documents:
            return
        for name in self.services(file):
            found.names.add(name)
            if self.has_env_file(file, name, frozenset()):
                found.with_env_file.add(name)
        for included in self.included(file):
            self.collect(included, found)

    def services(self, file: Path) -> Mapping[str, Any]:
        services = self.document(file).get("services")
        return services if isinstance(services, dict) else {}

    def has_env_file(self, file: Path, name: str, seen: frozenset[tuple[Path, str]]) -> bool:
        """Whether the service, or one that it extends, has an env_file."""
        body = self.services(file).get(name)
        if not isinstance(body, dict) or (file, name) in seen:
            return False
        if body.get("env_file"):
            return True
        base = body.get("extends")
        if isinstance(base, str):
            base = {"service": base}
        if not isinstance(base, dict):
            return False
        there = self.path(file, base["file"]) if base.get("file") else file
        return self.has_env_file(there, str(base.get("service")), seen | {(file, name)})

    def included(self, file: Path) -> Iterator[Path]:
        """The files under `include`: texts, or tables with one `path` or several."""
        entries = self.document(file).get("include")
        for entry in entries if isinstance(entries, list) else ():
            paths = entry.get("path") if isinstance(entry, dict) else entry
            for path in paths if isinstance(paths, list) else [paths]:
                yield self.path(file, path)

    def path(self, file: Path, text: object) -> Path:
        def lookup(name: str) -> str | None:
            value = self.variables.get(name)
            return value.reveal() if value else None

        try:
            return file.parent / expand(str(text), lookup)
        except UnresolvedError:
            return file.parent / str(text)

    def document(self, file: Path) -> Mapping[str, Any]:
        if file not in self.documents:
            self.documents[file] = _read(file)
        return self.documents[file]


def _note_variables(document: Mapping[str, Any], found: Declared) -> None:
    services = document.get("services")
    for name, body in services.items() if isinstance(services, dict) else ():
        rest = dict(body) if isinstance(body, dict) else {}
        images = found.image_variables.setdefault(str(name), set())
        images.update(_references([rest.pop("image", None), rest.pop("build", None)]))
        found.variables.update(_references(rest))
    found.variables.update(_references({**document, "services": None}))


def _references(value: object) -> Iterator[str]:
    """The names of the variables in all texts of a value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, str):
        yield from re.findall(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)", value.replace("$$", ""))


def _read(file: Path) -> Mapping[str, Any]:
    try:
        return parsed(file.read_bytes())
    except OSError:
        return {}


def parsed(content: bytes) -> Mapping[str, Any]:
    """A compose file's YAML document; empty when it is none, since Compose says that better."""
    import yaml

    class Loader(yaml.SafeLoader):
        """Takes tags such as `!reset` for what they stand before."""

    def untagged(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return node.value

    Loader.add_multi_constructor("", untagged)
    try:
        document = yaml.load(content, Loader)  # noqa: S506 (a SafeLoader)
    except (ValueError, yaml.YAMLError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
