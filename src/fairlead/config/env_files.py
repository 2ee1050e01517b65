"""`.env`, `.env.<environment>` and `.env.example`: what a container finds in its environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fairlead.config.interpolation import UnresolvedError, expand
from fairlead.errors import Problem

EXAMPLE = ".env.example"
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


@dataclass
class EnvFiles:
    """The files of one project, read one over the other; every fault in them is a problem."""

    root: Path
    values: dict[str, str] = field(default_factory=dict)
    read: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Lay the file over what was read before; a missing file is an empty one.

        `${NAME}` means a key read before, here or in an earlier file; never a variable of the
        shell, which would make a release depend on who deploys. Single quotes keep it literal.
        """
        for key, value, literal, line in self._bindings(name):
            if value is None:
                continue
            try:
                self.values[key] = value if literal else self._expanded(value)
            except UnresolvedError as error:
                hint = "; single quotes keep it as it is"
                self.problems.append(Problem(name, key, f"{error}{hint}", line))

    def required(self) -> tuple[str, ...]:
        """The keys that .env.example lists."""
        return tuple(dict.fromkeys(key for key, *_ in self._bindings(EXAMPLE)))

    def complete(self, required: tuple[str, ...], environ: Mapping[str, str]) -> tuple[str, ...]:
        """Fill required keys that no file sets from the process environment; name them.

        A key without a value is not set: an example copied and not filled in is no configuration.
        """
        unset = [key for key in required if not self.values.get(key)]
        found = tuple(key for key in unset if environ.get(key))
        self.values.update((key, environ[key]) for key in found)
        return found

    def _expanded(self, value: str) -> str:
        return expand(value, self.values.get, dollars=False)

    def _bindings(self, name: str) -> list[tuple[str, str | None, bool, int]]:
        """(key, value, is literal, line) of each line that sets something."""
        text = self._text(name)
        if not text.strip():
            return []
        from io import StringIO

        from dotenv.parser import parse_stream

        found = []
        for binding in parse_stream(StringIO(text)):
            blank = len(binding.original.string) - len(binding.original.string.lstrip())
            line = binding.original.line + binding.original.string[:blank].count("\n")
            if binding.error or (binding.key and not _KEY.fullmatch(binding.key)):
                message = "is no line such as KEY=value or KEY='value with spaces'"
                self.problems.append(Problem(name, f"line {line}", message, line))
            elif binding.key:
                after = binding.original.string.partition("=")[2].lstrip()
                found.append((binding.key, binding.value, after.startswith("'"), line))
        return found

    def _text(self, name: str) -> str:
        path = self.root / name
        try:
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            self.problems.append(Problem(name, "file", f"cannot be read: {reason}"))
            return ""
        if path not in self.read:
            self.read.append(path)
        if "\0" in text:
            self.problems.append(Problem(name, "file", "holds a NUL character"))
            return ""
        return text
