"""From a tag, or from what hosts keep, to a plan: real files, a registry, recorded hosts."""

import shutil
import subprocess
from dataclasses import replace

import pytest
from factories import a_host, an_environment, deployed, empty_host, kept, target_of
from model_host import ModelHost
from plans import all_commands, argvs, named, names
from registry_server import Answer, Content, RegistryServer, digest_of

from fairlead.config import load
from fairlead.config.traffic import Router
from fairlead.engines.compose.layout import Layout
from fairlead.errors import ConfigError, LockHeld, PreconditionError, UsageError
from fairlead.model import ReleaseStatus
from fairlead.rollout.deploy import plan_deploy
from fairlead.rollout.fleet import Fleet
from fairlead.rollout.observed import Backup, Live, LockHolder
from fairlead.rollout.outcome import carry_out
from fairlead.rollout.rollback import plan_rollback
from fairlead.rollout.session import Session

COMPOSE = """\
services:
  api:
    image: ${REGISTRY}/team/api:local
    env_file: .env
    ports: ["8000:8000"]
  cron:
    image: ${REGISTRY}/team/cron:local
  redis:
    image: ${REGISTRY}/team/redis:7
    volumes: ["data:/data"]
volumes:
  data:
"""
CONFIG = """\
app = "shop"
compose = "../compose.yaml"

[services.api]
image = "{registry}/team/api"
roles = ["web"]
port = 8000
replicas = 2
routes = ["*"]

[services.cron]
image = "{registry}/team/cron"
roles = ["web"]

[services.redis]
stateful = true
roles = ["data"]

[hosts.web1]
address = "web1.test"
roles = ["web", "data"]
"""


def session_of(environment, states):
    """The environment's hosts, recorded, being like this."""
    layout = Layout.of(environment)
    hosts = {name: ModelHost(state, layout.key) for name, state in states.items()}
    transports = {name: host.transport(a_host(name)) for name, host in hosts.items()}
    redact = environment.redactor().redact
    fleet = Fleet(transports, layout.variables, lambda event: None, redact)
    return Session(environment, layout, fleet, lambda event: None, redact), hosts


