"""What a repository declares for the work done on this machine: no environment, no host."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from fairlead.config.build import Build
from fairlead.config.digest import config_hash
from fairlead.config.env_files import EnvFiles
from fairlead.config.interpolation import expand
from fairlead.config.lint import Lint
from fairlead.config.loader import Loader, key_of
from fairlead.config.project import FILE, FOLDER, repository_root
from fairlead.config.release import Release
from fairlead.config.scan import Scan
from fairlead.config.service import Service
from fairlead.config.source import Shared, Source
from fairlead.config.suites import Suites
from fairlead.config.toml_file import TomlFile, read_toml
from fairlead.config.toml_lines import KeyPath
from fairlead.errors import ConfigError, Problem

BASE = f"{FOLDER}/{FILE}"


@dataclass(frozen=True, kw_only=True)
class LocalTables:
    """The tables of deploy/fairlead.toml that steer local work; the same for all environments."""

    lint: Lint = field(default_factory=Lint)
    repository: Shared = field(default_factory=Shared)
    release: Release = field(default_factory=Release)
    test: Suites = field(default_factory=Suites)
    scan: Scan = field(default_factory=Scan)
    build: Build = field(default_factory=Build)


CHECKING = ("lint", "test", "scan")
LOCAL_TABLES = tuple(one.name for one in fields(LocalTables))


@dataclass(frozen=True, kw_only=True)
class Repository(LocalTables):
    """A repository as `lint`, `test`, `scan`, `build` and `services` see it.

    root: its top folder. services: what [services.<name>] says of their source.
    files: what was read, absolute; empty where nothing is declared.
    """

    root: Path
    services: Mapping[str, Source] = field(default_factory=dict)
    files: tuple[Path, ...] = ()

    @property
    def checks_hash(self) -> str:
        """The one that the verdicts of checks hold under."""
        return checks_hash(self.root)


def checks_hash(root: Path) -> str:
    """One hash (sha256, hex) over what steers the checks, as deploy/fairlead.toml has it.

    `${…}` is left as it stands: the job that deploys has other variables than the one that tests,
    and need not have those at all.
    """
    declared = read_toml(root, BASE, []).raw
    return config_hash({name: declared[name] for name in CHECKING if name in declared})


def load_repository(start: Path, environ: Mapping[str, str]) -> Repository:
    """The repository around `start`: what deploy/fairlead.toml says of it, or the defaults.

    The root is the nearest folder upwards with deploy/fairlead.toml (FAIRLEAD_ROOT names one
    instead), else the nearest with .git, else `start`. Only local tables are read: a fault in the
    rest of the file, or an environment without its .env, stops nobody from linting.
    Raises ConfigError with every fault of those tables.
    """
    root = repository_root(start, environ)
    if not (root / BASE).is_file():
        return Repository(root=root)
    problems: list[Problem] = []
    base = read_toml(root, BASE, problems)
    env = EnvFiles(root)
    env.add(".env")
    tables = _tables(base, env, environ, problems)
    if problems:
        raise ConfigError(problems, state="nothing was run; nothing was changed")
    return Repository(root=root, files=(root / BASE, *env.read), **vars(tables))


@dataclass(frozen=True, kw_only=True)
class _Tables(LocalTables):
    services: Mapping[str, Source] = field(default_factory=dict)


def _tables(
    base: TomlFile, env: EnvFiles, environ: Mapping[str, str], problems: list[Problem]
) -> _Tables:
    def locate(path: KeyPath) -> tuple[str, int | None]:
        return base.name, base.line(path)

    def lookup(name: str) -> str | None:
        return environ.get(name, env.values.get(name))

    raw = {key: value for key, value in base.raw.items() if key in LOCAL_TABLES}
    raw["services"] = source_tables(base.raw)
    return Loader(locate, lambda text: expand(text, lookup), problems).table(_Tables, raw)


def source_tables(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What the tables [services.<name>] of a file say of source, as it is written there.

    Keys of the roll-out are left out, so that a fault in them stops nobody from linting.
    """
    services = raw.get("services")
    if not isinstance(services, dict):
        return {}
    rolled_out = {key_of(one) for one in fields(Service)} - {key_of(one) for one in fields(Source)}
    return {
        name: {key: value for key, value in table.items() if key not in rolled_out}
        for name, table in services.items()
        if isinstance(table, dict) and table.keys() - rolled_out
    }
