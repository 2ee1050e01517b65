"""What differs from what is live: whole commands, with hosts that only answer."""

import io
import json
import sys
from dataclasses import dataclass, field

import pytest
from git_repository import Repo

from fairlead.cli.run import Options, Run
from fairlead.cli.scope import services_to_deploy
from fairlead.commands.buildx import Builder
from fairlead.engines.compose.declared import Declared
from fairlead.engines.compose.source import Survey
from fairlead.images.builder import Able
from fairlead.model import REVISION
from fairlead.program import Fairlead
from fairlead.tasks import ns
from fairlead.transport.recorder import Recorder

TOML = """\
app = "shop"
[services.api]
image = "r.test/api"
roles = ["web"]
[services.web]
image = "r.test/web"
roles = ["web"]
[services.jobs]
image = "r.test/jobs"
roles = ["jobs"]
[services.redis]
stateful = true
roles = ["data"]
"""
RUNNING = '"status":"running","exit_code":0,"oom":false,"restarts":0,"started":"","health":""'
Serving = dict[str, str]  # service → the commit its image says it was built from


@dataclass
class Live:
    """A repository and its hosts: host → what serves there."""

    repo: Repo
    run: object
    serving: dict[str, Serving] = field(default_factory=dict)
    roles: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def host(self, name: str, roles: str, services: str = "") -> None:
        """Declare a host that runs these services, built from the commit that declares it."""
        self.roles[name] = tuple(roles.split())
        listed = (
            f'[hosts.{host}]\naddress = "{host}.test"\nroles = {json.dumps(list(roles))}\n'
            for host, roles in self.roles.items()
        )
        self.repo.write("deploy/staging.toml", "".join(listed))
        self.serving[name] = dict.fromkeys(services.split(), self.repo.commit())

    def answer(self, host: str) -> str:
        """As a host would say it: nothing is slotted here, so no router is asked which is live."""
        lines = ["@docker 26.1 linux/x86_64"]
        for service, commit in self.serving[host].items():
            labels = json.dumps({"fairlead.service": service, REVISION: commit})
            about = f'"id":"1","name":"/a","image":"i","labels":{labels}'
            lines.append(f"@container {{{about},{RUNNING}}}")
        return "\n".join(lines) + "\n"

    def result(self, *words: str) -> dict:
        """The last line of a command's JSON."""
        return self.lines(*words)[-1]

    def lines(self, *words: str) -> list[dict]:
        return [json.loads(line) for line in self.run(*words, "--env=staging", "--json")]

    def changed(self) -> dict[str, str]:
        return {one["name"]: one["reason"] for one in self.result("services.changed")["services"]}


@pytest.fixture
def live(repo, monkeypatch):
    for name in ("FAIRLEAD_BASE", "GITHUB_ACTIONS", "GITLAB_CI", "CI"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str) -> list[str]:
        out = io.StringIO()
        monkeypatch.setattr(sys, "argv", ["fairlead", *words])
        monkeypatch.setattr(sys, "stdout", out)
        with pytest.raises(SystemExit) as left:
            Fairlead(namespace=ns, name="fairlead", binary="fairlead").run(sys.argv)
        assert not left.value.code, out.getvalue()
        return out.getvalue().splitlines()

    paths = {name: f"services/{name}" for name in ("api", "web", "jobs")}
    here = Live(
        repo(
            [
                {"name": name, "path": path, "test_command": f"tests-of-{name}"}
                for name, path in paths.items()
            ]
        ),
        run,
    )
    here.repo.write("deploy/fairlead.toml", TOML)
    here.repo.write("deploy/compose.yaml", "services: {}\n")
    here.repo.write(".gitignore", ".fairlead/\n")
    for path in paths.values():
        here.repo.write(f"{path}/Dockerfile", "FROM scratch\n")
    here.repo.commit()
    monkeypatch.chdir(here.repo.root)
    monkeypatch.setattr(
        "fairlead.rollout.session.connect",
        lambda environment, host: Recorder(host, lambda _: here.answer(host.name)),
    )
    bare = Survey({"services": {}}, (), Declared())
    monkeypatch.setattr("fairlead.images.recipe.source.survey", lambda *_: bare)
    return here


@pytest.fixture
def first(live):
    """Everything is live, on one host, at one commit; then jobs and a script change."""
    live.repo.write("services/web/package-lock.json", "{}")
    live.host("web1", "web jobs data", "api web jobs redis")
    live.repo.write("services/jobs/code.py", "print(1)\n")
    live.repo.commit("scripts/release.sh")


