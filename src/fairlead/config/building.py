"""What `build` and `push` are told: `[build]`, and the few keys of a roll-out that name images.

They need no environment: an image is the same for all. What only a deploy needs, such as hosts
and the containers' variables, is not read, so that a CI job builds without it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fairlead.config.build import Build
from fairlead.config.connection import Registry
from fairlead.config.digest import config_hash
from fairlead.config.env_files import EnvFiles
from fairlead.config.interpolation import expand
from fairlead.config.kinds import AppName, LocalPath, Port, Repository, ServiceName
from fairlead.config.loader import Loader
from fairlead.config.local import BASE
from fairlead.config.project import FOLDER, environment_names, require_environment
from fairlead.config.release import Release
from fairlead.config.service import Health
from fairlead.config.toml_file import TomlFile, overlaid, read_toml
from fairlead.config.toml_lines import KeyPath
from fairlead.errors import ConfigError, Problem
from fairlead.model import Secret


@dataclass(frozen=True, kw_only=True)
class Named:
    """The keys of [services.<name>] that concern its image."""

    name: ServiceName = field(metadata={"from_key": True})
    image: Repository = ""
    port: Port | None = None
    health: Health | None = None


@dataclass(frozen=True, kw_only=True)
class _Tables:
    app: AppName
    compose: LocalPath = "compose.yaml"
    registry: Registry = field(default_factory=Registry)
    build: Build = field(default_factory=Build)
    release: Release = field(default_factory=Release)
    services: Mapping[str, Named] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Building:
    """root: the repository's top. compose_file: absolute; it need not exist. variables: of .env
    (and .env.<environment>, if one was named), for the compose file. tag_prefix: what the git tag
    of a version begins with. config_hash: sha256 (hex) of [build], which is the same for
    every environment but for the values it refers to.
    """

    root: Path
    app: str
    compose_file: Path
    registry: Registry
    build: Build
    services: Mapping[str, Named]
    variables: Mapping[str, Secret]
    tag_prefix: str
    config_hash: str


def load_building(root: Path, environment: str, environ: Mapping[str, str]) -> Building:
    """What deploy/fairlead.toml says of images, with an environment's file over it if one is named.

    Raises ConfigError with every fault of the keys that matter here, UsageError for an unknown
    environment.
    """
    problems: list[Problem] = []
    base = read_toml(root, BASE, problems)
    over = TomlFile(BASE, {}, {})
    env = EnvFiles(root)
    env.add(".env")
    if environment:
        require_environment(environment, root, environment_names(root))
        over = read_toml(root, f"{FOLDER}/{environment}.toml", problems)
        env.add(f".env.{environment}")
    tables = _read(base, over, env, environ, problems)
    if problems:
        raise ConfigError(problems, state="nothing was built; nothing was changed")
    return Building(
        root=root,
        app=tables.app,
        compose_file=(root / FOLDER / tables.compose).resolve(),
        registry=tables.registry,
        build=tables.build,
        services=tables.services,
        variables=MappingProxyType({key: Secret(value) for key, value in env.values.items()}),
        tag_prefix=tables.release.tag_prefix,
        config_hash=config_hash({"build": tables.build}),
    )


def _read(
    base: TomlFile,
    over: TomlFile,
    env: EnvFiles,
    environ: Mapping[str, str],
    problems: list[Problem],
) -> _Tables:
    def locate(path: KeyPath) -> tuple[str, int | None]:
        file = over if over.holds(path) else base
        return file.name, file.line(path)

    def lookup(name: str) -> str | None:
        return environ.get(name, env.values.get(name))

    raw = overlaid(base.raw, over, problems)
    wanted = {one.name: raw[one.name] for one in fields(_Tables) if one.name in raw}
    wanted["services"] = _named(raw.get("services"))
    return Loader(locate, lambda text: expand(text, lookup), problems).table(_Tables, wanted)


def _named(services: object) -> dict[str, Any]:
    known = {one.name for one in fields(Named)}
    tables = services.items() if isinstance(services, dict) else ()
    return {
        name: {key: value for key, value in table.items() if key in known}
        for name, table in tables
        if isinstance(table, dict)
    }
