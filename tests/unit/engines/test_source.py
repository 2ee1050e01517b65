"""A compose file as the local Compose reads it: the real plugin answers, no engine runs."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead.engines.compose import source
from fairlead.engines.compose.guess import guess
from fairlead.engines.compose.source import env_file_text, read, require_compose, survey
from fairlead.errors import ConfigError, PreconditionError
from fairlead.model import Secret

LAB = Path(__file__).parents[3] / ".lab/docker"


@pytest.fixture(autouse=True)
def plugin(monkeypatch, tmp_path):
    """The lab's private plugin where there is one; else this machine's."""
    if "DOCKER_CONFIG" not in os.environ and (LAB / "cli-plugins/docker-compose").exists():
        monkeypatch.setenv("DOCKER_CONFIG", str(LAB))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    monkeypatch.chdir(tmp_path)
    try:
        require_compose()
    except PreconditionError as error:
        pytest.skip(f"Compose is not here: {error.what}")


def composed(tmp_path: Path, text: str, variables=None, images=(), **files: str):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "compose.yaml").write_text(text)
    secrets = {key: Secret(value) for key, value in (variables or {}).items()}
    return read(tmp_path / "compose.yaml", secrets, images)


def refused(tmp_path, text, *arguments, **files):
    with pytest.raises(ConfigError) as caught:
        composed(tmp_path, text, *arguments, **files)
    return caught.value.problems


def docker_that(folder: Path, monkeypatch, script: str) -> None:
    """A docker as some machines have it, found instead of this one's."""
    (folder / "docker").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_the_file_is_read_as_compose_reads_it(tmp_path):
    project = composed(
        tmp_path,
        """
        x-common: &common {restart: always}
        services:
          api:
            <<: *common
            image: app:${TAG:-latest}
            ports: ["8000"]
            healthcheck: {test: "curl x", interval: 1m}
        """,
    )
    api = project["services"]["api"]
    assert api["restart"] == "always"
    assert api["image"] == "app:latest"
    assert api["ports"][0]["target"] == 8000
    assert api["healthcheck"]["test"] == ["CMD-SHELL", "curl x"]


