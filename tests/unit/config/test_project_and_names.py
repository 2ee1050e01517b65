"""Where a project is, what it declares, and how a release may be named."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.config import environment_names, find_root, validate_release_reference, validate_tag
from fairlead.config.project import require_environment
from fairlead.errors import UsageError


def test_the_root_is_found_from_below(project):
    root = project()
    below = root / "a/b"
    below.mkdir(parents=True)
    assert find_root(below, {}) == root
    assert find_root(root, {}) == root


def test_a_folder_outside_any_project_is_told(tmp_path):
    with pytest.raises(UsageError) as caught:
        find_root(tmp_path, {})
    assert str(tmp_path) in caught.value.what
    assert "init" in caught.value.next_step


def test_the_root_may_be_named(project, tmp_path_factory):
    root, elsewhere = project(), tmp_path_factory.mktemp("elsewhere")
    assert find_root(elsewhere, {"FAIRLEAD_ROOT": str(root)}) == root
    with pytest.raises(UsageError, match="FAIRLEAD_ROOT"):
        find_root(root, {"FAIRLEAD_ROOT": str(elsewhere)})


def test_environments_are_the_other_files(project):
    others = ("deploy/exclusions.toml", "deploy/Not-one.toml", "deploy/x.yaml")
    root = project(**{"deploy/production.toml": "", **dict.fromkeys(others, "")})
    assert environment_names(root) == ("production", "staging")


GRAMMAR = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
ODD = st.text(st.sampled_from("aZ0_.-/:@ $;`'\"\n\\é"), max_size=140)


@given(st.one_of(ODD, st.from_regex(GRAMMAR, fullmatch=True)))
def test_a_tag_is_what_dockers_grammar_says(tag):
    if GRAMMAR.fullmatch(tag):
        assert validate_tag(tag) == tag
    else:
        with pytest.raises(UsageError) as caught:
            validate_tag(tag)
        assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["20251202-143022", "0007-v2.5.0", "v2.5.0", "main-1a2b3c4"])
def test_releases_are_named_by_timestamp_id_or_tag(text):
    assert validate_release_reference(text) == text


@given(ODD)
def test_no_reference_leaves_the_folder_or_means_more_to_a_shell(text):
    try:
        accepted = validate_release_reference(text)
    except UsageError:
        return
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", accepted)
    assert ".." not in accepted
    assert accepted[0] not in ".-"


@pytest.mark.parametrize(
    ("tag", "fault"),
    [
        ("", "empty"),
        ("a b", "' '"),
        ("-rf", "begins with '-'"),
        ("a;reboot", "';'"),
        ("x" * 129, "129 characters"),
        ("v1\n", "'\\n'"),
    ],
)
def test_the_fault_is_named(tag, fault):
    with pytest.raises(UsageError) as caught:
        validate_tag(tag)
    assert fault in caught.value.why[0]


@pytest.mark.parametrize("name", ["exclusions", "Nothing"])
def test_what_cannot_name_an_environment_leads_to_those_that_do(tmp_path, name):
    with pytest.raises(UsageError) as told:
        require_environment(name, tmp_path, ("production", "staging"))
    assert told.value.next_step == "--env=<production|staging>"
    assert "exclusions" in told.value.why[-1]


def test_an_environment_that_could_be_is_written_or_another_is_named(tmp_path):
    with pytest.raises(UsageError) as told:
        require_environment("qa", tmp_path, ("production", "staging"))
    assert told.value.next_step == "write deploy/qa.toml, or --env=<production|staging>"
