"""Which files of a tree are code that ships, and which name its dependencies."""

import re
from dataclasses import dataclass
from fnmatch import fnmatch
from posixpath import normpath

from fairlead.checks.tree import Tree

TEST_FOLDERS = ("test", "tests")
TEST_FILES = ("test_*.py", "*_test.py", "conftest.py")
"""Names of tests: they assert, and plant secrets and faults on purpose."""

REQUIREMENTS = ("requirements*.txt", "requirements/*.txt", "*/requirements/*.txt")
PYTHON_PROJECT = (*REQUIREMENTS, "constraints*.txt", "pyproject.toml", "pylock.toml")
NPM_LOCKS = ("package-lock.json", "npm-shrinkwrap.json")
MANIFESTS = (
    *PYTHON_PROJECT, "uv.lock", "poetry.lock", "Pipfile.lock", *NPM_LOCKS, "yarn.lock",
    "pnpm-lock.yaml", "go.mod", "Cargo.lock", "Gemfile.lock", "composer.lock", "pom.xml",
    "gradle.lockfile",
)  # fmt: skip
"""Files that name dependencies, of any language that a scanner here reads."""

_PINNED = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?\s*===?\s*([\w.!+-]+)")
_STEERING = (
    *("--hash", "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--trusted-host"),
    *("--no-binary", "--only-binary", "--prefer-binary", "--pre", "--require-hashes", "--no-index"),
)
"""How lines begin that ask for nothing."""


def shipped(tree: Tree, *patterns: str) -> tuple[str, ...]:
    """The files that match, tests left out."""
    return tuple(file for file in tree.matching(*patterns) if not _is_test(file))


def _is_test(file: str) -> bool:
    *folders, name = file.split("/")
    in_tests = any(folder in TEST_FOLDERS for folder in folders)
    return in_tests or any(fnmatch(name, one) for one in TEST_FILES)


@dataclass(frozen=True)
class Requirement:
    """A line of a requirements file. version: empty where it is not pinned to one."""

    path: str
    line: int
    name: str
    version: str


def requirements(tree: Tree, files: tuple[str, ...]) -> tuple[Requirement, ...]:
    """What requirements files ask for, included ones too; a line that is not understood, or a file
    that is not there, asks for something without a name that is not pinned."""
    return tuple(
        found
        for file in with_included(tree, files)
        for number, text in enumerate(_lines(tree, file), 1)
        if (found := _requirement(tree, file, number, text))
    )


def with_included(tree: Tree, files: tuple[str, ...]) -> tuple[str, ...]:
    """Requirements files, and those of the tree that they include by -r and -c."""
    found = list(files)
    for file in found:  # which grows on the way
        if file.endswith(".txt"):
            named = (_included(file, text) for text in _lines(tree, file))
            found += [
                one for one in dict.fromkeys(named) if one in tree.all.files and one not in found
            ]
    return tuple(found)


def _lines(tree: Tree, file: str) -> list[str]:
    text = (tree.root / file).read_text("utf-8", "replace")
    return [re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines()]


def _included(file: str, text: str) -> str:
    """The file that a line includes, from the root; empty for any other line."""
    named = re.fullmatch(r"(?:-r|-c|--requirement|--constraint)[\s=]*(\S+)", text)
    return normpath(f"{file.rpartition('/')[0] or '.'}/{named[1]}") if named else ""


def _requirement(tree: Tree, file: str, number: int, text: str) -> Requirement | None:
    if not text or text.startswith(_STEERING) or _included(file, text) in tree.all.files:
        return None
    asked = re.split(r"\s*;|\s+--hash|\s*\\$", text)[0]
    if pinned := _PINNED.fullmatch(asked):
        return Requirement(file, number, canonical(pinned[1]), pinned[2])
    name = re.match(r"[A-Za-z0-9][\w.-]*", text)
    return Requirement(file, number, canonical(name[0]) if name else "", "")


def canonical(name: str) -> str:
    """A package's name as PEP 503 compares it: `Foo_Bar` is `foo-bar`."""
    return re.sub(r"[-_.]+", "-", name).lower()
