"""Verdicts kept by content: the same files, tool, arguments and settings are not checked twice."""

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.folder import own_folder
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Outcome, Verdict

FORM = 2  # of what is stored; another number makes everything stored before unknown
KEPT = 400  # entries: some weeks of one person's work
ODD = "surrogateescape"  # names of files need not be UTF-8
Look = tuple[int, ...]
KEEPABLE = (Outcome.PASSED, Outcome.FINDINGS)


class Memory:
    """Small texts by key, kept under .fairlead/<name>; in memory only without a folder.

    A folder that cannot be written remembers nothing and fails nothing. Safe to use from several
    threads and from several commands at once: each entry is a file, renamed into place.
    """

    def __init__(self, root: Path | None = None, name: str = "cache") -> None:
        self._held: dict[str, str] = {}
        self._folder: Path | None = None
        if root is not None:
            with contextlib.suppress(OSError):
                self._folder = own_folder(root, name)

    def recall(self, key: str, within: float = float("inf")) -> str | None:
        """The text, unless it is unknown or older than `within` seconds."""
        if self._folder is None:
            return self._held.get(key)
        file = self._folder / key
        with contextlib.suppress(OSError, UnicodeError):
            if time.time() - file.stat().st_mtime <= within:
                text = file.read_text("utf-8")
                self._touch(file)
                return text
        return None

    def remember(self, key: str, text: str) -> None:
        """Keep the text for later commands."""
        self._held[key] = text
        if self._folder is None:
            return
        beside = self._folder / f".{key}.{os.getpid()}.{threading.get_ident()}"
        with contextlib.suppress(OSError):
            beside.touch(mode=0o600)
            beside.write_text(text, "utf-8")
            beside.replace(self._folder / key)

    def prune(self, kept: int = KEPT) -> None:
        """Remove all but the `kept` entries that were used last."""
        if self._folder is None:
            return
        with contextlib.suppress(OSError):
            entries = sorted(self._folder.iterdir(), key=lambda file: -file.stat().st_atime)
            for file in entries[kept:]:
                file.unlink(missing_ok=True)

    @staticmethod
    def _touch(file: Path) -> None:
        """Note the use; the age, which is its mtime, stays."""
        with contextlib.suppress(OSError):
            os.utime(file, ns=(time.time_ns(), file.stat().st_mtime_ns))


class Cache:
    """The verdicts of earlier sweeps over one tree. Only passed and findings are kept."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._digests: dict[str, tuple[str, Look]] = {}

    def key(self, tree: Tree, files: Iterable[str], *facts: str) -> str:
        """A key over the content of the files (paths from the root) and over the facts."""
        digest = hashlib.sha256(json.dumps([FORM, *facts]).encode())
        for name in sorted(set(files)):
            digest.update(f"\0{name}\0{self._content(tree.root, name)}".encode(errors=ODD))
        return digest.hexdigest()[:40]

    def recall(self, key: str, within: float) -> Verdict | None:
        """The verdict kept under the key, if it is not older than `within` seconds."""
        text = self._memory.recall(key, within)
        if text is None:
            return None
        try:
            return replace(_verdict(json.loads(text)), cached=True, seconds=0.0)
        except (ValueError, KeyError, TypeError):
            return None

    def remember(self, key: str, verdict: Verdict) -> None:
        """Keep a verdict, if it is one that says something about the content."""
        if verdict.outcome in KEEPABLE:
            self._memory.remember(key, json.dumps(asdict(verdict)))

    def holds(self, tree: Tree, files: Iterable[str]) -> bool:
        """Whether the files still look as they did when they were read for a key."""
        known = ((name, self._digests.get(name)) for name in files)
        return all(read is None or read[1] == _look(tree.root / name) for name, read in known)

    def prune(self) -> None:
        """Forget what was not used for long."""
        self._memory.prune()

    def _content(self, root: Path, name: str) -> str:
        """A digest of one file; of one that is gone or cannot be read, a word for that."""
        if name not in self._digests:
            look = _look(root / name)  # before it is read: a change meanwhile shows later
            try:
                content = (root / name).read_bytes()
            except OSError as error:
                return f"unreadable: {error.errno}"
            self._digests[name] = (hashlib.sha256(content).hexdigest(), look)
        return self._digests[name][0]


def _look(file: Path) -> Look:
    """What changes with a file's content; nothing for a file that is gone."""
    try:
        seen = file.stat()
    except OSError:
        return ()
    return (seen.st_size, seen.st_mtime_ns, seen.st_ino)


def _verdict(raw: dict[str, Any]) -> Verdict:
    findings = tuple(
        Finding(
            **{
                **one,
                "severity": Severity(one["severity"]),
                "aliases": tuple(one["aliases"]),
            }
        )
        for one in raw["findings"]
    )
    return Verdict(**{**raw, "outcome": Outcome(raw["outcome"]), "findings": findings})
