"""What several linters print alike: places, lines of text, unified diffs."""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.tree import Tree

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")
_OLD = re.compile(r"--- (.+?)(?::before)?(?:\t.*)?$")

LEVELS = {
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "info": Severity.LOW,
    "style": Severity.LOW,
}
"""How bad hadolint and shellcheck say it is."""


def inside(tree: Tree, path: str) -> str:
    """A path as a tool prints it, from the root of the tree, with slashes."""
    whole = os.path.normpath(tree.root / path)
    return PurePath(os.path.relpath(whole, tree.root)).as_posix()


def json_list(text: str) -> list[Any]:
    """A JSON list. Raises ValueError for anything else."""
    answer = json.loads(text)
    if not isinstance(answer, list):
        raise ValueError(text)
    return answer


def by_lines(
    text: str, pattern: str, make: Callable[[re.Match[str]], Finding | None]
) -> list[Finding]:
    """A finding for each line. Raises ValueError for a line that is not as it should be."""
    found = []
    for line in text.splitlines():
        if not line.strip():
            continue
        match = re.fullmatch(pattern, line.rstrip())
        if match is None:
            raise ValueError(line)
        if (one := make(match)) is not None:
            found.append(one)
    return found


def unformatted(tool: str, tree: Tree, diff: str) -> list[Finding]:
    """A finding for each file of a unified diff, at the first line that would change."""
    return [
        Finding(tool, "format", Severity.LOW, "would be written otherwise", path, line)
        for path, line in _first_changes(tree, diff)
    ]


def _first_changes(tree: Tree, diff: str) -> Iterator[tuple[str, int]]:
    """Each file of the diff and its first line that goes, or before which one comes."""
    path, line = "", 0  # no path: what there was to tell of this file is told
    for text in diff.splitlines():
        if found := _OLD.match(text):
            path, line = inside(tree, found[1]), 0
        elif hunk := _HUNK.match(text):
            line = int(hunk[1])
        elif path and line and text.startswith(("-", "+")):
            yield path, line
            path = ""
        elif not text.startswith("+"):
            line += bool(line)


def summed(pattern: str, text: str) -> int:
    """The sum of all the numbers that a pattern with one group finds."""
    return sum(int(number) for number in re.findall(pattern, text))
