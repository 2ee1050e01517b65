"""Which files of a tree are code that ships, and which name its dependencies."""

import re
from dataclasses import dataclass
from fnmatch import fnmatch

from fairlead.checks.tree import Tree

TEST_FOLDERS = ("test", "tests")
TEST_FILES = ("test_*.py", "*_test.py", "conftest.py")
"""Names of tests: they assert, and plant secrets and faults on purpose."""

REQUIREMENTS = ("requirements*.txt", "requirements/*.txt", "*/requirements/*.txt")
PYTHON_PROJECT = (*REQUIREMENTS, "constraints*.txt", "pyproject.toml", "pylock.toml", "uv.lock")
NPM_LOCKS = ("package-lock.json", "npm-shrinkwrap.json")
MANIFESTS = (
    *PYTHON_PROJECT, "poetry.lock", "Pipfile.lock", *NPM_LOCKS, "yarn.lock", "pnpm-lock.yaml",
    "go.mod", "Cargo.lock", "Gemfile.lock", "composer.lock", "pom.xml", "gradle.lockfile",
)  # fmt: skip
"""Files that name dependencies, of any language that a scanner here reads."""

_PINNED = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?\s*===?\s*([\w.!+-]+)")


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
    """What requirements files ask for; options, comments and continuations left out."""
    return tuple(
        found
        for file in files
        for number, text in enumerate(_lines(tree, file), 1)
        if (found := _requirement(file, number, text.split("#")[0].strip()))
    )


def _lines(tree: Tree, file: str) -> list[str]:
    return (tree.root / file).read_text("utf-8", "replace").splitlines()


def _requirement(file: str, number: int, text: str) -> Requirement | None:
    if not text or text.startswith("-"):
        return None
    pinned = _PINNED.match(text)
    if pinned:
        return Requirement(file, number, canonical(pinned[1]), pinned[2])
    name = re.match(r"[A-Za-z0-9][\w.-]*", text)
    return Requirement(file, number, canonical(name[0]), "") if name else None


def canonical(name: str) -> str:
    """A package's name as PEP 503 compares it: `Foo_Bar` is `foo-bar`."""
    return re.sub(r"[-_.]+", "-", name).lower()
