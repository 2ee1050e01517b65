"""Conventional commits (conventionalcommits.org 1.0.0): what a message says of its change."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fairlead.versions.semver import Part

_HEAD = re.compile(r"(?P<kind>[A-Za-z]+)(\((?P<scope>[^()\n]*)\))?(?P<mark>!)?: +(?P<what>\S.*)")
_FOOTER = re.compile(r"^BREAKING[ -]CHANGE: +(.+)", re.M)
_WEIGHTS = {"feat": Part.MINOR, "fix": Part.PATCH, "perf": Part.PATCH, "revert": Part.PATCH}
_SECTIONS = {"feat": "Added", "fix": "Fixed", "perf": "Changed", "revert": "Changed"}


@dataclass(frozen=True)
class Commit:
    """A commit. kind: `feat`, `fix`, …, lower case; empty for a message that follows no convention.

    breaking: what breaks, from the footer or the subject; empty when nothing does.
    """

    kind: str
    what: str
    scope: str = ""
    breaking: str = ""

    @property
    def weight(self) -> Part | None:
        """What it raises; None for one that changes nothing for users."""
        return Part.MAJOR if self.breaking else _WEIGHTS.get(self.kind)


def read(message: str) -> Commit:
    """A message, understood."""
    subject, _, body = message.strip().partition("\n")
    head = _HEAD.fullmatch(subject.strip())
    footer = _FOOTER.search(body)
    if not head:
        return Commit("", subject.strip(), breaking=footer[1].strip() if footer else "")
    what = head["what"].strip()
    breaks = footer[1].strip() if footer else (what if head["mark"] else "")
    return Commit(head["kind"].lower(), what, (head["scope"] or "").strip(), breaks)


def weight(commits: Iterable[Commit]) -> Part | None:
    """What all of them together raise; None when none of them changes anything for users."""
    return max((commit.weight for commit in commits if commit.weight), default=None)


def notes(commits: Iterable[Commit]) -> str:
    """What users should know, as the body of a changelog section; empty when that is nothing."""
    found: dict[str, list[str]] = {"Breaking": [], "Added": [], "Changed": [], "Fixed": []}
    for commit in commits:
        scope = f"{commit.scope}: " if commit.scope else ""
        if commit.breaking:
            found["Breaking"].append(f"- {scope}{commit.breaking}")
        if commit.kind in _SECTIONS and commit.breaking != commit.what:
            found[_SECTIONS[commit.kind]].append(f"- {scope}{commit.what}")
    return "\n\n".join(
        f"### {title}\n\n" + "\n".join(dict.fromkeys(lines))
        for title, lines in found.items()
        if lines
    )
