"""examples/gaming: 45 services in one repository, six on a host; only what changed moves."""

import subprocess
import sys
from dataclasses import dataclass

import pytest

from tests.lab.builder import BASE, Sources
from tests.lab.hosts import ROOT, Host, clear

REAL = ("chat", "gateway", "inventory", "leaderboard", "matchmaking", "profile")
ALL_REAL = f"--service={','.join(REAL)}"


@dataclass(frozen=True)
class Game:
    """The generated repository, with what a person would do there."""

    sources: Sources
    host: Host

    def inv(self, *words: str) -> dict:
        """The result of a command that succeeds."""
        return self.sources.inv(*words, "--env=staging", "--json").ok().result

    def change(self, name: str) -> str:
        """Commit a change to one service; the tag of its images."""
        with (self.sources.folder / "services" / name / "service.py").open("a") as file:
            file.write("# changed\n")
        return f"main-{self.sources.commit(f'fix({name}): change')[:12]}"

    def build_and_push(self, which: str) -> set[str]:
        """The services whose images were built and pushed."""
        built = self.inv("build", which)["digests"]
        assert self.inv("push", which)["digests"] == built
        return set(built)

    def changed(self) -> dict[str, str]:
        """Service → reason, as the hosts are now."""
        services = self.inv("services.changed")["services"]
        return {one["name"]: one["reason"] for one in services}

    def versions(self) -> dict[str, str]:
        """What each service says of itself, through the router and through the gateway."""
        said = self.host.get("/", "gaming.test").json()
        found: dict[str, str] = {}

        def collect(one: dict) -> None:
            found[one["name"]] = one["version"]
            for other in one["calls"].values():
                collect(other)

        collect(said)
        return found


@pytest.fixture(scope="module")
def game(lab, hosts, builder, docker_config, tmp_path_factory, all_unscanned):
    (host,) = hosts(1)
    folder = tmp_path_factory.mktemp("gaming") / "repository"
    generator = str(ROOT / "examples/gaming/generate.py")
    subprocess.run([sys.executable, generator, str(folder)], check=True, timeout=60)
    with (folder / "deploy/fairlead.toml").open("a") as file:
        file.write(f'\n[build]\nbuilder = "{builder}"\n')
    values = {
        "LAB_REGISTRY": lab.registry,
        "LAB_HOST": host.address,
        "LAB_KEY": lab.key,
        "LAB_KNOWN_HOSTS": lab.known_hosts,
        "BASE": f"{lab.registry}/{BASE}",
    }
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    sources = Sources(folder, lab, builder, docker_config, "gaming")
    sources.git("init", "-q", "-b", "main")
    sources.commit("feat: a game")
    clear((host,), "gaming", ("staging",))
    yield Game(sources, host)
    clear((host,), "gaming", ("staging",))


@pytest.mark.timeout(600)
def test_what_changed_since_it_was_deployed_is_deployed_and_nothing_else(game):
    """From an empty host to all settled; each service is compared with its own live commit."""
    first = f"main-{game.sources.git('rev-parse', 'HEAD')[:12]}"
    assert len(game.changed()) == 45  # nothing is live
    assert game.build_and_push(ALL_REAL) == set(REAL)
    game.inv("deploy", f"--tag={first}")
    assert game.versions() == dict.fromkeys(REAL, first)
    assert game.changed() == {}

    game.change("leaderboard")
    second = game.change("chat")
    everything = {"chat", "gateway", "leaderboard", "matchmaking"}
    assert set(game.changed()) == everything
    assert game.changed()["matchmaking"].startswith("built from leaderboard: ")

    assert game.build_and_push("--service=chat") == {"chat"}
    game.inv("deploy", f"--tag={second}", "--service=chat")
    assert game.versions() == {**dict.fromkeys(REAL, first), "chat": second}
    rest = everything - {"chat"}
    assert set(game.changed()) == rest  # a partial deploy makes the others look no newer

    assert game.build_and_push("--service=all-changed") == rest  # without FAIRLEAD_BASE: than live
    assert game.inv("scan", "--service=all-changed", "--plan")["outcome"] == "planned"
    game.inv("deploy", f"--tag={second}", "--service=all-changed")
    expected = dict.fromkeys(REAL, first) | dict.fromkeys(everything, second)
    assert game.versions() == expected
    assert game.changed() == {}
    assert game.inv("build", "--changed")["images"] == []
    assert game.inv("push", "--changed")["images"] == []
    idle = game.inv("deploy", f"--tag={second}", "--service=all-changed")
    assert idle["outcome"] == "unchanged"


def test_one_changed_leaf_of_45_is_itself_and_what_is_built_from_it(game):
    """No host is asked with --base."""
    game.change("voice")
    found = game.inv("services.matrix", "--base=HEAD~1")["matrix"]["include"]
    assert [one["name"] for one in found] == ["voice"]
    game.change("dialogue")
    found = game.inv("services.matrix", "--base=HEAD~1")["matrix"]["include"]
    assert [one["name"] for one in found] == ["dialogue", "voice"]
