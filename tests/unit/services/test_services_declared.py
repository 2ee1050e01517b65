"""What a repository declares, in either of the two places, with every fault told at once."""

import json

import pytest

from fairlead.config import load, load_repository
from fairlead.errors import ConfigError
from fairlead.services.declared import RepositoryService, read_declaration

TOML = """\
app = "shop"
[services.api]
path = "services/api"
language = "python"
test_command = "pytest tests"
depends_on = ["models"]
image = "${REGISTRY}/api"
replicas = "a fault of the roll-out"
[services.models]
path = "./libs//models/"
[services.redis]
stateful = true
"""


def at(root, *folders: str, **files: str):
    for folder in folders:
        (root / folder).mkdir(parents=True)
    for name, text in files.items():
        path = root / {"toml": "deploy/fairlead.toml", "json": "services.json"}[name]
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return load_repository(root, {})


def problems(repository) -> list[str]:
    with pytest.raises(ConfigError) as told:
        read_declaration(repository)
    return [str(problem) for problem in told.value.problems]


def test_tables_with_a_path_are_services_whatever_else_is_wrong_with_them(tmp_path):
    repository = at(tmp_path, "services/api", "libs/models", toml=TOML)
    assert read_declaration(repository).services == (
        RepositoryService(
            "api", "services/api", language="python", test_command="pytest tests",
            depends_on=("models",),
        ),
        RepositoryService("models", "libs/models"),
    )  # fmt: skip


def test_services_json_has_the_keys_one_knows(tmp_path):
    entry = {
        "name": "service-name",
        "path": "services/service_name",
        "dockerfile": "Dockerfile.nats",
        "language": "python",
        "test_command": "pytest tests",
    }
    found = read_declaration(
        at(tmp_path, "services/service_name", json=json.dumps([entry]))
    ).services
    assert found == (RepositoryService(**entry),)
    assert found[0].listed() == {**entry, "depends_on": []}


def test_every_fault_is_told_with_its_place(tmp_path):
    entries = [
        {"name": "api", "path": "services/api", "depends_on": ["modles", "api"]},
        {"name": "models", "path": "../models"},
        {"name": "gone", "path": "gone", "lang": "python"},
        {"path": "x"},
    ]
    told = problems(at(tmp_path, "services/api", json=json.dumps(entries)))
    assert any("services[1].path: must be a path inside the repository" in one for one in told)
    assert any("services[2].lang: unknown key (did you mean `language`?)" in one for one in told)
    assert any("services[3].name: is required" in one for one in told)
    assert any("no such folder: gone" in one for one in told)
    assert any("no service `modles` is declared (did you mean `models`?)" in one for one in told)
    assert any("names the service itself" in one for one in told)


@pytest.mark.parametrize(
    "text", ["", "{", "3", "[3]", '{"services": 3}', '{"service": []}', "[[]]"]
)
def test_a_file_that_is_no_list_of_services_is_refused(tmp_path, text):
    assert problems(at(tmp_path, json=text))


def test_a_service_is_declared_in_one_place_and_once(tmp_path):
    entries = [{"name": "api", "path": "services/api"}] * 2
    repository = at(tmp_path, "services/api", "libs/models", toml=TOML, json=json.dumps(entries))
    told = problems(repository)
    assert "services.json: api: is declared twice" in told
    assert any("services.models: its source is declared in services.json" in one for one in told)


def test_a_library_is_no_part_of_a_roll_out_and_source_is_no_part_of_its_hash(tmp_path):
    text = 'app = "shop"\n[services.api]\nimage = "r.test/api"\n'
    at(tmp_path, "services/api", toml=text)
    (tmp_path / "deploy/compose.yaml").touch()
    (tmp_path / "deploy/staging.toml").write_text('[hosts.a]\naddress = "a"\n')
    before = load(tmp_path, "staging", {})
    at(tmp_path, toml=text + 'path = "services/api"\ntest_command = "make"\n')
    after = load(tmp_path, "staging", {})
    assert after.config_hash == before.config_hash
    at(tmp_path, toml=text + '[services.models]\npath = "m"\nlanguage = "c"\n')
    services = load(tmp_path, "staging", {}).services
    assert {name: one.rolled_out for name, one in services.items()} == {
        "api": True,
        "models": False,
    }


def test_an_environment_says_nothing_of_source(tmp_path):
    at(tmp_path, toml='app = "shop"\n[services.api]\npath = "api"\n')
    (tmp_path / "deploy/compose.yaml").touch()
    over = '[hosts.a]\naddress = "a"\n[services.api]\npath = "b"\nport = 80\n'
    (tmp_path / "deploy/staging.toml").write_text(over)
    with pytest.raises(ConfigError, match="1 problem") as told:
        load(tmp_path, "staging", {})
    assert told.value.problems[0].path == "services.api.path"
