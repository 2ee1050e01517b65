"""The files a project starts with: what was guessed from its compose file, with explanations."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fairlead.config.env_files import EXAMPLE
from fairlead.config.project import FILE, FOLDER
from fairlead.config.reference import comment_of
from fairlead.config.toml_lines import KeyPath

WIDTH = 100
HOOKS = ".pre-commit-config.yaml"
IGNORE = ".gitignore"
IGNORED = (".env*", f"!{EXAMPLE}", ".fairlead/")
"""What git must not see: values, and what is kept on this machine only."""


@dataclass(frozen=True)
class Guess:
    """What a compose file seems to say. reasons: why, as sentences; questions: what to check.

    routed: the service that takes requests, on `port` (empty and None: there seems to be none).
    images: repository by service, of those that --tag is for.
    """

    app: str
    routed: str = ""
    port: int | None = None
    health: str = "/"
    stateful: tuple[str, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    registry: str = ""
    reasons: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


def render(
    guess: Guess,
    compose: str = "../compose.yaml",
    unset: tuple[str, ...] = (),
    environments: tuple[str, ...] = ("staging", "production"),
) -> dict[str, str]:
    """File name (from the project's root) → text. They load as they are, with unset variables set.

    compose: the compose file, seen from deploy/. unset: variables that it needs and nothing sets.
    """
    files = {f"{FOLDER}/{FILE}": "\n".join(_base(guess, compose, environments[0])) + "\n"}
    for name in environments:
        files[f"{FOLDER}/{name}.toml"] = "\n".join(_environment(guess, name)) + "\n"
    files[EXAMPLE] = _example(unset)
    files[HOOKS] = Path(__file__).with_name("pre-commit.yaml").read_text("utf-8")
    return files


def to_write(root: Path, files: Mapping[str, str]) -> list[str]:
    """The names of what `write` would create or, of .gitignore, add lines to."""
    ignore = [IGNORE] if _not_ignored(root) else []
    return sorted([*(name for name in files if not (root / name).exists()), *ignore])


def write(root: Path, files: Mapping[str, str]) -> dict[str, bool]:
    """Write the files that do not exist; tells of each whether it was created (or else kept).

    .gitignore gets the lines of IGNORED that it lacks; what it says already stays.
    """
    created = {}
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
            created[name] = True
        except FileExistsError:
            created[name] = False
    lacking = _not_ignored(root)
    if lacking:
        with (root / IGNORE).open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lacking))
    return {**created, IGNORE: bool(lacking)}


def _not_ignored(root: Path) -> list[str]:
    """The lines that .gitignore lacks; an empty first one where its last line has no end."""
    path = root / IGNORE
    text = path.read_text("utf-8") if path.exists() else ""
    lacking = [line for line in IGNORED if line not in text.splitlines()]
    return ["", *lacking] if lacking and text and not text.endswith("\n") else lacking


class _Lines:
    """Keys below their explanation, each explained once in a file."""

    def __init__(self) -> None:
        self.explained: set[KeyPath] = set()

    def key(self, path: KeyPath, value: object, written: str = "") -> Iterator[str]:
        from json import dumps  # JSON's texts, numbers, lists and booleans are TOML's

        yield from self.comment(path)
        yield f"{written or path[-1]} = {dumps(value, ensure_ascii=False)}"

    def comment(self, path: KeyPath) -> Iterator[str]:
        from textwrap import wrap

        if path not in self.explained:
            self.explained.add(path)
            meaning = re.sub(r" ?(Default: [^ ]+|Required)\.$", "", comment_of(path))
            yield from (f"# {line}" for line in wrap(meaning, WIDTH - 2))


def _base(guess: Guess, compose: str, default: str) -> Iterator[str]:
    lines = _Lines()
    yield "# What this project deploys. Every key there is, with its meaning and default:"
    yield "#     fairlead init --reference"
    yield ""
    yield from lines.key(("app",), guess.app)
    yield from lines.key(("compose",), compose)
    yield from lines.key(("default_environment",), default)
    yield from lines.key(("strategy",), "blue-green")
    if guess.registry:
        yield from ("", *lines.comment(("registry",)), "[registry]")
        yield from lines.key(("registry", "server"), guess.registry)
    for name in sorted({guess.routed, *guess.images, *guess.stateful} - {""}):
        yield from _service(lines, guess, name)
    if guess.routed:
        yield from ("", *lines.comment(("smoke", 0)), "[[smoke]]")
        yield from lines.key(("smoke", 0, "name"), "health")
        yield from lines.key(("smoke", 0, "path"), guess.health)


def _service(lines: _Lines, guess: Guess, name: str) -> Iterator[str]:
    key: KeyPath = ("services", "api")  # the reference's example of a service
    yield from ("", f"[services.{_quoted_key(name)}]")
    if name in guess.images:
        yield from lines.key((*key, "image"), guess.images[name])
    if guess.stateful:
        yield from lines.key((*key, "roles"), ["data" if name in guess.stateful else "web"])
    if name in guess.stateful:
        yield from lines.key((*key, "stateful"), True)
    if name == guess.routed and guess.port is not None:
        yield from lines.key((*key, "port"), guess.port)
        yield from lines.key((*key, "routes"), ["*"])
        yield from lines.key((*key, "health", "path"), guess.health, "health")


def _environment(guess: Guess, name: str) -> Iterator[str]:
    lines = _Lines()
    address = f"${{{name.upper()}_HOST:-{name}.example.com}}"
    yield f"# The environment {name}, laid over {FILE}: the same keys, and these win."
    yield ""
    yield from lines.key(("url",), f"http://{address}")
    yield from ("", *lines.comment(("hosts", "staging1")), f"[hosts.{name}1]")
    yield from lines.key(("hosts", "staging1", "address"), address)
    if guess.stateful:
        yield from lines.key(("hosts", "staging1", "roles"), ["web", "data"])


def _example(unset: tuple[str, ...]) -> str:
    lines = [
        "# Every key listed here needs a value in .env.<environment>, in .env or in the process",
        "# environment before anything is deployed. This file holds names, never values.",
        *(f"{name}=" for name in unset),
    ]
    return "\n".join(lines) + "\n"


def _quoted_key(name: str) -> str:
    from json import dumps

    return name if name.replace("-", "").replace("_", "").isalnum() else dumps(name)
