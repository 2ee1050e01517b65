"""reference.toml is the documentation: it says every key, nothing else, and the true defaults."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest

from fairlead.config import load
from fairlead.config.document import Document
from fairlead.config.loader import Loader, key_of
from fairlead.config.reference import comment_of, reference
from fairlead.config.toml_lines import KeyPath

CHECKS = ("build", "services", "api", "smoke", "checks")
EXAMPLES: dict[
    KeyPath, KeyPath
] = {  # a table of named or listed things → the one that stands for all
    ("services",): ("services", "api"),
    ("hosts",): ("hosts", "staging1"),
    ("smoke",): ("smoke", 0),
    ("gates", "waive"): ("gates", "waive", 0),
    ("test", "suites"): ("test", "suites", "unit"),
    ("test", "services"): ("test", "services", "redis"),
    ("backup", "data"): ("backup", "data", 0),
    ("build", "services"): ("build", "services", "api"),
    CHECKS: (*CHECKS, 0),
}


def schema(cls: type, path: KeyPath = ()) -> Iterator[tuple[KeyPath, type, Field[Any]]]:
    """Every key that holds a value: its path in the reference, and the field behind it."""
    hints = get_type_hints(cls, include_extras=True)
    for one in fields(cls):
        if one.metadata.get("from_key"):
            continue
        here = (*path, key_of(one))
        kind = hints[one.name]
        kinds = () if get_origin(kind) is Annotated else (kind, *get_args(kind))
        inner = [kind for kind in kinds if is_dataclass(kind)]
        if inner:
            yield from schema(inner[0], EXAMPLES.get(here, here))
        else:
            yield here, cls, one


KEYS = [pytest.param(*item, id=".".join(map(str, item[0]))) for item in schema(Document)]


def value_at(path: KeyPath) -> Any:
    value: Any = tomllib.loads(reference())
    for part in path:
        value = value[part]
    return value


def test_the_whole_reference_loads(tmp_path):
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/fairlead.toml").write_text(reference())
    (tmp_path / "deploy/staging.toml").touch()
    (tmp_path / "compose.yaml").touch()
    environment = load(tmp_path, None, {})
    assert environment.key == "agentic-staging"
    assert environment.services["api"].port == 8000
    assert environment.smoke[0].json == {"status": "ok", "redis.connected": True}


@pytest.mark.parametrize(("path", "cls", "one"), KEYS)
def test_every_key_of_the_schema_is_in_it_with_its_meaning(path, cls, one):
    value_at(path)
    assert len(comment_of(path)) > 10


@pytest.mark.parametrize(("path", "cls", "one"), KEYS)
def test_the_default_it_states_is_the_default(path, cls, one):
    comment = comment_of(path)
    default = one.default_factory() if one.default_factory is not MISSING else one.default
    if default is MISSING:
        assert comment.endswith("Required.")
        return
    stated = re.search(r"Default: (.+)\.$", comment)
    assert stated, comment
    if stated[1] == "none":
        assert default is None
        return
    loader = Loader(lambda path: ("reference", None), lambda text: text)
    kind = get_type_hints(cls, include_extras=True)[one.name]
    assert loader.value(kind, tomllib.loads(f"k = {stated[1]}")["k"], ()) == default
    assert loader.problems == []
