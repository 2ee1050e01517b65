"""How an image is written, read as Docker reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.images.reference import Reference, parse

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("redis", Reference("docker.io", "library/redis", "latest")),
        ("redis:7", Reference("docker.io", "library/redis", "7")),
        ("team/app:v1.2", Reference("docker.io", "team/app", "v1.2")),
        ("localhost/app", Reference("localhost", "app", "latest")),
        ("reg.test/app", Reference("reg.test", "app", "latest")),
        ("reg:5000/team/app:v1", Reference("reg:5000", "team/app", "v1")),
        (f"reg.test/app@{DIGEST}", Reference("reg.test", "app", "latest", DIGEST)),
        (f"reg:5000/app:v1@{DIGEST}", Reference("reg:5000", "app", "v1", DIGEST)),
    ],
)
def test_a_reference_is_read_as_docker_reads_it(text, reference):
    """No server means Docker Hub, no tag means latest, a port is no tag."""
    assert parse(text) == reference


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis", "docker.io/library/redis:latest"),
        ("reg:5000/app:v1", "reg:5000/app:v1"),
        (f"reg:5000/app:v1@{DIGEST}", f"reg:5000/app@{DIGEST}"),
    ],
)
def test_it_is_shown_by_what_decides(text, shown):
    """A digest outweighs the tag beside it."""
    assert str(parse(text)) == shown


NAME = st.from_regex(r"[a-z0-9]+([._-][a-z0-9]+)?", fullmatch=True)
TAG = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)


@given(NAME, NAME, TAG)
def test_what_is_written_is_read_back(path, name, tag):
    """A reference's own text means the same reference."""
    reference = Reference("reg.test:5000", f"{path}/{name}", tag)
    assert parse(str(reference)) == reference
