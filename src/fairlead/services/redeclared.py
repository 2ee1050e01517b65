"""Services whose declaration changed: another Dockerfile or dependency is another build."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fairlead.config.local import BASE, source_tables
from fairlead.services import history
from fairlead.services.composed import built_services, compose_file
from fairlead.services.declared import FILE, RepositoryService

Entries = Mapping[str, Any]  # service → what was written of it; "" → what was written for all
SHAPES_NOTHING = (
    "artifact",
    "builder",
    "caches",
    "keep",
    "main_branch",
    "parallel",
    "require",
    "timeout",
)
"""Keys of [build] that say how and where, not what an image is."""


def redeclared(
    root: Path,
    base: str,
    files: Sequence[str],
    services: Sequence[RepositoryService],
    until: str = "",
) -> dict[str, str]:
    """Service → cause, for those whose entry is not what it was at `base`.

    files: what changed since. until: the commit up to which; empty for the working tree. A file
    that was not there, or could not be read, declared nothing.
    """
    causes: dict[str, str] = {}
    for file, entries in ((FILE, _of_json), (BASE, _of_toml), (compose_file(root), _of_compose)):
        text = _text(root, until, file) if file in files else None
        if text is None:
            continue
        before = _read(entries, history.file_at(root, base, file) or "")
        now = _read(entries, text)
        shared = _differing(before.get("") or {}, now.get("") or {})
        for service in services:
            if shared:
                causes.setdefault(service.name, f"{shared} changed in {file}")
            elif before.get(service.name) != now.get(service.name):
                causes.setdefault(service.name, f"its declaration in {file} changed")
    return causes


def _text(root: Path, until: str, file: str) -> str | None:
    """What a file says now, or said at a commit; None if it is not there."""
    if until:
        return history.file_at(root, until, file)
    return (root / file).read_text(encoding="utf-8-sig") if (root / file).is_file() else None


def _differing(before: Entries, now: Entries) -> str:
    """What was written for all services and is not as it was; the first of it."""
    return next((key for key in {**before, **now} if before.get(key) != now.get(key)), "")


def _read(entries: Any, text: str) -> Entries:
    try:
        return dict(entries(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _of_json(text: str) -> Entries:
    raw = json.loads(text)
    body = {"services": raw} if isinstance(raw, list) else raw
    shared = {"global_files": body.get("global_files")}
    return {"": shared, **{one["name"]: one for one in body["services"]}}


def _of_toml(text: str) -> Entries:
    """What is said of a service's source, of its build, and where its image goes."""
    raw = tomllib.loads(text)
    build = raw.get("build", {})
    recipes, sources = build.get("services", {}), source_tables(raw)
    images = {name: one.get("image") for name, one in raw.get("services", {}).items()}
    shapes = {key: value for key, value in build.items() if key not in SHAPES_NOTHING}
    shapes.pop("services", None)
    shared = {"global_files": raw.get("repository"), "[build]": shapes}
    names = {*recipes, *sources, *images}
    return {
        "": shared,
        **{name: (sources.get(name), recipes.get(name), images.get(name)) for name in names},
    }


def _of_compose(text: str) -> Entries:
    """How the compose file builds its services; it may say the same of many through one anchor."""
    keys = ("build", "image", "extends")
    return {name: [one.get(key) for key in keys] for name, one in built_services(text).items()}
