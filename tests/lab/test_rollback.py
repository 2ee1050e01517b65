"""Back to an older release: its images, its env, its compose file; by any name, from anywhere."""

import subprocess
import threading
import time

import pytest

from tests.lab.hosts import ROOT, _ssh, wait_for
from tests.lab.load import Load
from tests.lab.project import COMPOSE

POISON = {
    "IMAGE_TAG": "bad",
    "TAG": "bad",
    "COMPOSE_FILE": "/nowhere/compose.yaml",
    "COMPOSE_PROJECT_NAME": "bad",
    "COMPOSE_PROFILES": "bad",
    "COMPOSE_ENV_FILES": "/nowhere/env",
    "REGISTRY": "registry.invalid",
    "GREETING": "bad",
    "FLAVOUR": "bad",
}
FLAVOUR = "    labels: {flavour: FIRST}\n"  # the part of the compose file that changes


class Watch(threading.Thread):
    """Asks for the version all the time; `ms(after, version)`: how long until that one answered."""

    def __init__(self, app):
        super().__init__(daemon=True)
        self.app, self.over = app, threading.Event()
        self.seen = []

    def run(self):
        while not self.over.is_set():
            self.seen.append((time.monotonic(), self.app.serving()))
            time.sleep(0.005)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()

    def ms(self, after, version):
        return min(1000 * (at - after) for at, one in self.seen if at > after and one == version)


@pytest.fixture(scope="module")
def app(project, image):
    """Three releases, each with its own env, compose file and image; the third is live."""
    compose = COMPOSE.replace(
        "    stop_grace_period: 20s\n    depends_on", FLAVOUR + "    depends_on"
    )
    app = project("back", keep_warm="5m", compose=compose)
    app.digests = {}
    poisoned(app.hosts[0])
    for number, word in enumerate(("FIRST", "SECOND", "THIRD"), 1):
        app.variables = {"GREETING": f"Hello from the {word}"}
        app.compose = compose.replace("FIRST", word)
        app.write()
        done = app.deploy(image(f"back{number}"), env=POISON).ok()
        app.digests[f"back{number}"] = done.result["digests"]["api"]
    yield app
    app.hosts[0].must("rm -f ~/.bashrc ~/.profile")


def poisoned(host):
    """What a server's own shells export; proven to reach a command over SSH."""
    lines = "".join(f"export {name}={value}\n" for name, value in POISON.items())
    host.must("tee ~/.bashrc ~/.profile", stdin=lines)
    assert host.must("echo $IMAGE_TAG $COMPOSE_FILE") == "bad /nowhere/compose.yaml"


def serves(app, number, word):
    """The old image, the old env value, the old compose file: all of one release."""
    page = app.get("/api/v1/version").json()
    assert page["version"] == f"back{number}"
    assert page["setting"] == f"Hello from the {word}"
    live = f"--filter label=fairlead.key={app.key} --filter label=fairlead.slot={app.live()}"
    asked = "{{.Config.Image}} {{.Config.Labels.flavour}}"
    shown = app.hosts[0].must(f"docker inspect --format '{asked}' $(docker ps -q {live})")
    assert shown.split() == [f"{app.lab.registry}/agentic@{app.digests[f'back{number}']}", word]


def steps_of(plan):
    """The names of the steps of a plan shown with --json."""
    listed = next(line for line in plan.ok().lines if line["type"] == "plan")
    return [step["name"] for step in listed["steps"]]


def stamps(app):
    """Each backup's release, by timestamp."""
    found = app.hosts[0].must(
        f"cd {app.base}/backups && for s in *; do echo $s $(cat $s/release); done"
    )
    return dict(line.split() for line in found.splitlines())


def move_tag(app, tag, to):
    """Somebody pushes another image under a tag that was deployed."""
    words = [str(ROOT / "scripts/lab"), "push", f"agentic:{to}", f"agentic:{tag}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    digest = app.hosts[0].must(
        f"docker pull -q {app.lab.registry}/agentic:{tag} >/dev/null; docker image inspect"
        f" --format '{{{{index .RepoDigests 0}}}}' {app.lab.registry}/agentic:{tag}"
    )
    assert digest.endswith(app.digests[to])


@pytest.fixture
def without_registry(app):
    """The host cannot reach the registry."""
    host = app.hosts[0]
    rule = f"OUTPUT -d {app.lab.registry.split(':')[0]} -j REJECT"
    host.must(f"iptables -I {rule}", user="root")
    yield
    host.must(f"iptables -D {rule}", user="root")


