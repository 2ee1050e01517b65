"""What an image is made from outside of its service's folder is its service's, too."""

import subprocess

import pytest

from fairlead.config.building import load_building
from fairlead.images.recipe import buildables

TOML = 'app = "a"\n'
RECIPE = "[build.services.api]\n"
IMAGE = "docker/api.Dockerfile"
LAYOUTS = {
    "a Dockerfile elsewhere, all as context": (
        RECIPE + f'context = "."\ndockerfile = "{IMAGE}"',
        "",
        [IMAGE, f"{IMAGE}.dockerignore", ".dockerignore"],
    ),
    "a Dockerfile elsewhere, no context": (RECIPE + f'dockerfile = "{IMAGE}"', "", [IMAGE]),
    "a folder elsewhere": (RECIPE + 'context = "docker"', "", ["docker/Dockerfile", "docker/x/y"]),
    "a folder above": (RECIPE + 'context = "services"', "", ["services/shared/x.py"]),
    "the compose file's": ("", "build: ../docker", ["docker/Dockerfile", "docker/x"]),
    "the compose file's, all as context": (
        "",
        f"build: {{ context: .., dockerfile: {IMAGE} }}",
        [IMAGE, ".dockerignore"],
    ),
    "the compose file's, beside an own Dockerfile": (
        "",
        f"build: {{ context: .., dockerfile: {IMAGE} }} # own",
        [IMAGE],
    ),
    "the compose file's, with a recipe": (
        RECIPE + 'dockerfile = "api.Dockerfile"',
        "build: ../docker",
        ["docker/api.Dockerfile", "docker/x"],
    ),
}


@pytest.fixture
def made(repo):
    def make(toml: str, build: str):
        here = repo([{"name": "api", "path": "services/api"}, {"name": "web", "path": "web"}])
        here.write("deploy/fairlead.toml", TOML + toml)
        here.write("deploy/compose.yaml", f"services:\n  api:\n    {build or 'image: x'}\n")
        for file in ("docker/Dockerfile", "docker/api.Dockerfile", "services/Dockerfile"):
            here.write(file, "FROM scratch\n")
        if "# own" in build:
            here.write("services/api/Dockerfile", "FROM scratch\n")
        here.commit()
        return here

    return make


@pytest.mark.parametrize(("toml", "build", "files"), LAYOUTS.values(), ids=LAYOUTS)
def test_a_change_to_what_its_image_is_made_from_selects_a_service(made, toml, build, files):
    here = made(toml, build)
    for file in files:
        here.write(file, f"changed {file}")
        assert here.names("HEAD") == ["api"], file
        here.commit()


@pytest.mark.skipif(
    bool(subprocess.run(["docker", "compose", "version"], capture_output=True).returncode),
    reason="no Compose plugin here",
)
@pytest.mark.parametrize(("toml", "build", "files"), LAYOUTS.values(), ids=LAYOUTS)
def test_the_dockerfile_that_build_takes_is_its_service_s(made, toml, build, files):
    """Two rooms say where an image is made; they may not differ."""
    here = made(toml, build)
    (one,) = buildables(load_building(here.root, "", {}), here.declaration().services, "v1")
    here.write(str(one.dockerfile.relative_to(here.root)), "changed")
    assert here.names("HEAD") == ["api"]


def test_a_context_of_everything_makes_nothing_else_its_own_but_it_is_told(made):
    here = made(f'{RECIPE}context = "."\ndockerfile = "{IMAGE}"', "")
    here.write("README.md", "changed")
    found = here.since("HEAD")
    assert found.services == ()
    assert found.left_out == "changed, but of no service: 1 file (README.md)"


def test_a_context_with_a_variable_is_taken_for_everything(made):
    here = made("", "build: ${WHERE}")
    here.write(".dockerignore", "changed")
    assert here.names("HEAD") == ["api"]


def test_a_file_that_is_in_the_folder_and_in_the_context_is_one_cause(made):
    here = made(RECIPE + 'context = "services"', "")
    here.write("services/api/code.py", "changed")
    (api,) = here.since("HEAD").services
    assert api.why == ("services/api/code.py changed",)


@pytest.mark.parametrize("text", ["services: null", "services: {api: build}", "- [ build"])
def test_a_compose_file_that_is_none_is_left_to_others(made, text):
    here = made("", "")
    here.write("deploy/compose.yaml", text)
    assert here.names("HEAD") == []
