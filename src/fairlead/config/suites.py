"""`[test]`: the suites, what they need beside them, and how much they have to cover."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fairlead.config.kinds import (
    CommandLine,
    LocalPath,
    Name,
    OptionalImage,
    Percent,
    Port,
    PositiveDuration,
    Variable,
)


@dataclass(frozen=True)
class Suite:
    """One suite of tests.

    path, arguments: what pytest is given. command: run instead of pytest; `{junit}` in it is the
    file in which it reports. timeout: s, for the whole suite. services: started for it alone.
    """

    name: Name = field(metadata={"from_key": True})
    path: LocalPath = ""
    arguments: tuple[str, ...] = ()
    command: CommandLine = ()
    cwd: LocalPath = ""
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: PositiveDuration = 600.0
    services: tuple[Name, ...] = ()
    quick: bool = False
    parallel: bool = False
    coverage: bool = True


@dataclass(frozen=True)
class SuiteService:
    """What a suite needs beside it; of redis, postgres and qdrant all of this is known.

    ready: command in the container that ends with 0 once it is, or the path of an HTTP request
    that is then answered with 200; empty: its port answers. timeout: s until it is ready.
    """

    name: Name = field(metadata={"from_key": True})
    image: OptionalImage = ""
    port: Port | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    command: CommandLine = ()
    ready: CommandLine = ()
    variable: Variable = ""
    url: str = ""
    timeout: PositiveDuration = 60.0


@dataclass(frozen=True)
class Suites:
    """suites: empty means what the tree shows. threshold: percent that --coverage demands.

    source: folders whose lines count. interpreter: the Python that runs pytest. install: what
    `uv pip install` is given in each environment of --python.
    """

    threshold: Percent = 80.0
    source: tuple[LocalPath, ...] = ()
    interpreter: LocalPath = ""
    install: tuple[str, ...] = ()
    suites: Mapping[str, Suite] = field(default_factory=dict)
    services: Mapping[str, SuiteService] = field(default_factory=dict)
