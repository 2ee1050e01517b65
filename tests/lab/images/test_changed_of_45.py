"""A repository of 45 services: one changed leaf builds and pushes itself and its dependents."""

import subprocess
import sys

import pytest

from tests.lab.builder import Sources
from tests.lab.hosts import ROOT

DEPENDENTS = {"leaderboard", "matchmaking", "gateway"}


@pytest.fixture
def game(lab, builder, docker_config, tmp_path, unscanned):
    folder = tmp_path / "game"
    generator = str(ROOT / "examples/gaming/generate.py")
    subprocess.run([sys.executable, generator, str(folder)], check=True, timeout=60)
    one = Sources(folder, lab, builder, docker_config, "gaming")
    file = folder / "deploy/fairlead.toml"
    text = file.read_text().replace("/gaming/", f"/{tmp_path.name}/")  # its own repositories
    file.write_text(f'{text}\n[build]\nbuilder = "{builder}"\n')
    base = f"{lab.registry}/lab/python:3.13-slim"
    (folder / ".env").write_text(f"LAB_REGISTRY={lab.registry}\nLAB_HOST=none\nBASE={base}\n")
    voice = folder / "services/voice/Dockerfile"  # the compose file names the base of the others
    voice.write_text(voice.read_text().replace("python:3.13-slim", base))
    one.git("init", "-q", "-b", "main")
    one.commit("feat: a game")
    return one


def change(game, *names):
    for name in names:
        with (game.folder / "services" / name / "service.py").open("a") as file:
            file.write("# changed\n")
    return game.commit(f"fix: {names}")


def test_a_leaf_and_what_is_built_from_it_and_nothing_else(game):
    change(game, "leaderboard")
    built = game.inv("build", "--changed", "--json", FAIRLEAD_BASE="HEAD~1").ok().result
    assert set(built["digests"]) == DEPENDENTS
    pushed = game.inv("push", "--changed", "--json", FAIRLEAD_BASE="HEAD~1").ok().result
    assert pushed["digests"] == built["digests"]

    before = game.git("rev-parse", "HEAD~1")
    change(game, "voice")  # a leaf that is deployed nowhere: it has no repository
    leaf = game.inv("build", "--changed", "--json", FAIRLEAD_BASE="HEAD~1").ok().result
    assert set(leaf["digests"]) == {"voice"}
    none = game.inv("push", "--changed", FAIRLEAD_BASE="HEAD~1").ok()
    assert "no repository, so not pushed: voice" in none.err
    assert "nothing pushed" in none.out

    rest = game.inv("build", "--changed", "--plan", "--json", FAIRLEAD_BASE=before).ok()
    assert all(f'"{name}"' in rest.out for name in {*DEPENDENTS, "voice"})
    assert '"chat"' not in rest.out
