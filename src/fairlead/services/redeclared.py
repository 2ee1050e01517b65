"""Services whose declaration changed: another Dockerfile or dependency is another build."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fairlead.config.local import BASE, source_tables
from fairlead.services import history
from fairlead.services.declared import FILE, RepositoryService

Entries = Mapping[str, Any]  # service → what was written of it; "" → what was written for all


def redeclared(
    root: Path, base: str, files: Sequence[str], services: Sequence[RepositoryService]
) -> dict[str, str]:
    """Service → cause, for those whose entry is not what it was at `base`.

    files: what changed since. A file that was not there, or could not be read, declared nothing.
    """
    causes: dict[str, str] = {}
    for file, entries in ((FILE, _of_json), (BASE, _of_toml)):
        if file not in files or not (root / file).is_file():
            continue
        before = _read(entries, history.file_at(root, base, file) or "")
        now = _read(entries, (root / file).read_text(encoding="utf-8-sig"))
        for service in services:
            if before.get("") != now.get(""):
                causes[service.name] = f"global_files changed in {file}"
            elif before.get(service.name) != now.get(service.name):
                causes[service.name] = f"its declaration in {file} changed"
    return causes


def _read(entries: Any, text: str) -> Entries:
    try:
        return dict(entries(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _of_json(text: str) -> Entries:
    raw = json.loads(text)
    body = {"services": raw} if isinstance(raw, list) else raw
    return {"": body.get("global_files"), **{one["name"]: one for one in body["services"]}}


def _of_toml(text: str) -> Entries:
    raw = tomllib.loads(text)
    return {"": raw.get("repository"), **source_tables(raw)}