def planned(lines: list[dict]) -> list[dict]:
    """The steps of a plan."""
    (plan,) = (line for line in lines if line["type"] == "plan")
    return plan["steps"]


@pytest.mark.parametrize("flag", ["--changed", "--service=all-changed"])
class TestOnlyWhatIsNotLive:
    """Without FAIRLEAD_BASE it is the hosts that are asked."""

    def test_is_built(self, live, first, monkeypatch, flag):
        able = Able(Builder("", False), "docker-container", ("linux/amd64",))
        monkeypatch.setattr("fairlead.images.builder.find_builder", lambda _: able)
        lines = live.lines("build", flag, "--plan")
        assert [step["hosts"] for step in planned(lines)] == [["jobs"]]
        assert "changed, but of no service: 1 file (scripts/release.sh)" in str(lines)

    def test_is_pushed(self, live, first, monkeypatch, flag):
        asked = []
        monkeypatch.setattr(
            "fairlead.images.push.built_of", lambda *given: asked.extend(given[2]) or []
        )
        live.result("push", flag, "--plan")
        assert [one.name for one in asked] == ["jobs"]


def test_only_what_is_not_live_is_linted_tested_and_scanned(live, first):
    told = str(live.lines("lint", "--service=all-changed", "--only=ruff"))
    assert "only files of jobs" in told
    everything = live.result("scan", "--service=all", "--plan")["scanners"]
    of_jobs = live.result("scan", "--service=all-changed", "--plan")["scanners"]
    assert "npm-audit:services/web" in {*everything} - {*of_jobs}
    (step,) = planned(live.lines("test", "--service=all-changed", "--plan"))
    assert [one["argv"] for one in step["commands"]["here"]] == [["tests-of-jobs"]]


def test_nothing_is_done_where_all_is_live(live):
    live.host("web1", "web jobs data", "api web jobs redis")
    assert live.changed() == {}
    for verb in ("build", "push"):
        assert live.result(verb, "--changed")["images"] == []
    assert to_deploy() is None


def to_deploy(tag: str = "v9"):
    return services_to_deploy(Run(Options(env="staging", service=("all-changed",))), tag)


def test_a_new_host_that_is_empty_gets_what_should_run_there(live):
    """Nothing differs from what is live, and yet web2 has to be filled."""
    live.host("web1", "web jobs data", "api web jobs redis")
    live.host("web2", "web")
    assert live.changed() == dict.fromkeys(("api", "web"), "web2 runs nothing")
    assert to_deploy() == ("api", "web")


def test_a_new_host_for_another_s_image_is_filled_too(live):
    live.host("web1", "web jobs", "api web jobs")
    live.host("data1", "data")
    assert to_deploy() == ("redis",)


def test_a_host_that_lacks_one_service_gets_it(live):
    live.host("web1", "web jobs data", "api web jobs redis")
    live.host("web2", "web jobs", "api web")
    assert live.changed() == {"jobs": "it does not run on web2"}
    assert to_deploy() == ("jobs",)


def test_what_is_live_nowhere_is_said_so(live):
    live.host("web1", "web jobs data")
    assert set(live.changed().values()) == {"it is not live in staging"}
    assert to_deploy() == ("api", "jobs", "redis", "web")


def test_a_tag_that_names_a_commit_is_compared_by_that_commit(live):
    """What lies about here has no image under that tag."""
    live.host("web1", "web jobs data", "api web jobs redis")
    built = live.repo.commit("services/jobs/code.py")
    live.repo.git("tag", "v2")
    live.repo.commit("services/web/code.py")
    live.repo.write("services/api/stray.py", "not committed")
    assert to_deploy("v2") == to_deploy(f"main-{built[:12]}") == ("jobs",)
    assert to_deploy("latest") == ("api", "jobs", "web")


def test_a_declaration_is_that_of_the_tag_s_commit_too(live):
    live.host("web1", "web jobs data", "api web jobs redis")
    live.repo.git("tag", "v2")
    toml = (live.repo.root / "deploy/fairlead.toml").read_text()
    live.repo.write("deploy/fairlead.toml", toml + '[build.services.api]\ntarget = "slim"\n')
    live.repo.commit()
    assert to_deploy("v2") is None
    assert to_deploy("latest") == ("api",)


def test_a_tag_from_before_what_is_live_is_a_doubt(live):
    old = live.repo.git("rev-parse", "HEAD")
    live.repo.git("tag", "v1")
    live.host("web1", "web jobs data", "api web jobs redis")
    assert to_deploy("v1") == ("api", "jobs", "web")
    assert to_deploy(old[:9]) == ("api", "jobs", "web")
