"""A changelog as keepachangelog.com has it: sections found, one released. Texts in, texts out."""

import re

_HEADING = re.compile(r"^## .*$", re.M)
_UNRELEASED = re.compile(r"^## +\[?unreleased\]?(?![\w-]).*$", re.M | re.I)
_LINK = re.compile(r"^\[unreleased\]: *(?P<to>\S+/compare/)(?P<old>\S+?)\.\.\.HEAD *$", re.M | re.I)
_LINKS = re.compile(r"(?:^\[[^\]\n]+\]: *\S+[^\S\n]*\n?)+\s*\Z", re.M)
NEW = """\
# Changelog

All notable changes, as [Keep a Changelog](https://keepachangelog.com/en/1.1.0/) has them.
Versions follow [Semantic Versioning](https://semver.org/).

## [Unreleased]
"""


def section(text: str, version: str) -> str:
    """The body of a version's section, without its heading; empty when there is none."""
    wanted = re.compile(rf"^## +\[?v?{re.escape(version)}\]?(?![\w.-]).*$", re.M)
    return _body(text, wanted)


def unreleased(text: str) -> str:
    """The body of the section Unreleased; empty when there is none, or nothing in it."""
    return _body(text, _UNRELEASED)


def released(text: str, version: str, tag: str, date: str, body: str) -> str:
    """The changelog with `body` as the section of a version, and Unreleased empty above it.

    Everything else stays as it is, but for blank lines around it, and a link
    `[Unreleased]: …/compare/…`, from which the version's own link is made.
    """
    text = text or NEW
    heading = _UNRELEASED.search(text)
    first = heading or _HEADING.search(text)
    start = first.start() if first else _end(text)
    end = _end_of_section(text, heading) if heading else start
    fresh = "## [Unreleased]" if heading else ""
    parts = (text[:start].rstrip("\n"), fresh, f"## [{version}] - {date}", body.strip(), text[end:])
    text = "\n\n".join(part.strip("\n") for part in parts if part.strip("\n")) + "\n"
    return _LINK.sub(
        lambda link: (
            f"[Unreleased]: {link['to']}{tag}...HEAD\n"
            f"[{version}]: {link['to']}{link['old']}...{tag}"
        ),
        text,
    )


def _body(text: str, wanted: re.Pattern[str]) -> str:
    heading = wanted.search(text)
    if not heading:
        return ""
    return text[heading.end() : _end_of_section(text, heading)].strip()


def _end_of_section(text: str, heading: re.Match[str]) -> int:
    following = _HEADING.search(text, heading.end())
    return following.start() if following else max(_end(text), heading.end())


def _end(text: str) -> int:
    """Where the last section ends: before the link definitions at the bottom."""
    links = _LINKS.search(text)
    return links.start() if links else len(text)
