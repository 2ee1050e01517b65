"""deploy/exclusions.toml: findings that somebody looked at, and why they may stay until a day."""

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fairlead.config.gates import day, sentence
from fairlead.config.loader import Loader
from fairlead.config.project import FOLDER
from fairlead.config.scan import Words
from fairlead.config.toml_file import read_toml
from fairlead.config.toml_lines import KeyPath
from fairlead.errors import ConfigError, Problem

EXCLUSIONS = f"{FOLDER}/exclusions.toml"


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """A finding that everything given here fits is left out, until the day after `expires`.

    id: the rule, the CVE, or any other name of the fault. tool: who tells of it. path, package:
    globs. line: where this is written in the file.
    """

    reason: Annotated[str, sentence]
    expires: Annotated[datetime.date, day]
    id: Words = ""
    tool: Words = ""
    path: Words = ""
    package: Words = ""

    @property
    def what(self) -> str:
        """`B602 in src/*.py`: what it is about, for people."""
        by = {"id": "", "tool": "of ", "path": "in ", "package": "about "}
        return " ".join(
            f"{word}{getattr(self, key)}" for key, word in by.items() if getattr(self, key)
        )


@dataclass(frozen=True)
class _File:
    exclude: tuple[Exclusion, ...] = ()


def load_exclusions(root: Path) -> tuple[Exclusion, ...]:
    """What the file declares; nothing when there is none.

    Raises ConfigError with every fault of it: a missing reason or date, an entry about anything.
    """
    if not (root / EXCLUSIONS).is_file():
        return ()
    problems: list[Problem] = []
    document = read_toml(root, EXCLUSIONS, problems)

    def locate(path: KeyPath) -> tuple[str, int | None]:
        return document.name, document.line(path)

    loader = Loader(locate, str, problems)
    read = loader.table(_File, document.raw)
    for index, one in enumerate(read.exclude if read else ()):
        if not one.what:
            loader.report(
                ("exclude", index), "must say what it excludes: id, tool, path or package"
            )
    if problems:
        raise ConfigError(problems, state="nothing was run; nothing was changed")
    return read.exclude
