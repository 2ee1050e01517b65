"""From files to an Environment: read, lay over, expand, type, check. Every problem at once."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fairlead.config.checks import CHECKS
from fairlead.config.commands import exposed_secrets
from fairlead.config.digest import config_hash
from fairlead.config.document import Document
from fairlead.config.env_files import EXAMPLE, EnvFiles
from fairlead.config.environment import Environment
from fairlead.config.interpolation import expand
from fairlead.config.loader import Loader, key_of
from fairlead.config.local import BASE, LOCAL_TABLES, source_tables
from fairlead.config.project import FOLDER, environment_names, require_environment
from fairlead.config.source import Source
from fairlead.config.toml_file import TomlFile, overlaid, read_toml
from fairlead.config.toml_lines import KeyPath
from fairlead.errors import ConfigError, Problem
from fairlead.model import Host, Secret

_ONLY_IN_BASE = ("app", "default_environment", *LOCAL_TABLES)
_SOURCE = {key_of(one) for one in fields(Source)}
_NOT_HASHED = (
    "ssh",
    "registry",
    "default_environment",
    "compose",
    "gates",
    "approval",
    "backup",
)  # how, not what, is deployed


_CREDENTIALS = ("registry.username", "registry.password")


def load(
    root: Path, environment: str | None, environ: Mapping[str, str], *, values: bool = True
) -> Environment:
    """The environment of that name (None: the default one), complete and checked.

    environ: the process environment. values: False for what works with the files that hosts kept:
    container variables and the registry's credentials may be missing then, as they are on the
    laptop of whoever is on call; `missing` tells which. Raises UsageError for an unknown
    environment and ConfigError with every problem of deploy/*.toml and the .env files; nothing but
    those files is touched.
    """
    problems: list[Problem] = []
    base = read_toml(root, BASE, problems)
    name = environment or str(base.raw.get("default_environment") or "staging")
    require_environment(name, root, environment_names(root))
    over = read_toml(root, f"{FOLDER}/{name}.toml", problems)
    env = EnvFiles(root)
    env.add(".env")
    env.add(f".env.{name}")
    if problems:
        raise ConfigError(problems + env.problems)
    return _Resolving(root, name, base, over, env, environ).environment(values)


def _refusal(problems: list[Problem], **more: str) -> ConfigError:
    listed = sorted(problems, key=lambda one: (one.file, one.line or 0, one.path))
    return ConfigError(listed, **more)


@dataclass(frozen=True)
class _Resolving:
    """What is known while one environment is being resolved."""

    root: Path
    name: str
    base: TomlFile
    over: TomlFile
    env: EnvFiles
    environ: Mapping[str, str]

    def environment(self, values: bool) -> Environment:
        problems: list[Problem] = []
        raw = overlaid(self.base.raw, self.over, problems)
        loader = Loader(self.locate, self.expand, problems)
        document: Document = loader.table(Document, raw)
        self.check(document, raw, loader)
        from_process, missing = self.complete()
        missing += [one for one in problems if one.path in _CREDENTIALS]
        problems = [one for one in problems if one.path not in _CREDENTIALS]
        problems += self.env.problems
        if unset := missing if values else []:
            write = f"write the values into .env.{self.name}, or export them"
            others = "correct the rest; " if problems else ""
            raise _refusal(problems + unset, next_step=f"{others}{write}; then: inv doctor")
        if problems:
            raise _refusal(problems)
        return self.assembled(document, from_process, tuple(missing))

    def locate(self, path: KeyPath) -> tuple[str, int | None]:
        """The file a path was written in, and the line; for one left out, of what is around it."""
        for length in range(len(path), 0, -1):
            for file in (self.over, self.base):
                if file.holds(path[:length]):
                    return file.name, file.line(path[:length])
        return (self.over if path[0] == "hosts" else self.base).name, None

    def lookup(self, name: str) -> str | None:
        return self.environ.get(name, self.env.values.get(name))

    def expand(self, text: str) -> str:
        return expand(text, self.lookup)

    def check(self, document: Document, raw: Mapping[str, Any], loader: Loader) -> None:
        """Cross-checks: what the keys say together, and with what else lies in the project."""
        for check in CHECKS:
            for path, message, suggestion in check(document):
                loader.report(path, message, suggestion=suggestion)
        names = document.env
        for path, message in exposed_secrets(raw, self.lookup, names.secret, names.clear):
            loader.report(path, message)
        for path in self.misplaced():
            loader.report(path, f"is the same for every environment; write it in {BASE}")
        if not self.compose_file(document).is_file():
            shown = os.path.relpath(self.compose_file(document), self.root)
            loader.report(("compose",), f"no such file: {shown}")
        asked_from_client = any("client" in check.from_ for check in document.smoke)
        if asked_from_client and not document.url and not self.environ.get("TEST_URL"):
            loader.report(("url",), "is required by the smoke checks that this machine asks")

    def misplaced(self) -> Iterator[KeyPath]:
        """What an environment's file may not say: keys that all environments share."""
        yield from ((key,) for key in _ONLY_IN_BASE if key in self.over.raw)
        for name, table in source_tables(self.over.raw).items():
            yield from (("services", name, key) for key in table if key in _SOURCE)

    def complete(self) -> tuple[tuple[str, ...], list[Problem]]:
        """Take required variables from the process environment; what is missing is one problem."""
        required = self.env.required()
        found = self.env.complete(required, self.environ)
        missing = [key for key in required if not self.env.values.get(key)]
        problems = []
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            message = (
                f"{verb} required by {EXAMPLE}, and neither .env.{self.name}, .env nor the process"
                " environment gives a value"
            )
            problems.append(Problem(f".env.{self.name}", ", ".join(missing), message))
        return found, problems

    def compose_file(self, document: Document) -> Path:
        return Path(os.path.abspath(self.root / FOLDER / document.compose))

    def local(self, path: str) -> str:
        """A path on this machine, absolute; an empty one stays empty."""
        return os.path.abspath(self.root / Path(path).expanduser()) if path else ""

    def assembled(
        self, document: Document, from_process: tuple[str, ...], missing: tuple[Problem, ...]
    ) -> Environment:
        declared: dict[str, Any] = {
            one.name: getattr(document, one.name)
            for one in fields(document)
            if one.name not in ("compose", "default_environment", *LOCAL_TABLES)
        }
        variables = {key: Secret(value) for key, value in sorted(self.env.values.items())}
        hashed = {key: value for key, value in declared.items() if key not in _NOT_HASHED}
        ssh = document.ssh
        declared["ssh"] = replace(
            ssh, key=self.local(ssh.key), known_hosts=self.local(ssh.known_hosts)
        )
        declared["hosts"] = tuple(
            Host(host.name, host.address, host.user or ssh.user, host.port or ssh.port, host.roles)
            for host in document.hosts.values()
        )
        return Environment(
            **declared,
            root=self.root,
            name=self.name,
            compose_file=self.compose_file(document),
            variables=MappingProxyType(variables),
            from_process=from_process,
            config_hash=config_hash({**hashed, "name": self.name, "variables": variables}),
            files=(self.root / self.base.name, self.root / self.over.name, *self.env.read),
            missing=missing,
        )