def test_within_keep_warm_it_is_a_switch_whatever_the_shells_say(app, image):
    """IMAGE_TAG=bad here and on the server, the tag moved: the old digest, env and compose file."""
    move_tag(app, "back2", to="back3")
    steps = steps_of(app.inv("rollback", "--quick", "--plan", "--json", env=POISON))
    assert "switch" in steps
    assert not {"start", "health", "pull", "upload", "migrate", "smoke-idle"} & set(steps)
    with Watch(app) as watch:
        began = time.monotonic()
        done = app.inv("rollback", "--quick", "--json", env=POISON).ok()
    print(f"warm: first old response {watch.ms(began, 'back2'):.0f} ms after `inv` was typed")
    assert done.result["release"] == "0002-back2"
    assert done.result["digests"]["api"] == app.digests["back2"]
    assert "-" not in {version for _, version in watch.seen}, "it did not answer for a moment"
    serves(app, 2, "SECOND")


def test_twice_in_a_row_goes_further_back(app, image, without_registry):
    """Not to the third one, which was found bad; the registry is not needed for it."""
    done = app.inv("rollback", "--quick", "--json", env=POISON).ok()
    assert done.result["release"] == "0001-back1"
    serves(app, 1, "FIRST")


def test_a_third_time_there_is_nothing_left(app):
    """Refused with the candidates, and nothing changed."""
    before = app.hosts[0].snapshot()
    refused = app.inv("rollback", "--quick", "--json")
    assert refused.code == 1
    why = "\n".join(refused.error["why"])
    assert all(name in why for name in ("0001-back1", "0002-back2", "0003-back3"))
    assert app.hosts[0].snapshot() == before


def test_an_unknown_timestamp_lists_the_candidates(app):
    """Exit 2; each candidate with its tag, status and backups."""
    before = app.hosts[0].snapshot()
    refused = app.inv("rollback", "--to=20200101-000000", "--json")
    assert refused.code == 2
    why = "\n".join(refused.error["why"])
    assert "0002-back2" in why
    assert set(stamps(app)) <= set(why.split())
    assert app.hosts[0].snapshot() == before
    listed = app.inv("rollback", "--list").ok().out
    assert all(name in listed for name in ("0001-back1", "0003-back3", *stamps(app)))


def test_to_a_release_to_a_tag_to_a_timestamp(app):
    """Three names of the same kind of thing."""
    app.inv("rollback", "--to=0002-back2", "--json").ok()
    serves(app, 2, "SECOND")
    app.inv("rollback", "--to=back1", "--json").ok()
    serves(app, 1, "FIRST")
    stamp = next(stamp for stamp, release in stamps(app).items() if release == "0002-back2")
    app.inv("rollback", f"--to={stamp}", "--json").ok()
    serves(app, 2, "SECOND")


def gone(app, release):
    """The release's directory and its containers are lost on the host."""
    its = f"--filter label=fairlead.key={app.key} --filter label=fairlead.release={release}"
    app.hosts[0].must(
        f"rm -rf {app.base}/releases/{release}; docker ps -aq {its} | xargs -r docker rm -f"
    )


def test_a_release_that_is_gone_comes_back_from_its_backup(app):
    """The backup is self-contained: files, env, manifest."""
    stamp = next(stamp for stamp, release in stamps(app).items() if release == "0001-back1")
    gone(app, "0001-back1")
    app.inv("rollback", f"--to={stamp}", "--json").ok()
    serves(app, 1, "FIRST")
    app.hosts[0].must(f"test -f {app.base}/releases/0001-back1/manifest.json")


def test_a_damaged_backup_is_refused(app):
    """Its checksums do not match: exit 1, said so, and the live release serves on."""
    stamp = next(stamp for stamp, release in stamps(app).items() if release == "0002-back2")
    gone(app, "0002-back2")
    app.hosts[0].must(f"echo GREETING=forged >>{app.base}/backups/{stamp}/env")
    refused = app.inv("rollback", f"--to={stamp}", "--json")
    assert refused.code == 1, refused
    assert "damaged" in "\n".join(refused.error["why"]) + refused.error["what"]
    serves(app, 1, "FIRST")
    app.hosts[0].must(f"test ! -e {app.base}/releases/0002-back2")


def test_after_keep_warm_the_old_slot_has_stopped_and_is_started_again(project, image):
    """Nobody had to stop it; the rollback starts it, proves it, then switches, no request lost."""
    app = project("cooled", keep_warm="3s")
    app.deploy(image("v1")).ok()
    app.deploy(image("v2")).ok()
    host = app.hosts[0]

    def old_slot():
        return [line.split()[1] for line in host.containers(app.key) if "-blue-" in line]

    wait_for(lambda: old_slot() == ["exited"], 15, "the old slot stops by itself")
    assert {"start", "health"} <= set(steps_of(app.inv("rollback", "--quick", "--plan", "--json")))
    with Watch(app) as watch:
        began = time.monotonic()
        app.inv("rollback", "--quick", "--json").ok()
    print(f"stopped: first old response {watch.ms(began, 'v1'):.0f} ms after `inv` was typed")
    assert {version for _, version in watch.seen} == {"v2", "v1"}


