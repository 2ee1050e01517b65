"""What is declared for local work needs no environment, no host and no deploy folder."""

import pytest
from small_project import BASE

from fairlead.config import load_repository
from fairlead.config.local import checks_hash
from fairlead.errors import ConfigError


def declared(root, text: str):
    (root / "deploy").mkdir()
    (root / "deploy/fairlead.toml").write_text(text)
    return root


def test_a_bare_folder_has_the_defaults(tmp_path):
    assert load_repository(tmp_path, {}).lint.timeout == 300.0


def test_the_root_is_where_it_is_declared_seen_from_any_folder(tmp_path):
    declared(tmp_path, BASE + '[lint]\ntools = ["ruff"]\n')
    (tmp_path / "src/deep").mkdir(parents=True)
    repository = load_repository(tmp_path / "src/deep", {})
    assert repository.root == tmp_path
    assert repository.lint.tools == ("ruff",)


VARIABLE = '[test.services.redis]\nimage = "${REDIS_IMAGE%s}"\n'


def test_what_checks_hold_under_is_what_is_written_whatever_variables_are_set(tmp_path):
    """The job that deploys has other ones than the job that tests, or none."""
    declared(tmp_path, BASE + VARIABLE % ":-redis:8")
    told = {load_repository(tmp_path, {"REDIS_IMAGE": one}).checks_hash for one in ("a", "b")}
    assert told == {checks_hash(tmp_path)}
    (tmp_path / "deploy/fairlead.toml").write_text(BASE + VARIABLE % "")
    assert checks_hash(tmp_path) not in told


def test_a_fault_in_another_table_stops_no_linting(tmp_path):
    assert load_repository(declared(tmp_path, 'strategy = "wrong"\nhosts = 3\n'), {}).root


def test_every_fault_of_the_local_tables_is_told(tmp_path):
    declared(tmp_path, '[lint]\ntool = ["ruff"]\ntimeout = 5\n')
    with pytest.raises(ConfigError) as told:
        load_repository(tmp_path, {})
    assert [problem.path for problem in told.value.problems] == ["lint.tool", "lint.timeout"]
