"""A suite under one Python, as it is run: its argv, its environment, its files."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fairlead.checks.suites.shard import Shard
from fairlead.config.suites import Suite
from fairlead.model import Command

PLUGIN = Path(__file__).parent / "plugin"
FOREVER = 7 * 86400.0  # s: with a debugger attached a person decides when it ends


@dataclass(frozen=True)
class Wishes:
    """What a command line asks of every suite.

    arguments: for pytest. measuring: for `coverage run`; None: without it. attached: on the
    terminal, for --pdb.
    """

    arguments: tuple[str, ...] = ()
    shard: Shard | None = None
    measuring: tuple[str, ...] | None = None
    attached: bool = False


@dataclass(frozen=True)
class Job:
    """name: the suite's, with the version where there are several. python: what runs it.

    reports: the folder for what it leaves: junit-<name>.xml, <name>.log. places: what pytest is
    given instead of the suite's path. unavailable: why there is no python for it.
    """

    suite: Suite
    name: str
    python: str
    root: Path
    reports: Path
    wishes: Wishes = field(default_factory=Wishes)
    places: tuple[str, ...] = ()
    unavailable: str = ""

    @property
    def cwd(self) -> Path:
        return self.root / self.suite.cwd

    @property
    def junit(self) -> Path:
        return self.reports / f"junit-{self.file_name}.xml"

    @property
    def log(self) -> Path:
        return self.reports / f"{self.file_name}.log"

    @property
    def share(self) -> Path:
        return self.reports / f"shard-{self.file_name}.json"

    @property
    def durations(self) -> Path:
        return self.reports / f"durations-{self.file_name}.json"

    @property
    def data(self) -> Path:
        """Where coverage leaves its data, a file for each process."""
        return self.root / ".fairlead/coverage" / self.file_name / "data"

    @property
    def file_name(self) -> str:
        return self.name.replace(" ", "-")

    @property
    def own_command(self) -> bool:
        return bool(self.suite.command)

    @property
    def measured(self) -> bool:
        wanted = self.wishes.measuring is not None and self.suite.coverage
        return wanted and not self.own_command

    def command(self) -> Command:
        """Its argv. A suite with a command of its own gets none of pytest's arguments."""
        limit = FOREVER if self.wishes.attached else self.suite.timeout
        if self.own_command:
            words = (word.replace("{junit}", str(self.junit)) for word in self.suite.command)
            return Command(tuple(words), timeout=limit)
        measuring = ("-m", "coverage", "run", "--parallel-mode", *(self.wishes.measuring or ()))
        argv = (
            self.python,
            *(measuring if self.measured else ()),
            *("-m", "pytest"),
            *(self.places or filter(None, (self.suite.path,))),
            f"--junitxml={self.junit}",
            *("-o", "junit_family=xunit1"),
            *(() if self.wishes.attached else ("--color=no",)),
            *(("-p", "fairlead_shard") if self.wishes.shard else ()),
            *self.suite.arguments,
            *self.wishes.arguments,
        )
        return Command(argv, timeout=limit)

    def environ(self, inherited: Mapping[str, str], addresses: Mapping[str, str]) -> dict[str, str]:
        """Its whole environment: ours, its services' addresses, its own `env`."""
        folder = os.path.dirname(self.python)  # `pytest`, `tox`, … of the project before others
        path = os.pathsep.join((folder, inherited.get("PATH", os.defpath)))
        environ = {**inherited, "PATH": path, **addresses, **self.suite.env}
        if self.measured:
            environ["COVERAGE_FILE"] = str(self.data)
        if self.wishes.shard:
            paths = (str(PLUGIN), environ.get("PYTHONPATH", ""))
            environ["FAIRLEAD_SHARD"] = str(self.wishes.shard)
            environ["FAIRLEAD_SHARE"] = str(self.share)
            environ["FAIRLEAD_DURATIONS"] = str(self.durations)
            environ["PYTHONPATH"] = ":".join(filter(None, paths))
        return environ
