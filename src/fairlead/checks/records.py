"""Verdicts on record: what was found out about a commit, or about an image built from it.

One JSON file per verb and kind of run, under .fairlead/records/<commit>/ of the repository, so that
no run hides what a better one found out of the same commit. A CI job hands the folder on to the job
that deploys.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fairlead.checks.folder import FOLDER, own_folder
from fairlead.checks.verdict import Outcome, Verdict

NAME = "records"
SCHEMA = 1
SCAN_IMAGE = "scan-image"  # the verb of `scan --image`


@dataclass(frozen=True)
class Entry:
    """One tool's outcome as it is kept: counts by grade in place of the findings.

    split: of a suite in a shard, a hash over how its tests were divided.
    """

    tool: str
    outcome: Outcome
    reason: str = ""
    looked_at: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    split: str = ""


@dataclass(frozen=True)
class Record:
    """What one run of one verb found out.

    verb: lint, test, scan; scan-image for `scan --image`.
    commit: full hash of the tree that was looked at. clean: the tree was that commit, without
    changes; a record of anything else opens no gate. image: the digest that was looked at; empty
    when it was the tree. config: hash of what steers the checks. coverage: per cent, if measured.
    partial: only a part was run (`--only`, `--suite`, `--changed`, a shard). shard: `2/4`, where
    nothing else makes it a part. until: the last day
    (ISO) on which it holds, where an exclusion that ends then covers what was found.
    """

    verb: str
    commit: str
    clean: bool
    config: str
    when: str
    entries: tuple[Entry, ...]
    image: str = ""
    coverage: float | None = None
    partial: bool = False
    until: str = ""
    shard: str = ""


def record(
    verb: str,
    commit: str,
    clean: bool,
    config: str,
    verdicts: Iterable[Verdict],
    *,
    image: str = "",
    coverage: float | None = None,
    partial: bool = False,
    until: str = "",
) -> Record:
    """The record of verdicts that were just reached."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    entries = tuple(map(_entry, verdicts))
    return Record(verb, commit, clean, config, now, entries, image, coverage, partial, until)


def keep(root: Path, one: Record) -> Path:
    """Write the record where `recorded` finds it; it replaces the one before of the same kind."""
    file = own_folder(root, f"{NAME}/{one.commit}") / f"{_kind(one)}.json"
    beside = file.with_suffix(f".{os.getpid()}.partial")
    beside.write_text(json.dumps({"schema_version": SCHEMA, **asdict(one)}, indent=2) + "\n")
    beside.replace(file)
    return file


def recorded(root: Path, commit: str) -> tuple[Record, ...]:
    """What is on record of a commit; a file that cannot be read is no record."""
    return tuple(_read(sorted((root / FOLDER / NAME / commit).glob("*.json"))))


def _kind(one: Record) -> str:
    """What a record replaces another of: the same verb over the same state, measured alike."""
    parts = {
        one.verb: True,
        one.image.removeprefix("sha256:")[:12]: one.image,
        _dashed(one.shard): one.shard,
        "unclean": not one.clean,
        "partial": one.partial,
        "coverage": one.coverage is not None and not one.shard,
    }
    return "-".join(name for name, holds in parts.items() if holds)


def coverage_file(root: Path, commit: str, shard: str) -> Path:
    """Where the coverage data of a shard are kept, beside its record."""
    return root / FOLDER / NAME / commit / f"coverage-{_dashed(shard)}.data"


def _dashed(shard: str) -> str:
    """`shard-2-of-4`; empty for none."""
    return f"shard-{shard.replace('/', '-of-')}" if shard else ""


def _entry(verdict: Verdict) -> Entry:
    counts = Counter(finding.grade for finding in verdict.findings)
    told = (verdict.tool, verdict.outcome, verdict.reason, verdict.looked_at)
    return Entry(*told, dict(counts), verdict.split)


def _read(files: Iterable[Path]) -> Iterator[Record]:
    for file in files:
        try:
            document = json.loads(file.read_text("utf-8"))
            if document.pop("schema_version") == SCHEMA:
                yield _record(document)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue


def _record(document: dict[str, Any]) -> Record:
    entries = tuple(
        Entry(**{**entry, "outcome": Outcome(entry["outcome"])}) for entry in document["entries"]
    )
    return Record(**{**document, "entries": entries})
