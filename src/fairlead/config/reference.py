"""reference.toml: the documentation of every key, for people and for the files init writes."""

from functools import cache
from pathlib import Path

from fairlead.config.toml_lines import KeyPath, key_lines


@cache
def reference() -> str:
    """The annotated reference, as a person reads it."""
    return Path(__file__).with_name("reference.toml").read_text(encoding="utf-8")


def comment_of(path: KeyPath) -> str:
    """What stands above a key or a table in the reference, as one paragraph."""
    lines = reference().splitlines()
    above = key_lines(reference())[path] - 1  # index of the key's own line
    first = above
    while first > 0 and lines[first - 1].startswith("# "):
        first -= 1
    return " ".join(line.removeprefix("# ") for line in lines[first:above])
