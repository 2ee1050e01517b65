"""Tags follow from where a commit stands, and from nothing else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.images.tags import LATEST, Standing, is_moving, tags

SHA = "0123456789abcdef0123456789abcdef01234567"
SHORT = SHA[:12]
VALID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")  # OCI distribution specification 1.1

numbers = st.integers(0, 40).map(str)
versions = st.builds(
    "v{}.{}.{}{}".format, numbers, numbers, numbers, st.sampled_from(["", "-rc.1", "+b7"])
)
standings = st.builds(
    Standing,
    commit=st.text("0123456789abcdef", min_size=40, max_size=40),
    branch=st.one_of(st.just("main"), st.just(""), st.text(max_size=300)),
    versions=st.lists(st.one_of(versions, st.text(max_size=20)), max_size=4).map(tuple),
    dirty=st.booleans(),
)


@given(standings)
def test_every_tag_is_valid_and_there_once(standing):
    found = tags(standing)
    assert found
    assert len(set(found)) == len(found)
    assert all(VALID.fullmatch(tag) for tag in found)


@given(standings)
def test_the_first_tag_never_moves_and_names_the_commit_or_a_version(standing):
    """Only what nobody committed has no name that stays."""
    first = tags(standing)[0]
    assert is_moving(first) == standing.dirty
    assert standing.commit[:12] in first or first.replace("_", "+") in standing.versions


@given(standings)
def test_only_main_without_changes_is_latest_unless_its_newest_version_is_a_prerelease(standing):
    first = tags(standing)[0]
    expected = standing.branch == "main" and not standing.dirty and not first.endswith("-rc.1")
    assert (LATEST in tags(standing)) == expected


@given(standings)
def test_a_version_stands_instead_of_branch_and_commit(standing):
    """An image says its version, so the two are different images: one name each."""
    first, *others = tags(standing)
    assert not any(standing.commit[:12] in tag for tag in others) or standing.commit[:12] in first


@given(standings)
def test_uncommitted_changes_get_one_tag_that_says_so(standing):
    found = tags(standing)
    if standing.dirty:
        assert len(found) == 1
        assert found[0].endswith(f"{standing.commit[:12]}-dirty")


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (Standing(SHA, "main"), (f"main-{SHORT}", "latest")),
        (Standing(SHA, "feature/ÜX #7"), (f"feature-X-7-{SHORT}",)),
        (Standing(SHA, "main", dirty=True), (f"main-{SHORT}-dirty",)),
        (Standing(SHA, "", ("v1.2.3",)), ("v1.2.3", "v1.2", "v1")),
        (Standing(SHA, "", ("v1.2.3-rc.1",)), ("v1.2.3-rc.1",)),
        (Standing(SHA, "main", ("v1.2.3-rc.1",)), ("v1.2.3-rc.1",)),
        (Standing(SHA, "main", ("v2.0.0",)), ("v2.0.0", "v2.0", "v2", "latest")),
        (
            Standing(SHA, "main", ("v1.2.3-rc.1", "v1.2.3")),
            ("v1.2.3", "v1.2", "v1", "v1.2.3-rc.1", "latest"),
        ),
        (Standing(SHA, "", ("v1.2.9",), released=("v1.2.9", "v1.3.0")), ("v1.2.9", "v1.2")),
        (Standing(SHA, "", ("v1.2.9",), released=("v1.2.10", "v2.0.0")), ("v1.2.9",)),
        (Standing(SHA, "", ("v1.2.9",), released=("v1.3.0-rc.1",)), ("v1.2.9", "v1.2", "v1")),
        (Standing(SHA, "", ("1.2.3", "v9.0.0"), prefix=""), ("1.2.3", "1.2", "1")),
        (Standing(SHA, "", ("app/v1.2.3",), prefix="app/v"), ("app-v1.2.3", "app-v1.2", "app-v1")),
        (Standing(SHA, "", ("nightly",)), (f"detached-{SHORT}",)),
        (Standing(SHA, "", ("v1.9.0", "v1.10.0")), ("v1.10.0", "v1.10", "v1", "v1.9.0", "v1.9")),
    ],
)
def test_tags_of(standing, expected):
    assert tags(standing) == expected


@pytest.mark.parametrize("prefix", ["", "app/v"])
def test_which_tags_move_with_another_prefix(prefix):
    version, minor, major = tags(Standing(SHA, "", (f"{prefix}1.2.3",), prefix=prefix))
    assert [is_moving(tag, prefix) for tag in (version, minor, major)] == [False, True, True]


def test_which_tags_move():
    """What has uncommitted changes is never twice the same, so its tag goes with the last."""
    dirty = f"main-{SHORT}-dirty"
    fixed = ("v1.2.3", "v1.2.3-dirty", f"main-{SHORT}")
    moving = ["latest", "v1", "v1.2", dirty]
    assert [tag for tag in (*moving, *fixed) if is_moving(tag)] == moving
