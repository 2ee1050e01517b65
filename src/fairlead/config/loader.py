"""Typed tables → frozen dataclasses, driven by the dataclasses' own annotations.

Understood: str, int, float, bool, Secret, Literal, dataclasses, `X | None`, unions of scalars,
`tuple[X, ...]`, `Mapping[str, X]`, and `Annotated[X, parse]` (see kinds.py). A dataclass with a
`shorthand` may be written as that one field's value. A field with `from_key` in its metadata takes
the key its table stands under; a trailing underscore is no part of a key (`from_` is `from`).
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from fairlead.config.interpolation import UnresolvedError
from fairlead.config.toml_lines import KeyPath
from fairlead.errors import Problem
from fairlead.model import Secret

T = TypeVar("T")
_BAD: Any = object()  # a value that has been reported
_NOUNS = {
    str: "a text in quotes",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a table",
    list: "a list",
}


def dotted(path: KeyPath) -> str:
    """`services.api.routes[0]`, with quotes where a key needs them."""
    from json import dumps

    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            plain = part.replace("-", "").replace("_", "").isalnum() and part.isascii()
            text += ("." if text else "") + (part if plain else dumps(part, ensure_ascii=False))
    return text


def nearest(word: str, words: Mapping[str, Any] | tuple[str, ...]) -> str:
    """The one of `words` that was probably meant, or nothing."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word.lower(), list(words), n=1)), "")


def key_of(one: Field[Any]) -> str:
    """The key a field has in a file."""
    return one.name.rstrip("_")


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls, include_extras=True)


@cache
def _declared(cls: type) -> dict[str, Field[Any]]:
    """The fields that a table may set, by key."""
    return {key_of(one): one for one in fields(cls) if not one.metadata.get("from_key")}


@cache
def _shape(kind: Any) -> tuple[bool, Any, tuple[Any, ...]]:
    """Whether a kind is a dataclass; else what it is made of. Asked for each value there is."""
    return is_dataclass(kind), get_origin(kind), get_args(kind)


