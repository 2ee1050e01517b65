"""Where a project keeps its version: a file that is the version, or pyproject.toml."""

import re
import tomllib
from pathlib import Path

from fairlead.errors import UsageError
from fairlead.versions.semver import Version

PYPROJECT = "pyproject.toml"
_LINE = re.compile(
    r"""^(?P<head>version[ \t]*=[ \t]*)(?P<quote>["'])(?P<text>[^"'\n]*)(?P=quote)""", re.M
)
_TABLE = re.compile(r"^\[project\][^\n]*$", re.M)
_NEXT_TABLE = re.compile(r"^\[", re.M)


def current(root: Path, file: str) -> Version:
    """The version that the file has. Raises UsageError when it has none."""
    text = _text(root / file)
    found = _static(text) if file.endswith(PYPROJECT) else text.strip()
    try:
        return Version.parse(found)
    except ValueError as error:
        what = f"{file} has no version to go on from" if not found else f"{file}: {error}"
        raise UsageError(
            what, state="nothing was changed", next_step=f"echo 0.1.0 > {file}, and commit it"
        ) from None


def with_version(root: Path, file: str, old: Version, new: Version) -> dict[str, str]:
    """File → content, for the file that is the truth and a pyproject.toml that says the same.

    A pyproject.toml whose version is dynamic, or another, is left alone.
    """
    changed = {} if file.endswith(PYPROJECT) else {file: f"{new}\n"}
    beside = file if file.endswith(PYPROJECT) else PYPROJECT
    text = _text(root / beside)
    if _static(text) == str(old):
        changed[beside] = _replaced(text, new)
    return changed


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _static(text: str) -> str:
    try:
        return str(tomllib.loads(text).get("project", {}).get("version", ""))
    except tomllib.TOMLDecodeError:
        return ""


def _replaced(text: str, new: Version) -> str:
    """The text with another `version` in [project]; comments and order stay."""
    table = _TABLE.search(text)
    start = table.end() if table else 0
    following = _NEXT_TABLE.search(text, start)
    end = following.start() if following else len(text)
    body = _LINE.sub(rf"\g<head>\g<quote>{new}\g<quote>", text[start:end], count=1)
    return text[:start] + body + text[end:]