@pytest.fixture(scope="module")
def served(project, image):
    """v1, then v2, live, on a host whose PATH has no Python."""
    app = project("onhost", worker=True, keep_warm="5m", drain_timeout="15s")
    app.deploy(image("v1")).ok()
    app.deploy(image("v2")).ok()
    assert app.hosts[0].run("command -v python3 python").code == 1
    return app


class TestOnTheHost:
    """deploy/rollback.sh and smoke_tests.sh need a shell and Docker, no more."""

    @pytest.fixture
    def app(self, served):
        return served

    def sh(self, app, *words):
        return app.hosts[0].run(f"bash {app.base}/deploy/{' '.join(words)}", timeout=90)

    def begun(self, app, words):
        """The same, still running, what it says coming through a pipe."""
        return subprocess.Popen(
            [*_ssh(), f"deploy@{app.hosts[0].address}", f"bash {app.base}/deploy/{words}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def load(self, app, seconds=5):
        """seconds: how long the slow requests take, and so the drain."""
        url, slow = (
            f"http://{app.hosts[0].address}/api/v1/version",
            f"/api/v1/slow?seconds={seconds}",
        )
        return Load(url, app.name, keepalive=5, fresh=5, slow=5, slow_path=slow, think=0.02)

    def test_list(self, app):
        """Every release with its status and backups; nothing changes."""
        listed = self.sh(app, "rollback.sh --list")
        assert listed.code == 0, listed
        assert "0001-v1" in listed.out
        assert (
            next(line for line in listed.out.splitlines() if "0002-v2" in line).count("live") == 1
        )
        assert set(stamps(app)) <= set(listed.out.split())

    @pytest.mark.parametrize("word", ["20200101-000000", "nonsense", "../../etc", "'a;b'", ""])
    def test_nonsense(self, app, word):
        """Exit 2 and what there is; nothing changes."""
        before = app.hosts[0].snapshot()
        refused = self.sh(app, f"rollback.sh {word}")
        assert refused.code == 2, refused
        assert app.hosts[0].snapshot() == before
        assert app.serving() == "v2"

    def test_quick_under_load_with_the_lock_and_the_audit(self, app, image):
        """No request fails; nobody else may deploy meanwhile; the audit has its line."""
        with self.load(app, seconds=12) as load:
            time.sleep(1)
            script = self.begun(app, "rollback.sh --quick")
            said = []
            for line in script.stdout:
                said.append(line)
                if "finish its requests" in line:
                    break
            refused = app.deploy(image("v2"))
            said += script.communicate(timeout=60)[0]
            report = load.stop()
        assert script.returncode == 0, "".join(said)
        assert refused.code == 3, refused
        assert "rollback.sh" in refused.error["what"]
        assert report.failed == 0, str(report)
        assert app.serving() == "v1"
        line = app.hosts[0].audit(app.app)[-1]
        assert (line["event"], line["outcome"]) == ("rollback", "done")
        assert (line["release"], line["from"]) == ("0001-v1", "0002-v2")
        status = app.inv("status", "--json").ok().result
        assert status["release"] == "0001-v1"
        assert app.inv("lock.status", "--json").code == 0
        again = self.sh(app, "rollback.sh --quick")
        assert again.code == 2, again  # not to v2, which was found bad

    def test_it_is_refused_while_somebody_deploys(self, app, image):
        """Exit 3, and who holds the lock."""
        with self.load(app) as load:
            running = app.start("deploy", f"--tag={image('v2')}", "--json")
            running.wait_for('"step": "drain", "title"')
            refused = self.sh(app, "rollback.sh 0001-v1")
            running.end().ok()
            report = load.stop()
        assert refused.code == 3, refused
        assert "deploy v2" in refused.text
        assert report.failed == 0, str(report)
        assert app.serving() == "v2"

    def test_by_timestamp(self, app):
        """The backup taken before the last deploy holds v1."""
        stamp = max(stamps(app))
        assert stamps(app)[stamp] == "0001-v1"
        done = self.sh(app, f"rollback.sh {stamp}")
        assert done.code == 0, done
        assert app.serving() == "v1"

    def test_smoke_tests(self, app):
        """They pass, and fail for a reason that is real: the API has lost its Redis."""
        host = app.hosts[0]
        good = self.sh(app, "smoke_tests.sh")
        assert good.code == 0, good
        assert good.out.count("passed") == 2
        host.must(f"docker stop -t 1 {app.key}-redis-1")
        try:
            bad = self.sh(app, "smoke_tests.sh")
        finally:
            host.must(f"docker start {app.key}-redis-1")
        assert bad.code == 1, bad
        assert "FAILED  health" in bad.out
