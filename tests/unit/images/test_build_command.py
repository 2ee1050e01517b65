"""What BuildKit is asked for, and what is left on this machine afterwards."""

from pathlib import Path

import pytest

from fairlead.commands.buildx import Builder
from fairlead.config.building import load_building
from fairlead.images.build import RECORDS, Job, _keep_cache, _prune, command
from fairlead.images.builder import Able
from fairlead.images.recipe import Buildable
from fairlead.images.revision import Revision
from fairlead.images.tags import Standing

COMMIT = "c" * 40


@pytest.fixture
def job(tmp_path):
    """`job(toml)`: a run of `build` with this [build]."""

    def make(toml=""):
        (tmp_path / "deploy").mkdir()
        (tmp_path / "deploy/fairlead.toml").write_text(f'app = "shop"\n[build]\n{toml}\n')
        return Job(
            load_building(tmp_path, "", {}),
            Revision(Standing(COMMIT, "main"), 0, ""),
            Able(Builder(), "docker-container", ("linux/amd64",)),
            lambda event: None,
            lambda names, digest: "passed",
        )

    return make


def image(repository="r.test/api"):
    here = Path("/src/api")
    return Buildable(
        name="api",
        services=("api",),
        image=repository,
        context=here,
        dockerfile=here / "Dockerfile",
    )


def given(job, one, flag):
    argv = command(job, one).argv
    return [argv[at + 1] for at, word in enumerate(argv) if word == flag]


@pytest.mark.parametrize(
    ("kind", "source", "to"),
    [
        ("gha", ["type=gha,scope=api"], ["type=gha,mode=max,ignore-error=true,scope=api"]),
        ("inline", ["type=registry,ref=r.test/api:latest"], ["type=inline"]),
        (
            "registry",
            ["type=registry,ref=r.test/api:buildcache"],
            ["type=registry,mode=max,ignore-error=true,ref=r.test/api:buildcache"],
        ),
    ],
)
def test_where_layers_are_kept_besides_the_builder(job, kind, source, to):
    """A cache that cannot be written fails no build."""
    run = job(f'caches = ["{kind}"]')
    assert given(run, image(), "--cache-from") == source
    assert given(run, image(), "--cache-to") == to


def test_a_cache_in_a_registry_needs_a_repository(job):
    run = job('caches = ["registry"]')
    assert given(run, image(""), "--cache-from") == given(run, image(""), "--cache-to") == []


def test_a_local_cache_is_written_beside_and_takes_the_place_of_the_old(job, tmp_path):
    run, folder = job('caches = ["local"]'), tmp_path / ".fairlead/cache/api"
    to = f"type=local,mode=max,ignore-error=true,dest={folder}.new"
    assert given(run, image(), "--cache-from") == []
    assert given(run, image(), "--cache-to") == [to]
    new = folder.with_name("api.new")
    for content in ("first", "second"):
        new.mkdir(parents=True)
        (new / "index.json").write_text(content)
        _keep_cache(run, image())
        assert (folder / "index.json").read_text() == content
    assert given(run, image(), "--cache-from") == [f"type=local,src={folder}"]
    new.mkdir()  # an export that failed half way
    _keep_cache(run, image())
    assert (folder / "index.json").read_text() == "second"


def test_what_is_kept_of_older_commits_is_so_many(job, tmp_path):
    run = job("keep = 2")
    own = tmp_path / ".fairlead"
    for number in range(RECORDS + 5):
        for name in ("images", "sbom"):
            (own / name / f"{number}").mkdir(parents=True, exist_ok=True)
        (own / "builds").mkdir(exist_ok=True)
        (own / "builds" / f"{number}.json").write_text("{}")
    (own / "builds/.lock").write_text("")
    (own / "images" / COMMIT).mkdir()
    _prune(run)
    counts = {name: len(list((own / name).glob("[!.]*"))) for name in ("images", "sbom", "builds")}
    assert counts == {"images": 2, "sbom": 1, "builds": RECORDS - 1}
    assert (own / "images" / COMMIT).is_dir()
    assert (own / "builds/.lock").exists()
