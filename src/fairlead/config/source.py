"""Where a service's source is, and the files that all services share."""

import re
from dataclasses import dataclass, field
from typing import Annotated

from fairlead.config.kinds import Name, ServiceName


def tree_path(value: object) -> str:
    """A path inside the repository, without `.` and `..` in it; the repository itself is `.`."""
    must = 'must be a path inside the repository such as "services/api"'
    if not isinstance(value, str) or not value or value.startswith(("/", "-", "~")):
        raise ValueError(must)
    parts = [part for part in value.split("/") if part not in ("", ".")]
    if ".." in parts or any(character < " " for character in value):
        raise ValueError(must)
    return "/".join(parts) or "."


def tree_glob(value: object) -> str:
    """A pattern over paths of the repository: `*` stays in a folder, `**` does not."""
    try:
        return tree_path(value)
    except ValueError:
        raise ValueError('must be a pattern of paths such as "libs/**" or "**/*.lock"') from None


_WILD = re.compile(r"\*\*/|\*\*|\*|\?")
_MEANING = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def tree_regex(glob: str) -> str:
    """A regular expression for a pattern; one that names a folder stands for all below it."""
    parts, end = [], 0
    for wild in _WILD.finditer(glob):
        parts += [re.escape(glob[end : wild.start()]), _MEANING[wild[0]]]
        end = wild.end()
    below = "" if _WILD.search(glob.rpartition("/")[2]) else "(?:/.*)?"
    return "".join(parts) + re.escape(glob[end:]) + below


TreePath = Annotated[str, tree_path]
TreeGlob = Annotated[str, tree_glob]
LOCAL = {"local": True}  # a field that shapes no release


@dataclass(frozen=True, kw_only=True)
class Source:
    """The keys of a service that are about its source: the same for every environment.

    path: its folder, from the repository's root; empty: its source is not kept here. dockerfile:
    seen from that folder. test_command: a command line, run in that folder. depends_on: services
    (or libraries declared as such) whose source it is built from.
    """

    path: TreePath | None = field(default=None, metadata=LOCAL)
    dockerfile: TreePath = field(default="Dockerfile", metadata=LOCAL)
    language: Name | None = field(default=None, metadata=LOCAL)
    test_command: str = field(default="", metadata=LOCAL)
    depends_on: tuple[ServiceName, ...] = field(default=(), metadata=LOCAL)


@dataclass(frozen=True)
class Shared:
    """`[repository]`. global_files: patterns; a change to such a file is one to every service."""

    global_files: tuple[TreeGlob, ...] = ()
