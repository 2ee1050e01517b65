"""Where a tool's program is, and which one it is: the project's own before the machine's."""

import hashlib
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fairlead.checks.cache import Memory
from fairlead.model import Command
from fairlead.transport.local import run_local

STEERING = (
    "BC_", "CHECKOV_", "ESLINT_", "GITLEAKS_", "GRYPE_", "HADOLINT_", "MYPYPATH", "NODE_PATH",
    "NPM_CONFIG_", "PIP_", "PYLINTRC", "PYTHONPATH", "RUFF_", "SAFETY_", "SEMGREP_", "SHELLCHECK_",
    "SYFT_", "TRIVY_", "UV_", "YAMLLINT_",
)  # fmt: skip
"""How variables begin that change what a tool says."""


@dataclass(frozen=True)
class Program:
    """An executable. version: what it says of itself, one line; empty when it does not say.

    beside: a digest of what is installed in the same environment, plugins and stubs among it;
    empty for a program that stands alone and tells its version, of its file if it does not.
    """

    path: Path
    version: str
    beside: str = ""


class Programs:
    """Finds programs for one repository. Safe to use from several threads.

    Looked through in this order: .venv/bin and node_modules/.bin of a part of the tree, if one is
    named, then those of the root, the environment that is activated, the folder of the interpreter
    that runs us (Fairlead may have one of its own), PATH.
    """

    def __init__(
        self, root: Path, environ: Mapping[str, str] | None = None, memory: Memory | None = None
    ) -> None:
        given = os.environ if environ is None else environ
        activated = (f"{given['VIRTUAL_ENV']}/bin",) if given.get("VIRTUAL_ENV") else ()
        beside_us = str(Path(sys.executable).parent)
        own = (*_own(root), *activated, beside_us, given.get("PATH", os.defpath))
        self.path = os.pathsep.join(own)
        self._root = root
        self._environ = given
        self._memory = memory or Memory()

    def search_path(self, folder: str = "") -> str:
        """The folders that are looked through for a program called in a folder of the tree."""
        own = _own(self._root / folder) if folder else ()
        return os.pathsep.join((*own, self.path))

    def environ(self, added: Mapping[str, str], folder: str = "") -> dict[str, str]:
        """A tool's whole environment: ours, the same search path, no colours, and `added`."""
        kept = {key: value for key, value in self._environ.items() if key != "FORCE_COLOR"}
        return {**kept, "PATH": self.search_path(folder), "NO_COLOR": "1", **added}

    def find(self, name: str, folder: str = "") -> Path | None:
        """The program of that name; a name with a slash is a path."""
        found = shutil.which(name, path=self.search_path(folder))
        return Path(found) if found else None

    def identify(
        self, name: str, asks: Sequence[str] = ("--version",), folder: str = ""
    ) -> Program | None:
        """The program and its version. It is asked only when it is not the one known already."""
        path = self.find(name, folder)
        if path is None:
            return None
        beside = _installed_beside(path)
        key = _digest(*_look_of(path), beside, *asks)
        version = self._memory.recall(key)
        if version is None:
            version = self._ask(path, asks)
            self._memory.remember(key, version)
        return Program(path, version, beside or ("" if version else _digest(*_look_of(path))))

    def steering(self) -> tuple[str, ...]:
        """What of our environment steers tools, as `NAME=value`."""
        names = (name for name in sorted(self._environ) if name.upper().startswith(STEERING))
        return tuple(f"{name}={self._environ[name]}" for name in names)

    def _ask(self, path: Path, asks: Sequence[str]) -> str:
        command = Command((str(path), *asks), timeout=20.0)
        ran = run_local(command, cwd=self._root, environ=self.environ({}))
        said = (ran.out.strip() or ran.err.strip()).splitlines()
        return _telling(said) if ran.ok else ""


def _own(folder: Path) -> tuple[str, str]:
    return (str(folder / ".venv/bin"), str(folder / "node_modules/.bin"))


def _telling(said: Sequence[str]) -> str:
    """The line with the version: the first one with a digit."""
    return next((text.strip() for text in said if any(map(str.isdigit, text))), "")


def _look_of(path: Path) -> tuple[str, ...]:
    real = path.resolve()
    seen = real.stat()
    return (str(real), str(seen.st_size), str(seen.st_mtime_ns))


def _installed_beside(path: Path) -> str:
    """A digest of the names and versions of the packages in the program's environment."""
    real = path.resolve()
    near = [*(folder.parent for folder in {path.parent, real.parent})]
    packages = [found for one in near for found in one.glob("lib/python3*/site-packages")]
    names = {item.name for folder in packages for item in folder.glob("*.dist-info")}
    modules = next((up for up in real.parents if up.name == "node_modules"), None)
    if modules is not None:
        names |= {str(entry.stat().st_mtime_ns) for entry in modules.glob(".package-lock.json")}
    return _digest(*sorted(names)) if names else ""


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
