"""Commands: what `${…}` puts into one, anybody may read who lists processes meanwhile (law 10)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from fairlead.config.interpolation import UnresolvedError, expand
from fairlead.config.redaction import Redactor
from fairlead.config.toml_lines import KeyPath
from fairlead.model import Secret

Lookup = Callable[[str], str | None]

_INSTEAD = {
    "command": "write `sh -c '… \"$${name}\"'`: the shell in the container knows its variables",
    "dump": 'write `"$${name}"`: the shell in the container knows its variables',
    "restore": 'write `"$${name}"`: the shell in the container knows its variables',
    "check": "it has to do without",
    "verify": "it has to do without",
    "on_failure": "call a script that reads it from a file",
}


def exposed_secrets(
    raw: Mapping[str, Any], lookup: Lookup, secret: Iterable[str], clear: Iterable[str]
) -> Iterator[tuple[KeyPath, str]]:
    """Each command that a reference puts a secret into, and what to do about it.

    raw: the tables as they are written. secret, clear: names that are so, whatever they look like.
    """
    for path, text in _commands(raw):
        for name in _referred(text, lookup):
            value = lookup(name) or ""
            redact = Redactor({name: Secret(value)}, secret, clear).redact
            if redact(value) != value:
                instead = _INSTEAD[str(path[-1])].replace("{name}", name)
                yield path, f"puts the secret {name} into the list of processes; {instead}"


def _commands(raw: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    backup = _table(raw.get("backup"))
    data = backup.get("data")
    tables: list[tuple[KeyPath, Mapping[str, Any]]] = [
        (("migrate",), _table(raw.get("migrate"))),
        (("backup",), backup),
        *(
            (("backup", "data", index), _table(one))
            for index, one in enumerate(data if isinstance(data, list) else ())
        ),
    ]
    for path, table in tables:
        for key in _INSTEAD:
            if isinstance(text := table.get(key), str) and "${" in text:
                yield (*path, key), text


def _table(raw: object) -> Mapping[str, Any]:
    return raw if isinstance(raw, dict) else {}


def _referred(text: str, lookup: Lookup) -> list[str]:
    """The variables that the text gets values from; none when it is malformed, which is told."""
    names: list[str] = []

    def seen(name: str) -> str | None:
        names.append(name)
        return lookup(name)

    try:
        expand(text, seen)
    except UnresolvedError:
        return []
    return list(dict.fromkeys(names))
