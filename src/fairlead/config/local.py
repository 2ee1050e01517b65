"""What a repository declares for the work done on this machine: no environment, no host."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from fairlead.config.digest import config_hash
from fairlead.config.env_files import EnvFiles
from fairlead.config.interpolation import expand
from fairlead.config.lint import Lint
from fairlead.config.loader import Loader
from fairlead.config.project import FILE, FOLDER
from fairlead.config.toml_file import TomlFile, read_toml
from fairlead.config.toml_lines import KeyPath
from fairlead.errors import ConfigError, Problem

BASE = f"{FOLDER}/{FILE}"


@dataclass(frozen=True, kw_only=True)
class LocalTables:
    """The tables of deploy/fairlead.toml that steer local work; the same for all environments."""

    lint: Lint = field(default_factory=Lint)


CHECKING = ("lint", "test", "scan")
LOCAL_TABLES = tuple(one.name for one in fields(LocalTables))


@dataclass(frozen=True, kw_only=True)
class Repository(LocalTables):
    """A repository as `lint`, `test`, `scan`, `build` and `services` see it.

    root: its top folder. files: what was read, absolute; empty where nothing is declared.
    """

    root: Path
    files: tuple[Path, ...] = ()

    @property
    def checks_hash(self) -> str:
        """One hash (sha256, hex) over what steers the checks; their verdicts hold under it only."""
        return config_hash({name: getattr(self, name) for name in CHECKING if hasattr(self, name)})


def load_repository(start: Path, environ: Mapping[str, str]) -> Repository:
    """The repository around `start`: what deploy/fairlead.toml says of it, or the defaults.

    The root is the nearest folder upwards with deploy/fairlead.toml (FAIRLEAD_ROOT names one
    instead), else the nearest with .git, else `start`. Only local tables are read: a fault in the
    rest of the file, or an environment without its .env, stops nobody from linting.
    Raises ConfigError with every fault of those tables.
    """
    root = _root(start.resolve(), environ)
    if not (root / BASE).is_file():
        return Repository(root=root)
    problems: list[Problem] = []
    base = read_toml(root, BASE, problems)
    env = EnvFiles(root)
    env.add(".env")
    tables = _tables(base, env, environ, problems)
    if problems:
        raise ConfigError(problems, state="nothing was run; nothing was changed")
    values = {name: getattr(tables, name) for name in LOCAL_TABLES}
    return Repository(root=root, files=(root / BASE, *env.read), **values)


def _tables(
    base: TomlFile, env: EnvFiles, environ: Mapping[str, str], problems: list[Problem]
) -> LocalTables:
    def locate(path: KeyPath) -> tuple[str, int | None]:
        return base.name, base.line(path)

    def lookup(name: str) -> str | None:
        return environ.get(name, env.values.get(name))

    raw = {key: value for key, value in base.raw.items() if key in LOCAL_TABLES}
    return Loader(locate, lambda text: expand(text, lookup), problems).table(LocalTables, raw)


def _root(start: Path, environ: Mapping[str, str]) -> Path:
    if named := environ.get("FAIRLEAD_ROOT"):
        return Path(named).expanduser().resolve()
    folders = (start, *start.parents)
    declared = (folder for folder in folders if (folder / BASE).is_file())
    cloned = (folder for folder in folders if (folder / ".git").exists())
    return next(declared, None) or next(cloned, start)