@dataclass
class Loader:
    """Reads tables and collects every problem in them; nothing is raised.

    locate: path → (file, line). expand: text → text with `${…}` replaced, or UnresolvedError.
    What cannot be read takes its default (text without one: ""), so that one fault hides no other.
    """

    locate: Callable[[KeyPath], tuple[str, int | None]]
    expand: Callable[[str], str]
    problems: list[Problem] = field(default_factory=list)

    def table(self, cls: type[T], raw: object, path: KeyPath = ()) -> T:
        """The dataclass that a table describes, its faults reported."""
        shorthand: str | None = getattr(cls, "shorthand", None)
        if shorthand and not isinstance(raw, dict):
            raw = {shorthand: raw}
        if not isinstance(raw, dict):
            self.report(path, "must be a table", raw)
            raw = {}
        declared = _declared(cls)  # type: ignore[arg-type]
        for key in raw.keys() - declared.keys():
            self._unknown((*path, key), key, declared)
        values = {
            one.name: self._field(cls, one, raw, path)
            for one in fields(cls)  # type: ignore[arg-type]
        }
        return cls(**{name: value for name, value in values.items() if value is not _BAD})

    def report(self, path: KeyPath, message: str, raw: object = _BAD, suggestion: str = "") -> Any:
        """One problem more; `raw` is shown as it was written."""
        got = "" if raw is _BAD else f", not {_shown(raw)}"
        file, line = self.locate(path)
        self.problems.append(Problem(file, dotted(path), message + got, line, suggestion))
        return _BAD

    def _unknown(self, path: KeyPath, key: str, declared: Mapping[str, Any]) -> None:
        meant = nearest(key, declared)
        known = "" if meant else f"; known here: {', '.join(declared)}"
        self.report(path, f"unknown key{known}", suggestion=meant)

    def _field(self, cls: type, one: Field[Any], raw: dict[str, Any], path: KeyPath) -> Any:
        kind = _hints(cls)[one.name]
        if one.metadata.get("from_key"):
            return self.value(kind, path[-1], path)
        key = key_of(one)
        required = one.default is MISSING and one.default_factory is MISSING
        value = self.value(kind, raw[key], (*path, key)) if key in raw else _BAD
        if required and key not in raw:
            self.report((*path, key), "is required")
        return "" if required and value is _BAD else value

    def value(self, kind: Any, raw: object, path: KeyPath) -> Any:
        """A value of the kind, or _BAD when it was reported."""
        composed, origin, arguments = _shape(kind)
        if composed:
            return self.table(kind, raw, path)
        if origin in (Union, UnionType) and NoneType in arguments:
            return self.value(arguments[0], raw, path)
        if origin is tuple:
            return self._items(arguments[0], raw, path)
        if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
            return self._entries(arguments[1], raw, path)
        value = self._expanded(raw, path)
        if value is _BAD:
            return _BAD
        if origin is Annotated:
            return self._parsed(arguments, value, raw, path)
        if origin is Literal:
            return self._chosen(arguments, value, raw, path)
        return self._scalar(arguments or (kind,), value, raw, path)

    def _items(self, kind: Any, raw: object, path: KeyPath) -> Any:
        if not isinstance(raw, list):
            return self.report(path, "must be a list", raw)
        items = [self.value(kind, item, (*path, index)) for index, item in enumerate(raw)]
        read = tuple(item for item in items if item is not _BAD)
        return _BAD if items and not read else read

    def _entries(self, kind: Any, raw: object, path: KeyPath) -> Any:
        if not isinstance(raw, dict):
            return self.report(path, "must be a table", raw)
        entries = {key: self.value(kind, item, (*path, key)) for key, item in raw.items()}
        return MappingProxyType({key: item for key, item in entries.items() if item is not _BAD})

    def _expanded(self, raw: object, path: KeyPath) -> Any:
        if not isinstance(raw, str) or "$" not in raw:
            return raw
        try:
            return self.expand(raw)
        except UnresolvedError as error:
            return self.report(path, str(error))

    def _parsed(self, kinds: tuple[Any, ...], value: Any, raw: object, path: KeyPath) -> Any:
        base, parse = kinds[:2]
        try:
            return parse(_number(value, raw) if base is int else value)
        except ValueError as error:
            return self.report(path, str(error), raw)

    def _chosen(self, choices: tuple[Any, ...], value: Any, raw: object, path: KeyPath) -> Any:
        if value in choices:
            return value
        listed = ", ".join(f'"{choice}"' for choice in choices)
        meant = nearest(value, choices) if isinstance(value, str) else ""
        return self.report(path, f"must be one of {listed}", raw, meant)

    def _secret(self, value: Any, raw: object, path: KeyPath) -> Any:
        if isinstance(value, str) and (value != raw or not value):
            return Secret(value)
        example = '"${REGISTRY_PASSWORD}"'
        return self.report(path, f"must come from a variable, as in {example}")

    def _scalar(self, kinds: tuple[Any, ...], value: Any, raw: object, path: KeyPath) -> Any:
        if kinds == (Secret,):
            return self._secret(value, raw, path)
        if bool in kinds and value != raw and value in ("true", "false"):
            return value == "true"
        if int in kinds and str not in kinds:
            value = _number(value, raw)
        if type(value) in kinds:
            return value
        nouns = " or ".join(_NOUNS[kind] for kind in kinds)
        return self.report(path, f"must be {nouns}", raw)


def _number(value: Any, raw: object) -> Any:
    """A number where `${…}` gave its digits: TOML has no other way to write that."""
    digits = isinstance(value, str) and value != raw and value.isdecimal() and len(value) < 10
    return int(value) if digits else value


def _shown(raw: object) -> str:
    """A value as a person would recognise it, on one line and never long."""
    if isinstance(raw, dict | list):
        return _NOUNS[type(raw)]
    from json import dumps

    text = dumps(raw, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:59] + "…"
