"""Versions, commit messages and changelogs as texts; no git, no files."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fairlead.versions import changelog
from fairlead.versions.commits import Commit, notes, read, weight
from fairlead.versions.semver import Part, Version


@pytest.mark.parametrize(
    ("old", "part", "new"),
    [
        ("1.4.2", Part.PATCH, "1.4.3"),
        ("1.4.2", Part.MINOR, "1.5.0"),
        ("1.4.2", Part.MAJOR, "2.0.0"),
        ("0.4.2", Part.PATCH, "0.4.3"),
        ("0.4.2", Part.MINOR, "0.5.0"),
        ("0.4.2", Part.MAJOR, "0.5.0"),
    ],
)
def test_what_follows_a_change(old, part, new):
    assert str(Version.parse(old).after(part)) == new


def test_one_dot_nought_is_a_decision():
    assert str(Version.parse("0.4.2").raised(Part.MAJOR)) == "1.0.0"


@pytest.mark.parametrize(
    "text", ["", "1", "1.2", "v1.2.3", "01.2.3", "1.2.3-rc.1", "1.2.3\n", "1.2.3.4"]
)
def test_what_is_no_version(text):
    with pytest.raises(ValueError, match="must be a version"):
        Version.parse(text)


@pytest.mark.parametrize(
    ("message", "commit"),
    [
        ("feat: more", Commit("feat", "more")),
        ("Fix(api): less\n\nbody", Commit("fix", "less", "api")),
        ("feat!: other", Commit("feat", "other", breaking="other")),
        ("chore(x)!: drop", Commit("chore", "drop", "x", "drop")),
        ("fix: a\n\nBREAKING CHANGE: b", Commit("fix", "a", breaking="b")),
        ("fix: a\n\nBREAKING-CHANGE: b", Commit("fix", "a", breaking="b")),
        ("fix: a\n\nno breaking change: b", Commit("fix", "a")),
        ("Merge it", Commit("", "Merge it")),
        ("feat:nospace", Commit("", "feat:nospace")),
        ("WIP: x", Commit("wip", "x")),
    ],
)
def test_a_message_is_understood(message, commit):
    assert read(message) == commit


def test_the_heaviest_change_decides():
    messages = ["docs: a", "fix: b", "feat: c", "chore: d"]
    assert weight(map(read, messages)) is Part.MINOR
    assert weight(map(read, ["docs: a", "chore: d", "nothing"])) is None
    assert weight(map(read, [*messages, "docs!: e"])) is Part.MAJOR


def test_notes_are_what_users_should_know():
    messages = ["feat(api): list orders", "fix: rounding", "chore: lint", "feat!: no XML any more"]
    assert notes(map(read, messages)) == (
        "### Breaking\n\n- no XML any more\n\n"
        "### Added\n\n- api: list orders\n\n### Fixed\n\n- rounding"
    )


LOG = """\
# Changelog

Words.

## [Unreleased]: 1.5.0

### Added

- more

## [1.4.2] - 2026-01-02

- less

[Unreleased]: https://github.com/a/b/compare/v1.4.2...HEAD
[1.4.2]: https://github.com/a/b/releases/tag/v1.4.2
"""


def test_unreleased_becomes_the_version_and_the_rest_stays():
    body = changelog.unreleased(LOG)
    assert body == "### Added\n\n- more"
    assert changelog.released(LOG, "1.5.0", "v1.5.0", "2026-02-03", body) == LOG.replace(
        "## [Unreleased]: 1.5.0", "## [Unreleased]\n\n## [1.5.0] - 2026-02-03"
    ).replace(
        "v1.4.2...HEAD",
        "v1.5.0...HEAD\n[1.5.0]: https://github.com/a/b/compare/v1.4.2...v1.5.0",
    )


def test_a_section_is_found_by_its_version():
    assert changelog.section(LOG, "1.4.2") == "- less"
    assert changelog.section(LOG, "1.4") == ""
    assert changelog.section(LOG, "1.4.20") == ""


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", "# Changelog\n"),
        (
            "# Changes\n\n## 1.0.0\n\nold\n",
            "# Changes\n\n## [1.1.0] - 2026-02-03\n\n- new\n\n## 1.0.0\n",
        ),
        ("# Changes\n", "# Changes\n\n## [1.1.0] - 2026-02-03\n\n- new\n"),
        ("## Unreleased\n", "## [Unreleased]\n\n## [1.1.0] - 2026-02-03\n\n- new\n"),
    ],
)
def test_a_changelog_of_another_shape_gets_its_section(text, start):
    told = changelog.released(text, "1.1.0", "v1.1.0", "2026-02-03", "- new")
    assert told.startswith(start)
    assert changelog.section(told, "1.1.0") == "- new"
    assert all(line in told for line in text.splitlines() if "Unreleased" not in line)


@given(some.lists(some.sampled_from(["- a", "text", "### Added", "", "[x]: https://x.test"])))
def test_a_release_can_be_read_back_and_the_next_one_too(lines):
    body = "\n".join(lines).strip()
    once = changelog.released("", "1.0.0", "v1.0.0", "2026-01-01", body)
    twice = changelog.released(once, "1.1.0", "v1.1.0", "2026-01-02", "- next")
    assert changelog.section(twice, "1.1.0") == "- next"
    assert twice.count("## [Unreleased]") == 1
    assert twice.index("## [1.1.0]") < twice.index("## [1.0.0]")
