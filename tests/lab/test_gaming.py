"""examples/gaming: 45 services in one repository, six on a host; only what changed moves."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from fairlead.model import REVISION
from tests.lab.hosts import ROOT, Host, Lab, clear
from tests.lab.project import Run, _program

REAL = ("chat", "gateway", "inventory", "leaderboard", "matchmaking", "profile")


@dataclass(frozen=True)
class Game:
    """The generated repository, with what a person would do there."""

    root: Path
    lab: Lab
    host: Host

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=lab", "-c", "user.email=lab@example.com")
        done = subprocess.run(
            ("git", *who, *words),
            cwd=self.root,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout.strip()

    def change(self, name: str) -> str:
        """Commit a change to one service; the commit."""
        with (self.root / "services" / name / "service.py").open("a") as file:
            file.write("# changed\n")
        self.git("commit", "-qam", f"fix({name}): change")
        return self.git("rev-parse", "HEAD")

    def push(self, names: tuple[str, ...], tag: str, revision: str = "") -> None:
        """Build and push images of these; with a revision they say what they were built from."""
        for name in names:
            image = f"{self.lab.push}/gaming/{name}:{tag}"
            words = ["docker", "build", "-q", "-t", image, f"--build-arg=VERSION={tag}"]
            words += [f"--build-arg=BASE={self.lab.push}/lab/python:3.13-slim"]
            words += [f"--label={REVISION}={revision}"] if revision else []
            self._docker([*words, f"services/{name}"])
            self._docker(["docker", "push", "-q", image])

    def _docker(self, words: list[str]) -> None:
        done = subprocess.run(words, cwd=self.root, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    def inv(self, *words: str) -> Run:
        done = subprocess.run(
            [_program("inv"), *words, "--json"],
            cwd=self.root,
            env={"PATH": os.environ["PATH"], "HOME": str(self.root), "LANG": "C.UTF-8"}
            | {name: os.environ[name] for name in ("DOCKER_CONFIG",) if name in os.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=200,
        )
        return Run(done.returncode, done.stdout, done.stderr).ok()

    def changed(self) -> dict[str, str]:
        """Service → reason, as the hosts are now."""
        services = self.inv("services.changed", "--env=staging").result["services"]
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
def game(lab, hosts, tmp_path_factory):
    (host,) = hosts(1)
    root = tmp_path_factory.mktemp("gaming") / "repository"
    generator = str(ROOT / "examples/gaming/generate.py")
    subprocess.run([sys.executable, generator, str(root)], check=True, timeout=60)
    values = {
        "LAB_REGISTRY": lab.registry,
        "LAB_HOST": host.address,
        "LAB_KEY": lab.key,
        "LAB_KNOWN_HOSTS": lab.known_hosts,
    }
    (root / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    one = Game(root, lab, host)
    one.git("init", "-q", "-b", "main")
    one.git("add", "-A")
    one.git("commit", "-qm", "feat: a game")
    clear((host,), "gaming", ("staging",))
    yield one
    clear((host,), "gaming", ("staging",))


def test_what_changed_since_it_was_deployed_is_deployed_and_nothing_else(game):
    """From an empty host to all settled; each service is compared with its own live commit."""
    first = game.git("rev-parse", "HEAD")
    assert len(game.changed()) == 45  # nothing is live
    game.push(REAL, "v1")
    game.push(("chat",), "v1", revision=first)
    game.inv("deploy", "--env=staging", "--tag=v1", "--service=all-changed")
    assert game.versions() == dict.fromkeys(REAL, "v1")
    assert game.changed() == {}

    game.change("leaderboard")
    second = game.change("chat")
    everything = {"chat", "gateway", "leaderboard", "matchmaking"}
    assert set(game.changed()) == everything
    assert game.changed()["matchmaking"].startswith("built from leaderboard: ")

    game.push(("chat",), "v2", revision=second)
    game.inv("deploy", "--env=staging", "--tag=v2", "--service=chat")
    assert game.versions() == {**dict.fromkeys(REAL, "v1"), "chat": "v2"}
    rest = everything - {"chat"}
    assert set(game.changed()) == rest  # a partial deploy makes the others look no newer

    game.push(tuple(sorted(rest)), "v3")
    game.inv("deploy", "--env=staging", "--tag=v3", "--service=all-changed")
    expected = {**dict.fromkeys(REAL, "v1"), "chat": "v2", **dict.fromkeys(rest, "v3")}
    assert game.versions() == expected
    assert game.changed() == {}
    idle = game.inv("deploy", "--env=staging", "--tag=v9", "--service=all-changed")
    assert idle.result["outcome"] == "unchanged"


def test_one_changed_leaf_of_45_is_itself_and_what_is_built_from_it(game):
    """No host is asked with --base."""
    game.change("voice")
    found = game.inv("services.matrix", "--base=HEAD~1").result["matrix"]["include"]
    assert [one["name"] for one in found] == ["voice"]
    game.change("dialogue")
    found = game.inv("services.matrix", "--base=HEAD~1").result["matrix"]["include"]
    assert [one["name"] for one in found] == ["dialogue", "voice"]
