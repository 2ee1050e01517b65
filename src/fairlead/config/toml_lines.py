"""On which line of a TOML text a key stands: what the standard parser does not tell."""

import re
import tomllib
from collections.abc import Iterator, Mapping

KeyPath = tuple[str | int, ...]

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[A-Za-z0-9_-]+"
    r"|[^\S\n]+"
    r"|.",
    re.DOTALL,
)
_SPACE = re.compile(r"[^\S\n]+|#.*")


def key_lines(text: str) -> dict[KeyPath, int]:
    """Line numbers (from 1) of all keys and tables of a text that tomllib accepts.

    An element of `[[table]]` has its index in the path. Keys inside inline tables are not listed:
    `line_of` answers with the line of the key that holds them.
    """
    lines: dict[KeyPath, int] = {}
    sizes: dict[KeyPath, int] = {}  # arrays of tables → elements so far
    table: KeyPath = ()
    for line, tokens in _statements(text):
        if tokens[0] == "[":
            is_array = tokens[1] == "["
            name = _names(tokens)
            table = (*_indexed((), name[:-1], sizes), name[-1])
            if is_array:
                sizes[table] = sizes.get(table, 0) + 1
                lines.setdefault(table, line)
            table = _indexed(table[:-1], table[-1:], sizes)
            lines.setdefault(table, line)
        else:
            path = table
            for part in _names(tokens[: tokens.index("=")]):
                path += (part,)
                lines.setdefault(path, line)
    return lines


def line_of(path: KeyPath, lines: Mapping[KeyPath, int]) -> int | None:
    """The line of a path, or of the nearest thing around it that has one."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


def _statements(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line, tokens) of each header and each `key = value`, without space and comments."""
    line = start = 1
    depth = 0
    tokens: list[str] = []
    for match in _TOKEN.finditer(text):
        piece = match[0]
        if piece == "\n" and depth == 0 and tokens:
            yield start, tokens
            tokens = []
        elif piece != "\n" and not _SPACE.fullmatch(piece):
            start = start if tokens else line
            tokens.append(piece)
            depth += (piece in "[{") - (piece in "]}")
        line += piece.count("\n")
    if tokens:
        yield start, tokens


def _names(tokens: list[str]) -> tuple[str, ...]:
    words = [one for one in tokens if one not in "[].="]
    return tuple(tomllib.loads(f"k = {w}")["k"] if w[0] in "\"'" else w for w in words)


def _indexed(base: KeyPath, names: KeyPath, sizes: Mapping[KeyPath, int]) -> KeyPath:
    """`base` + `names`, with the index of its last element after each array of tables."""
    path = base
    for name in names:
        path += (name,)
        if path in sizes:
            path += (sizes[path] - 1,)
    return path