def test_nothing_of_the_shell_takes_part(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGE_TAG", "bad")
    monkeypatch.setenv("COMPOSE_FILE", "nowhere.yaml")
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", "bad")
    text = "services: {a: {image: 'app:${IMAGE_TAG:-good}', environment: {H: '${HOME:-none}'}}}"
    project = composed(tmp_path, text, **{".env": "IMAGE_TAG=bad\n"})
    assert project["services"]["a"]["image"] == "app:good"
    assert project["services"]["a"]["environment"] == {"H": "none"}


def test_variables_fill_in(tmp_path):
    text = "services: {a: {image: 'app:${TAG}', environment: [GREETING]}}"
    project = composed(tmp_path, text, {"TAG": "v1", "GREETING": "it's $5"})
    assert project["services"]["a"]["image"] == "app:v1"
    assert project["services"]["a"]["environment"] == {"GREETING": "it's $$5"}


def test_a_service_with_an_env_file_is_marked_and_the_file_is_not_poured_in(tmp_path):
    project = composed(
        tmp_path,
        """
        services:
          a: {image: x, env_file: .env.a, environment: {MINE: 1}}
          b: {image: x, env_file: [{path: not-here.env}]}
          c: {image: x}
          d: {extends: {file: sub/base.yaml, service: base}}
          e: {extends: c}
        """,
        **{
            ".env.a": "LAPTOP=1\n",
            "sub/base.yaml": "services: {base: {image: y, env_file: laptop.env}}",
            "sub/laptop.env": "LAPTOP=1\n",
        },
    )
    services = project["services"]
    assert "LAPTOP" not in json.dumps(project)
    assert services["a"]["environment"] == {"MINE": "1"}
    assert [name for name in services if services[name].get("x-env-file")] == ["a", "b", "d"]


def test_included_files_take_part(tmp_path):
    project = composed(
        tmp_path,
        "include: [inc/compose.yaml]\nservices: {a: {image: x}}",
        **{
            "inc/compose.yaml": "services: {b: {image: y, env_file: e, volumes: ['./d:/d']}}",
            "inc/e": "LAPTOP=1\n",
        },
    )
    assert project["services"]["b"]["x-env-file"] is True
    assert project["services"]["b"]["volumes"][0]["source"] == "inc/d"
    assert "environment" not in project["services"]["b"]


def test_relative_paths_stay_relative_and_only_given_names_are_names(tmp_path):
    project = composed(
        tmp_path,
        """
        services: {a: {image: x, volumes: ["./data:/d", "one:/1", "two:/2", "/abs:/abs"]}}
        volumes: {one: {}, two: {name: mine}}
        """,
    )
    sources = [one["source"] for one in project["services"]["a"]["volumes"]]
    assert sources == ["./data", "one", "two", "/abs"]
    assert "name" not in project["volumes"]["one"]
    assert project["volumes"]["two"]["name"] == "mine"
    assert str(tmp_path) not in json.dumps(project)


def test_a_literal_dollar_is_the_same_after_a_second_reading(tmp_path):
    command = "command: [sh, -c, 'echo $$HOME $$$$ ${V}']"
    text = f"services: {{a: {{image: x, {command}, labels: {{l: '$${{y}}'}}}}}}"
    first = composed(tmp_path, text, {"V": "a$b$$c"})
    again = composed(tmp_path, json.dumps(first))
    assert again["services"] == first["services"]
    assert again["services"]["a"]["command"][2] == "echo $$HOME $$$$ a$$b$$$$c"


def test_every_variable_that_is_set_nowhere_is_a_problem(tmp_path):
    text = """
    services:
      a:
        image: x
        command: "${ONE} ${TWO} ${ONE} ${THREE:-3}"
        environment: [FOUR, "FIVE=${SIX-}"]
    """
    problems = refused(tmp_path, text)
    assert [one.path for one in problems] == ["${ONE}", "${TWO}", "services.a.environment.FOUR"]
    assert all(one.file == "compose.yaml" for one in problems)


def test_a_variable_that_only_names_an_image_given_elsewhere_need_not_be_set(tmp_path):
    text = """
    services:
      a: {image: "${REGISTRY:?needed}/a:${TAG}", build: {context: ., args: {X: "${BUILD}"}}}
      b: {image: "b:${B_TAG}"}
    """
    assert composed(tmp_path, text, {"B_TAG": "1"}, ["a"])["services"]["b"]["image"] == "b:1"
    assert [one.path for one in refused(tmp_path, text, {}, ["a"])] == ["${B_TAG}"]
    both = text.replace('{image: "b:', "{hostname: '${TAG}', image: \"b:")
    assert [one.path for one in refused(tmp_path, both, {"B_TAG": "1"}, ["a"])] == ["${TAG}"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("services: {a: {imge: x}}", "imge"),
        ("services:\n  a:\n    image: x\n   b: y\n", "line "),
        ("services: {a: {image: '${X'}}", "invalid interpolation"),
        ("services: {a: {image: '${NEED:?say which}'}}", "say which"),
        ("services: {a: {image: x, depends_on: [b]}}", "undefined service"),
        ("services: {a: {}}", "neither an image nor a build"),
        ("", "no service"),
    ],
)
def test_what_compose_refuses_is_told_in_its_words(tmp_path, text, words):
    (problem,) = refused(tmp_path, text)
    assert words in problem.message
    assert str(tmp_path) not in str(problem)


def test_a_refusal_does_not_give_a_secret_away(tmp_path):
    text = "services: {a: {image: x, ports: ['${DB_PASSWORD}:1:2:3:4']}}"
    (problem,) = refused(tmp_path, text, {"DB_PASSWORD": "hunter2"})
    assert "hunter2" not in str(problem)