def git_commit(root):
    """One more commit of the project's tree; its hash."""
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for words in (["init", "-q"], [*who, "commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=root, check=True, capture_output=True, text=True
    )
    return found.stdout.strip()


@pytest.fixture
def content():
    found = Content()
    for tag in ("v1", "v2", "local", "7"):
        found.image(tag, note=tag)
    found.tags = ["v1", "v2", "local", "7"]
    return found


@pytest.fixture
def registry(content):
    server = RegistryServer(content)
    yield server.address
    server.close()


@pytest.fixture
def compose():
    """What reads compose files is here."""
    if not shutil.which("docker"):
        pytest.skip("no docker client here, which reads compose files")
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        pytest.skip("no Compose plugin here")


@pytest.fixture
def project(tmp_path, registry, compose):
    """A project on disk, its images in the registry; `write` changes its files."""

    class Project:
        root = tmp_path

        def write(self, **files):
            for name, text in files.items():
                place = {"compose": "compose.yaml", "config": "deploy/fairlead.toml"}[name]
                (tmp_path / place).write_text(text.replace("{registry}", registry))

        def environment(self):
            return load(tmp_path, None, {})

        def deployed(self, tag="v1"):
            """A session whose host serves what a first deploy of `tag` made of it."""
            session, found = session_of(self.environment(), {"web1": empty_host()})
            situation, plan = plan_deploy(session, tag)
            carry_out(session, situation, plan, "deploy")
            return session, found["web1"]

    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/staging.toml").touch()
    (tmp_path / ".env").write_text(f"REGISTRY={registry}\nGREETING=hello\n")
    one = Project()
    one.write(compose=COMPOSE, config=CONFIG)
    return one


class TestDeploy:
    def test_a_tag_becomes_digests(self, project, content):
        """Our images by the tag's digest, others as the compose file names them (law 3)."""
        session, _ = session_of(project.environment(), {"web1": empty_host()})
        situation, plan = plan_deploy(session, "v2")
        target = situation.target
        assert (target.release, target.sequence, target.tag) == ("0001-v2", 1, "v2")
        assert target.images["api"].pinned.endswith("/team/api@" + _digest(content, "v2"))
        assert target.images["redis"].pinned.endswith("/team/redis@" + _digest(content, "7"))
        pulled = argvs(named(plan, "pull"))[0][1:]
        assert set(pulled) == {image.pinned for image in target.images.values()}

    @pytest.mark.parametrize("off", ["scale: 0", "deploy: {replicas: 0}"])
    def test_what_is_scaled_to_nothing_is_not_started(self, project, off):
        """It has no place on any host; nobody asks the registry for its image."""
        tool = f"  tool:\n    image: 127.0.0.1:1/none:1\n    {off}\n"
        project.write(compose=COMPOSE.replace("services:\n", f"services:\n{tool}"))
        session, _ = session_of(project.environment(), {"web1": empty_host()})
        situation, _ = plan_deploy(session, "v2")
        assert "tool" not in situation.target.images
        assert "tool" not in situation.part("web1").replicas

    def test_planning_changes_nothing(self, project):
        """Hosts are looked at, and asked nothing else."""
        session, hosts = session_of(project.environment(), {"web1": empty_host()})
        plan_deploy(session, "v2")
        assert {argv[0] for argv in hosts["web1"].done} == {"fl_observe"}

    def test_a_look_begun_before_is_the_look_of_the_plan(self, project):
        """Begun while the program is still loaded, it is not taken twice."""
        session, hosts = session_of(project.environment(), {"web1": empty_host()})
        session.fleet.look_ahead()
        plan_deploy(session, "v2")
        assert [argv[0] for argv in hosts["web1"].done] == ["fl_observe"]

    def test_the_next_release_has_the_next_number(self, project):
        """Sequences are counted from what hosts keep, never from a clock."""
        session, host = project.deployed("v1")
        session, _ = session_of(session.environment, {"web1": host.state})
        situation, _ = plan_deploy(session, "v2")
        assert situation.target.release == "0002-v2"
        assert situation.new_slot("web1") == "green"

    def test_the_plan_says_what_a_person_should_know(self, project):
        """Environment, release, what is live, images; what is reset, and what is gone."""
        _, host = project.deployed("v1")
        config = (project.root / "deploy/fairlead.toml").read_text()
        cron = config.index("[services.cron]")
        compose = COMPOSE.replace("  cron:\n    image: ${REGISTRY}/team/cron:local\n", "")
        without = config[:cron] + config[config.index("[services.redis]") :]
        project.write(compose=compose, config=without)
        session, _ = session_of(project.environment(), {"web1": host.state})
        _, plan = plan_deploy(session, "v2")
        assert plan.header["release"] == "0002-v2"
        assert plan.header["live now"] == "0001-v1"
        assert any(note.startswith("api: `ports` (8000) is reset") for note in plan.notes)
        assert "cron: not in this release; stopped on web1 after the switch" in plan.notes

    def test_a_router_of_others_stays_and_ones_own_is_replaced_with_notice(self, project):
        """The release is not proven yet when the router is: what that may cost is told before."""
        _, host = project.deployed("v1")
        config = (project.root / "deploy/fairlead.toml").read_text()
        project.write(config=f"{config}\n[router]\nhttp_port = 8080\n")
        own = replace(host.state, router="running haproxy:3.0 a,b", router_ports=(80, 443))
        session, _ = session_of(project.environment(), {"web1": own})
        _, plan = plan_deploy(session, "v2")
        assert any(note.startswith("web1: its router, haproxy:3.0 on") for note in plan.notes)
        shared = replace(own, foreign_routes={"blog.test/": "blog-live"})
        session, hosts = session_of(session.environment, {"web1": shared})
        with pytest.raises(ConfigError) as caught:
            plan_deploy(session, "v2")
        assert "router.http_port: is 8080, and the router of web1" in str(caught.value.why)
        assert {argv[0] for argv in hosts["web1"].done} == {"fl_observe"}

    def test_a_stateful_service_that_is_gone_is_named_and_left_running(self, project):
        """Its data may be needed: nobody but a person takes it away, and never a volume."""
        _, host = project.deployed("v1")
        config = (project.root / "deploy/fairlead.toml").read_text()
        redis, web1 = config.index("[services.redis]"), config.index("[hosts.web1]")
        lines = '  redis:\n    image: ${REGISTRY}/team/redis:7\n    volumes: ["data:/data"]\n'
        without = config[:redis] + config[web1:]
        project.write(compose=COMPOSE.replace(lines, ""), config=without)
        session, _ = session_of(project.environment(), {"web1": host.state})
        _, plan = plan_deploy(session, "v2")
        [note] = [note for note in plan.notes if note.startswith("redis: ")]
        assert "not in this release, but it keeps data, so it runs on" in note
        assert "on web1: docker rm -f shop-staging-redis-1 " in note
        commands = [argv for _, _, argv in all_commands((*plan.steps, *plan.tidy))]
        assert not [argv for argv in commands if "shop-staging-redis-1" in argv]

    def test_a_host_that_joined_has_no_way_back_yet(self, project):
        """The plan says so, and which hosts a rollback could be for."""
        _, host = project.deployed("v1")
        joined = '[hosts.web2]\naddress = "web2.test"\nroles = ["web"]\n'
        project.write(config=CONFIG + joined)
        states = {"web1": host.state, "web2": empty_host("web2")}
        session, _ = session_of(project.environment(), states)
        _, plan = plan_deploy(session, "v2")
        [note] = [note for note in plan.notes if note.startswith("web2: no older release")]
        assert note.endswith("inv rollback --quick --env=staging --hosts=web1")

    def test_one_service_alone_leaves_the_others_as_they_are(self, project, content):
        """--service: the others stay at the digest that is live, wherever their tags point now."""
        _, host = project.deployed("v1")
        session, _ = session_of(project.environment(), {"web1": host.state})
        situation, _ = plan_deploy(session, "v2", ("api",))
        images = situation.target.images
        assert images["api"].digest == _digest(content, "v2")
        assert images["cron"].digest == _digest(content, "v1")

    def test_a_service_that_is_new_comes_along(self, project):
        """--service with a compose file that has grown: nothing is live of the new one yet."""
        _, host = project.deployed("v1")
        mail = "  mail:\n    image: ${REGISTRY}/x/mail:7\nvolumes:\n  data:"
        project.write(compose=COMPOSE.replace("volumes:\n  data:", mail))
        session, _ = session_of(project.environment(), {"web1": host.state})
        situation, _ = plan_deploy(session, "v2", ("api",))
        assert situation.part("web1").replicas == {"api": 2, "cron": 1, "mail": 1}

    def test_the_tag_need_not_exist_for_the_others(self, project, content):
        """--service: a build of one service alone has pushed nothing else under that tag."""
        _, host = project.deployed("v1")
        content.image("v3", note="v3")
        content.special["/v2/team/cron/manifests/v3"] = Answer(404)
        session, _ = session_of(project.environment(), {"web1": host.state})
        situation, _ = plan_deploy(session, "v3", ("api",))
        assert situation.target.images["api"].tag == "v3"
        assert situation.target.images["cron"].tag == "v1"

    def test_each_image_keeps_the_commit_it_was_first_deployed_from(self, project):
        """What `services.changed` compares with: a partial deploy makes the rest look no newer."""
        first = git_commit(project.root)
        _, host = project.deployed("v1")
        second = git_commit(project.root)
        session, _ = session_of(project.environment(), {"web1": host.state})
        situation, plan = plan_deploy(session, "v2", ("api",))
        assert situation.target.images["api"].commit == second
        assert situation.target.images["cron"].commit == first
        carry_out(session, situation, plan, "deploy")
        session, _ = session_of(project.environment(), {"web1": host.state})
        again, _ = plan_deploy(session, "v1")
        assert {again.target.images[name].commit for name in ("api", "cron")} == {first}
        assert again.target.images["redis"].commit == ""

    def test_one_service_needs_the_others_to_be_live(self, project):
        """Nothing to keep: everything must be deployed first."""
        session, _ = session_of(project.environment(), {"web1": empty_host()})
        with pytest.raises(PreconditionError, match="no release is live") as caught:
            plan_deploy(session, "v2", ("api",))
        assert "without --service" in caught.value.next_step


class TestAfterInit:
    COMPOSE = """\
services:
  api:
    build: .
    image: {registry}/team/api
    ports: ["8000:8000"]
    depends_on: [redis]
    healthcheck: {test: ["CMD", "curl", "-f", "http://localhost:8000/healthz"]}
  redis:
    image: {registry}/team/redis:7
    volumes: ["data:/data"]
volumes:
  data:
"""

    def test_what_init_writes_is_planned_without_an_edit(
        self, compose, registry, tmp_path, monkeypatch, capsys
    ):
        """A folder with a compose file and nothing else; only the host's address is given."""
        from fairlead.program import Fairlead
        from fairlead.tasks import ns

        (tmp_path / "compose.yaml").write_text(self.COMPOSE.replace("{registry}", registry))
        monkeypatch.chdir(tmp_path)
        argv = ["fairlead", "init"]
        monkeypatch.setattr("sys.argv", argv)
        with pytest.raises(SystemExit) as ended:
            Fairlead(namespace=ns, name="fairlead", binary="fairlead").run(argv)
        assert not ended.value.code, capsys.readouterr()

        environment = load(tmp_path, None, {"STAGING_HOST": "web1.test"})
        assert [host.address for host in environment.hosts] == ["web1.test"]
        name = environment.hosts[0].name
        session, _ = session_of(environment, {name: empty_host(name)})
        situation, plan = plan_deploy(session, "v2")
        part = situation.part(name)
        assert (part.replicas, part.routed, part.stateful) == ({"api": 1}, ("api",), ("redis",))
        assert {"upload", "pull", "router", "data", "start", "health", "switch"} <= set(names(plan))


class TestRefusedDeploys:
    """All before anything is touched."""

    def refused(self, project, kind, tag="v2", **state):
        session, hosts = session_of(project.environment(), {"web1": empty_host(**state)})
        with pytest.raises(kind) as caught:
            plan_deploy(session, tag)
        assert {argv[0] for argv in hosts["web1"].done} <= {"fl_observe"}
        assert caught.value.state == "nothing was changed"
        return caught.value

    def test_an_image_that_is_not_there(self, project):
        """The nearest tags are named."""
        error = self.refused(project, PreconditionError, "v22")
        assert "team/api:v22 is not in the registry" in error.what
        assert "v2" in error.why[0]

    def test_an_external_network_that_a_host_lacks(self, project):
        """Named with the command that makes it; where it is, all is well."""
        networks = "networks:\n  default: {external: true, name: shared}\n"
        project.write(compose=COMPOSE + networks)
        session, hosts = session_of(project.environment(), {"web1": empty_host()})
        hosts["web1"].answers = lambda argv: f"@absent {argv[1]}"
        with pytest.raises(PreconditionError, match="docker network create shared") as caught:
            plan_deploy(session, "v2")
        assert caught.value.state == "nothing was changed"
        assert {argv[0] for argv in hosts["web1"].done} == {"fl_observe", "fl_absent_networks"}
        hosts["web1"].answers = lambda argv: ""
        _, plan = plan_deploy(session, "v2")
        assert "redis: joins the host's network `shared`" in plan.notes

    def test_an_image_for_another_machine(self, project):
        """Both platforms are told."""
        error = self.refused(project, PreconditionError, platform="linux/arm64")
        assert "is for linux/amd64, the host is linux/arm64" in error.what

    def test_a_held_lock(self, project):
        """Who, since when, doing what; nobody waits for it."""
        lock = LockHolder("ada@laptop", "2025-12-02T14:30:22Z", "deploy v1", 42)
        error = self.refused(project, LockHeld, lock=lock)
        assert "ada@laptop since 2025-12-02T14:30:22Z: deploy v1" in error.what

    def test_a_host_that_is_not_fit(self, project):
        """Every fault, with its remedy."""
        error = self.refused(project, PreconditionError, compose="2.20.0")
        assert "too old" in error.what

    def test_a_service_that_the_compose_file_lacks(self, project):
        """The key, what there is, and what was probably meant."""
        config = (project.root / "deploy/fairlead.toml").read_text()
        project.write(config=config.replace("[services.api]", "[services.apii]"))
        error = self.refused(project, ConfigError)
        assert "services.apii" in str(error.why)
        assert "did you mean `api`?" in str(error.why)

    def test_a_key_that_two_slots_cannot_share(self, project):
        """The compose file's own key is named."""
        project.write(compose=COMPOSE.replace('ports: ["8000:8000"]', "network_mode: host"))
        assert "services.api.network_mode" in str(self.refused(project, ConfigError).why)

    def test_a_service_that_is_only_built(self, project):
        """Without a repository there is nothing to pull: where to write it is told."""
        project.write(compose=COMPOSE.replace("image: ${REGISTRY}/team/redis:7", "build: ."))
        assert "services.redis.image" in str(self.refused(project, ConfigError).why)


class TestRollback:
    ENVIRONMENT = an_environment()

    def session(self, **changes):
        """Release 2 is live in green, release 1 waits in blue, warm."""
        old, live = (target_of(self.ENVIRONMENT, n, f"v{n}") for n in (1, 2))
        state = deployed(self.ENVIRONMENT, live="green", target=live, idle=old, **changes)
        return session_of(self.ENVIRONMENT, {"web1": state})

    def test_to_a_warm_release_it_is_a_switch(self):
        """No file, image or variable of today gets into it."""
        session, _ = self.session()
        situation, plan = plan_rollback(session)
        assert situation.target.release == "0001-v1"
        assert plan.header["road"] == "switch only"
        assert names(plan)[0] == "switch"

    def test_a_router_of_others_is_not_moved_by_it_either(self):
        """A rollback brings the router up as it is declared today, like a deploy."""
        session, _ = self.session(foreign_routes={"blog.test/": "blog-live"})
        environment = replace(session.environment, router=Router(http_port=8080))
        with pytest.raises(ConfigError, match="configuration"):
            plan_rollback(replace(session, environment=environment))
        session, _ = self.session()
        _, plan = plan_rollback(replace(session, environment=environment))
        assert plan.notes[0].startswith("web1: its router, haproxy:3.0 on ports 80 and 443,")

    def test_images_and_replicas_are_those_of_then(self):
        """Read from the manifest on the host: a moved tag or a changed config has no say."""
        session, _ = self.session()
        environment = replace(session.environment, services={})
        situation, _ = plan_rollback(replace(session, environment=environment))
        assert situation.target.images["api"].tag == "v1"
        assert situation.part("web1").replicas == {"api": 2, "worker": 1}

    def test_to_what_is_live_already_there_is_no_way(self):
        """Exit 2: it says so, and where the list is."""
        session, _ = self.session()
        with pytest.raises(UsageError, match="0002-v2 is live already") as caught:
            plan_rollback(session, "v2")
        assert "--list" in caught.value.next_step

    def test_a_release_that_only_a_backup_holds_is_restored(self):
        """Its directory is gone: the backup's checksums are checked and its files come back."""
        old = target_of(self.ENVIRONMENT, 1, "v1")
        live = target_of(self.ENVIRONMENT, 2, "v2")
        state = deployed(self.ENVIRONMENT, live="green", target=live)
        gone = replace(kept(old), from_backup=True)
        state = replace(
            state,
            releases=(*state.releases, gone),
            backups=(Backup("20251202-143022", "0001-v1", 2),),
        )
        session, _ = session_of(self.ENVIRONMENT, {"web1": state})
        _, plan = plan_rollback(session, "20251202-143022")
        assert argvs(named(plan, "upload")) == [("fl_restore", "20251202-143022", "0001-v1")]

    def test_hosts_that_serve_it_already_are_left_alone(self):
        """One of two is still at the old release: only the other has to go back."""
        environment = an_environment(("web1", "web2"))
        old, live = (target_of(environment, n, f"v{n}") for n in (1, 2))
        one = deployed(environment, "web1", "green", live, idle=old)
        two = deployed(environment, "web2", "blue", old)
        two = replace(two, releases=(kept(old, "web2"), kept(live, "web2", ReleaseStatus.FAILED)))
        session, hosts = session_of(environment, {"web1": one, "web2": two})
        situation, plan = plan_rollback(session)
        assert situation.hosts == ("web1",)
        carry_out(session, situation, plan, "rollback")
        assert {name: host.state.live for name, host in hosts.items()} == {
            "web1": Live("blue"),
            "web2": Live("blue"),
        }


def _digest(content, tag):
    return digest_of(content.manifests[tag])
