"""What there is to build follows from the files; what cannot be built well is refused."""

import subprocess

import pytest

from fairlead.config.building import load_building
from fairlead.errors import ConfigError
from fairlead.images.recipe import buildables
from fairlead.services.declared import RepositoryService


def building(root, toml="", files=("api/Dockerfile", "web/Dockerfile")):
    (root / "deploy").mkdir()
    (root / "deploy/fairlead.toml").write_text(f'app = "shop"\n{toml}')
    for name in files:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("FROM scratch\n")
    return load_building(root, "", {})


def test_a_declared_source_is_built_in_its_folder(tmp_path):
    project = building(
        tmp_path, '[services.api]\nimage = "r.test/api"\nport = 80\nhealth = "/up"\n'
    )
    (one,) = buildables(
        project, [RepositoryService("api", "api"), RepositoryService("lib", "lib")], "t"
    )
    assert (one.image, one.context, one.dockerfile) == (
        "r.test/api",
        tmp_path / "api",
        tmp_path / "api/Dockerfile",
    )
    assert (one.port, one.health) == (80, "/up")


needs_compose = pytest.mark.skipif(
    bool(subprocess.run(["docker", "compose", "version"], capture_output=True).returncode),
    reason="no Compose plugin here",
)


def compose(root, build):
    text = f"services: {{api: {{image: api, build: {build}}}}}\n"
    (root / "deploy/compose.yaml").write_text(text)


@needs_compose
def test_the_compose_file_says_how_it_is_built_and_the_path_only_what_changes_it(tmp_path):
    """The context may be wider than the folder whose changes are the service's."""
    project = building(tmp_path, '[services.api]\nimage = "r.test/api"\n')
    compose(tmp_path, "{context: .., dockerfile: web/Dockerfile}")
    (one,) = buildables(project, [RepositoryService("api", "api")], "v1")
    assert (one.context, one.dockerfile) == (tmp_path, tmp_path / "web/Dockerfile")


@needs_compose
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("additional_contexts", "{lib: ../web}"),
        ("dockerfile_inline", "FROM scratch"),
        ("secrets", "[token]"),
        ("ssh", "[default]"),
        ("labels", "{a: b}"),
    ],
)
def test_a_key_of_build_that_would_be_missing_in_the_image_is_refused(tmp_path, key, value):
    project = building(tmp_path)
    file = tmp_path / "deploy/compose.yaml"
    compose(tmp_path, f"{{context: ../api, {key}: {value}}}")
    file.write_text(file.read_text() + "secrets: {token: {file: ./token}}\n")
    with pytest.raises(ConfigError) as caught:
        buildables(project, [], "v1")
    assert f"services.api.build.{key}: is not taken into account" in caught.value.why[0]


@needs_compose
def test_what_shapes_no_image_is_not_asked_for(tmp_path):
    project = building(tmp_path, '[build.services.api]\nsecrets = { token = "env:TOKEN" }\n')
    file = tmp_path / "deploy/compose.yaml"
    compose(tmp_path, "{context: ../api, cache_from: [a], pull: true, secrets: [token]}")
    file.write_text(file.read_text() + "secrets: {token: {file: ./token}}\n")
    (one,) = buildables(project, [], "v1")
    assert one.secrets == {"token": "env:TOKEN"}


@needs_compose
def test_a_declared_source_keeps_the_arguments_of_the_compose_file(tmp_path):
    """A base image that one can pull here is written there once, for people and for the build."""
    project = building(tmp_path, '[services.api]\nimage = "r.test/api"\n')
    (tmp_path / "deploy/compose.yaml").write_text(
        "services: {api: {image: api, build: {context: ../api, args: {BASE: 'mine:${TAG}'}}}}\n"
    )
    (one,) = buildables(project, [RepositoryService("api", "api", "Dockerfile")], "v1")
    assert (one.args, one.context) == ({"BASE": "mine:v1"}, tmp_path / "api")