def test_a_missing_file_is_a_problem(tmp_path):
    with pytest.raises(ConfigError) as caught:
        read(tmp_path / "compose.yaml", {})
    assert caught.value.problems[0].message == "no such file"


def test_profiles_are_chosen_by_a_variable(tmp_path):
    text = "services: {a: {image: x}, b: {image: y, profiles: [debug]}}"
    assert list(composed(tmp_path, text)["services"]) == ["a"]
    assert list(composed(tmp_path, text, {"COMPOSE_PROFILES": "debug"})["services"]) == ["a", "b"]


def test_no_secret_is_in_argv_in_the_environment_or_left_behind(tmp_path, monkeypatch):
    seen = []
    real = subprocess.Popen

    def recorded(argv, **options):
        folder = next((Path(one).parent for one in argv if one.endswith("/env")), None)
        if folder:
            modes = [path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())]
            assert modes == [0o700, 0o600, 0o600]
        seen.append((argv, options["env"], folder))
        return real(argv, **options)

    monkeypatch.setattr(source.subprocess, "Popen", recorded)
    composed(tmp_path, "services: {a: {image: x}}", {"TOKEN": "hunter2"})
    assert len(seen) == 2
    for argv, environment, folder in seen:
        assert "hunter2" not in " ".join(argv)
        assert set(environment) == {"DOCKER_CONFIG"}
        assert not (folder and folder.exists())


def test_without_a_plugin_it_is_said_how_to_get_one(tmp_path, monkeypatch):
    docker_that(tmp_path, monkeypatch, "echo 'docker: unknown command: docker compose' >&2; exit 1")
    with pytest.raises(PreconditionError, match="no Compose plugin") as caught:
        composed(tmp_path, "services: {a: {image: x}}")
    assert "install" in caught.value.next_step


def test_without_docker_it_is_said_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PreconditionError, match="no `docker` program"):
        composed(tmp_path, "services: {a: {image: x}}")


def test_an_old_plugin_is_refused(tmp_path, monkeypatch):
    docker_that(tmp_path, monkeypatch, "echo 2.23.3")
    with pytest.raises(PreconditionError, match=r"2\.23\.3; 2\.24 or newer"):
        require_compose()
    with pytest.raises(PreconditionError, match=r"2\.23\.3"):
        composed(tmp_path, "services: {a: {image: x}}")


def test_a_survey_tells_what_is_not_set_and_goes_on(tmp_path):
    (tmp_path / "compose.yaml").write_text(
        """
        services:
          api:
            image: ghcr.io/team/app:${TAG:?set a tag}
            build: .
            ports: ["${PORT}:8000"]
            deploy: {replicas: "${N}"}
            environment: [SECRET_KEY, "A=${SET}"]
          redis: {image: "redis:${REDIS}"}
        """
    )
    found = survey(tmp_path / "compose.yaml", {"SET": Secret("1")})
    assert set(found.unset) == {"TAG", "PORT", "N", "SECRET_KEY", "REDIS"}
    guessed = guess(found.project, "shop")
    assert guessed.images == {"api": "ghcr.io/team/app"}
    assert set(found.required(guessed.images)) == {"PORT", "N", "SECRET_KEY", "REDIS"}


VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(VALUES, min_size=20, max_size=60))
def test_compose_reads_every_value_back_as_it_was(tmp_path, values):
    hard = ["it's", "a\\", "\\'", '"', "$X ${X} $$", "a\nb\r\n", " #x ", "'", "`x`", "é", "\t"]
    variables = {f"V{n}": value for n, value in enumerate(values + hard)}
    environment = {key: f"${{{key}}}" for key in variables}
    body = {"image": "x", "environment": environment}
    project = composed(tmp_path, json.dumps({"services": {"a": body}}), variables)
    given_back = project["services"]["a"]["environment"]
    assert {key: value.replace("$$", "$") for key, value in given_back.items()} == variables


def test_an_env_file_has_one_line_for_each_variable():
    assert env_file_text({"B": Secret("2\n3"), "A": Secret("")}) == 'A=""\nB="2\\n3"\n'
