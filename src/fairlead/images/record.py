"""What was built of a commit and passed: `.fairlead/builds/<commit>.json`. Only that is pushed."""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from fairlead.config.folder import own_folder
from fairlead.images.disk import on_disk
from fairlead.images.layout import Layout
from fairlead.images.reference import Reference
from fairlead.images.revision import Revision
from fairlead.model import Image

SCHEMA = 1
LISTS = ("services", "tags", "tried")


@dataclass(frozen=True, kw_only=True)
class Built:
    """One image that passed. digest: of its index; platforms: platform → digest of its manifest.

    smoke, scan, sbom: "passed" or why not run; scan and sbom are about every platform. tried: the
    platforms whose image was started, which is what smoke is about. layout: its folder, from the
    repository's root.
    """

    name: str
    services: tuple[str, ...]
    image: str
    digest: str
    platforms: Mapping[str, str]
    tags: tuple[str, ...]
    layout: str
    size: int
    smoke: str
    sbom: str
    scan: str
    tried: tuple[str, ...] = ()

    @property
    def untried(self) -> tuple[str, ...]:
        """The platforms that a passed smoke test says nothing about."""
        return tuple(one for one in self.platforms if one and self.tried and one not in self.tried)


@dataclass(frozen=True, kw_only=True)
class Record:
    """All that passed of one state of the repository. config: hash of what shapes the images."""

    commit: str
    dirty: bool
    config: str
    when: str
    images: tuple[Built, ...] = field(default=())

    def of(self, name: str) -> Built | None:
        return next((one for one in self.images if name in (one.name, *one.services)), None)


def read_record(root: Path, key: str) -> Record | None:
    """The record of a Revision's key; None when nothing passed."""
    file = root / ".fairlead/builds" / f"{key}.json"
    return _read(file) if file.is_file() else None


def records(root: Path) -> list[Record]:
    """Every record that can be read, the newest first."""
    folder = root / ".fairlead/builds"
    files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    return [found for file in files if (found := _read(file))]


def keep(
    root: Path,
    revision: Revision,
    config: str,
    built: Sequence[Built],
    failed: Collection[str] = (),
) -> None:
    """Add what passed to the commit's record, and take out what failed.

    Others' images of that commit stay in it.
    """
    before = read_record(root, revision.key)
    names = {one.name for one in built} | set(failed)
    kept = () if before is None or before.config != config else before.images
    images = (*(one for one in kept if one.name not in names), *built)
    record = Record(
        commit=revision.commit,
        dirty=revision.standing.dirty,
        config=config,
        when=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        images=tuple(sorted(images, key=lambda one: one.name)),
    )
    if before is None and not built:
        return
    text = json.dumps({"schema": SCHEMA, **asdict(record)}, indent=1) + "\n"
    with on_disk("what passed cannot be recorded", "the record is as it was before"):
        file = own_folder(root, "builds") / f"{revision.key}.json"
        beside = file.with_suffix(".new")
        beside.write_text(text, "utf-8")
        os.replace(beside, file)


def delivered(root: Path, reference: Reference) -> Image | None:
    """What a tag of such a repository means: the newest image built here with it; else None."""
    if not reference.over_ssh:
        return None
    for record in records(root):
        for one in record.images:
            if one.image == reference.name and reference.tag in one.tags:
                platforms = tuple(one.platforms)
                return Image(reference.name, reference.tag, one.digest, one.size, platforms)
    return None


def layout_of(root: Path, built: Built) -> Layout:
    return Layout(root / built.layout)


def _read(file: Path) -> Record | None:
    try:
        raw = json.loads(file.read_text("utf-8"))
        if raw.pop("schema", None) != SCHEMA:
            return None
        images = tuple(
            Built(**{**one, **{key: tuple(one.get(key, ())) for key in LISTS}})
            for one in raw.pop("images")
        )
        return Record(**raw, images=images)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