def test_an_argument_that_looks_like_a_secret_is_refused(tmp_path):
    toml = '[build.services.api]\ncontext = "api"\nargs = { NPM_TOKEN = "abc" }\n'
    with pytest.raises(ConfigError, match="problem") as caught:
        buildables(building(tmp_path, toml), [], "t")
    assert "looks like a secret" in caught.value.why[0]
    assert "abc" not in caught.value.why[0]


@pytest.mark.parametrize("value", ["swordfish-of-env", "https://ada:pa55@r.test/simple"])
def test_an_argument_whose_value_is_a_secret_is_refused(tmp_path, value):
    """Whatever it is called: what would be masked in a log stays readable in the image."""
    (tmp_path / ".env").write_text("DB_PASSWORD=swordfish-of-env\n")
    toml = f'[build.services.api]\ncontext = "api"\nargs = {{ INDEX = "{value}" }}\n'
    with pytest.raises(ConfigError) as caught:
        buildables(building(tmp_path, toml), [], "t")
    assert "args.INDEX: looks like a secret" in caught.value.why[0]
    assert value not in caught.value.why[0]


def test_a_base_image_by_its_digest_is_no_secret(tmp_path):
    base = f"r.test/python@sha256:{'0123456789abcdef' * 4}"
    (tmp_path / ".env").write_text(f"BASE={base}\n")
    toml = '[build.services.api]\ncontext = "api"\nargs = { BASE = "${BASE}" }\n'
    (one,) = buildables(building(tmp_path, toml), [], "t")
    assert one.args == {"BASE": base}


def test_a_dockerfile_that_is_not_there_is_named(tmp_path):
    toml = '[build.services.api]\ncontext = "api"\ndockerfile = "Other"\n'
    with pytest.raises(ConfigError) as caught:
        buildables(building(tmp_path, toml), [], "t")
    assert "no such file: api/Other" in caught.value.why[0]


def test_a_declared_dockerfile_that_is_not_there_is_named(tmp_path):
    """A typing mistake is not a service without an image."""
    sources = [RepositoryService("api", "api"), RepositoryService("web", "web", "Dockerfil")]
    with pytest.raises(ConfigError) as caught:
        buildables(building(tmp_path), sources, "t")
    assert "no such file: web/Dockerfil" in caught.value.why[0]


def test_services_of_one_image_are_built_once(tmp_path):
    toml = '[services.api]\nimage = "r.test/a"\n[services.worker]\nimage = "r.test/a"\n'
    toml += '[build.services.api]\ncontext = "api"\n[build.services.worker]\ncontext = "api"\n'
    (one,) = buildables(building(tmp_path, toml), [], "t")
    assert one.services == ("api", "worker")


def test_one_image_made_in_two_ways_is_refused(tmp_path):
    toml = '[services.api]\nimage = "r.test/a"\n[services.web]\nimage = "r.test/a"\n'
    toml += '[build.services.api]\ncontext = "api"\n[build.services.web]\ncontext = "web"\n'
    with pytest.raises(ConfigError) as caught:
        buildables(building(tmp_path, toml), [], "t")
    assert "in another way than api" in caught.value.why[0]


def test_a_recipe_for_nothing_is_named(tmp_path):
    with pytest.raises(ConfigError) as caught:
        buildables(building(tmp_path, "[build.services.apii]\ncross = true\n"), [], "t")
    assert "names nothing that is built" in caught.value.why[0]


def test_a_recipe_of_one_service_is_that_of_its_image(tmp_path):
    """The other services that run it need not repeat it."""
    toml = '[services.api]\nimage = "r.test/a"\n[services.web]\nimage = "r.test/a"\n'
    toml += '[build.services.api]\ncontext = "api"\nargs = { BASE = "x" }\n'
    sources = [RepositoryService("api", "api"), RepositoryService("web", "api")]
    (one,) = buildables(building(tmp_path, toml), sources, "t")
    assert (one.services, dict(one.args)) == (("api", "web"), {"BASE": "x"})
