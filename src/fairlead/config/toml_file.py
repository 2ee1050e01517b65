"""One TOML file with the place of its keys, and how a second one is laid over it."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairlead.config.toml_lines import KeyPath, key_lines, line_of
from fairlead.errors import Problem


@dataclass(frozen=True)
class TomlFile:
    """name: the path from the project's root, as people are told it."""

    name: str
    raw: Mapping[str, Any]
    lines: Mapping[KeyPath, int]

    def holds(self, path: KeyPath) -> bool:
        """Whether the file itself has a value at the path."""
        value: Any = self.raw
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return False
        return True

    def line(self, path: KeyPath) -> int | None:
        return line_of(path, self.lines)


def read_toml(root: Path, name: str, problems: list[Problem]) -> TomlFile:
    """The file's content; empty when it cannot be read, which is a problem then."""
    try:
        text = (root / name).read_text(encoding="utf-8-sig")
        return TomlFile(name, tomllib.loads(text), key_lines(text))
    except OSError as error:
        problems.append(Problem(name, "file", f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError:
        problems.append(Problem(name, "file", "cannot be read: it is not UTF-8 text"))
    except tomllib.TOMLDecodeError as error:
        problems.append(_syntax(name, text, str(error)))
    except (ValueError, RecursionError):  # a number or a nesting beyond what Python reads
        problems.append(Problem(name, "syntax", "holds a number too long, or nests too deep"))
    return TomlFile(name, {}, {})


def _syntax(name: str, text: str, message: str) -> Problem:
    found = re.search(r" \(at line (\d+), column \d+\)$", message)
    line = int(found[1]) if found else text.count("\n") + 1
    reason = message[: found.start()] if found else message
    return Problem(name, "syntax", f"invalid TOML: {reason[:1].lower()}{reason[1:]}", line)


def overlaid(
    base: Mapping[str, Any], over: TomlFile, problems: list[Problem], path: KeyPath = ()
) -> dict[str, Any]:
    """`base` with `over` laid on it: tables merge, everything else is replaced, lists too."""
    merged = dict(base)
    for key, value in _at(over.raw, path).items():
        below = base.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            merged[key] = overlaid(below, over, problems, (*path, key))
            continue
        if key in base and isinstance(value, dict) != isinstance(below, dict):
            message = "is a table in one file and a single value in the other; write both alike"
            where = ".".join(str(part) for part in (*path, key))
            problems.append(Problem(over.name, where, message, over.line((*path, key))))
        merged[key] = value
    return merged


def _at(raw: Mapping[str, Any], path: KeyPath) -> Mapping[str, Any]:
    value: Any = raw
    for part in path:
        value = value[part]
    return value  # type: ignore[no-any-return]
