"""`push` as a whole command: what `build` left is sent to a registry in this process, or is not."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from fairlead.config.building import load_building
from fairlead.images.alone import alone, while_nobody_builds
from fairlead.images.layout import Layout, digest_of
from fairlead.images.record import Built, keep
from fairlead.images.revision import read_revision
from fairlead.images.tags import tags
from fairlead.model import REVISION
from tests.unit.images.layouts import make
from tests.unit.images.pushable import PushServer, Store

FAIRLEAD = str(Path(sys.executable).with_name("fairlead"))
TOML = """\
app = "shop"
[services.api]
path = "api"
image = "{server}/team/api"
[services.web]
path = "web"
image = "{server}/team/web"
[services.lib]
path = "lib"
"""


@dataclass(frozen=True)
class Shop:
    """A repository with two images to push and one without a repository, and its registry."""

    root: Path
    server: PushServer

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        done = subprocess.run(
            ["git", *who, *words], cwd=self.root, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, toml: str) -> None:
        """The repository with this configuration, committed."""
        for name in ("api", "web", "lib"):
            (self.root / name).mkdir(exist_ok=True)
            (self.root / name / "Dockerfile").write_text("FROM scratch\n")
        (self.root / "deploy").mkdir(exist_ok=True)
        (self.root / "deploy/fairlead.toml").write_text(toml)
        (self.root / ".gitignore").write_text(".fairlead/\n")
        self.git("init", "-q", "-b", "main")
        self.git("add", ".")
        self.git("commit", "-qm", "change")

    def built(
        self, *names: str, layer: str = "one", label: str = "", created: str = "", **more: object
    ) -> None:
        """As `build` leaves it. label, created: what the image says of its commit."""
        labels = {REVISION: label, "org.opencontainers.image.created": created}
        building = load_building(self.root, "", {})
        revision = read_revision(self.root, "main", {})
        images = []
        for name in names:
            folder = self.root / f".fairlead/images/{revision.key}/{name}"
            shutil.rmtree(folder, ignore_errors=True)
            layout = make(folder, layers=(layer.encode(),), labels=labels)
            verdicts = {"smoke": "passed", "sbom": "passed", "scan": "passed"} | more
            named = building.services[name].image
            images.append(
                Built(
                    name=name,
                    services=(name,),
                    image=named,
                    digest=layout.root.digest,
                    platforms={one.platform: one.digest for one in layout.images()},
                    tags=tags(revision.standing),
                    layout=str(layout.folder.relative_to(self.root)),
                    size=0,
                    **verdicts,
                )
            )
        keep(self.root, revision, building.config_hash, images)

    def push(
        self, *words: str, stdin: str = "", **environ: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [FAIRLEAD, "push", *words],
            cwd=self.root,
            env={"PATH": os.environ["PATH"], "HOME": str(self.root), **environ},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )

    @property
    def tags(self) -> set[str]:
        return {name for name in self.server.store.manifests if not name.startswith("sha256:")}


@pytest.fixture
def shop(tmp_path):
    server = PushServer(Store())
    one = Shop(tmp_path, server)
    one.write(TOML.format(server=server.address))
    yield one
    server.close()


def result(said):
    return json.loads(said.stdout.splitlines()[-1])


@pytest.mark.parametrize("flags", [(), ("--via-ssh",), ("--plan",)])
def test_nothing_changed_is_nothing_pushed(shop, flags):
    said = shop.push("--changed", *flags, "--json", FAIRLEAD_BASE="HEAD")
    assert said.returncode == 0, said.stderr
    assert (result(said)["outcome"], result(said)["images"]) == ("done", [])
    assert not shop.server.store.requests


def test_what_was_built_is_pushed_under_its_tags(shop):
    shop.built("api", "web")
    said = shop.push("--service=api,web", "--json")
    assert said.returncode == 0, said.stderr
    assert set(result(said)["digests"]) == {"api", "web"}
    assert shop.tags == {"latest", f"main-{shop.git('rev-parse', 'HEAD')[:12]}"}


def test_one_password_is_for_one_registry(shop):
    toml = TOML.format(server=shop.server.address)
    shop.write(toml.replace(f"{shop.server.address}/team/web", "other.test/team/web"))
    shop.built("api", "web")
    said = shop.push("--service=api,web", "--username=ci", "--password-stdin", stdin="s3cret\n")
    assert said.returncode == 2
    assert "other.test" in said.stderr
    assert not shop.server.store.requests


def test_a_user_without_a_password_is_told(shop):
    said = shop.push("--username=ci")
    assert said.returncode == 2
    assert "--password-stdin" in said.stderr


def test_the_password_on_stdin_is_used_and_not_shown(shop):
    shop.built("api")
    shop.server.store.password = "right-horse-battery"
    words = ("--service=api", "--username=ada", "--password-stdin", "-v")
    said = shop.push(*words, stdin="right-horse-battery\n")
    assert said.returncode == 0, said.stderr
    assert "horse" not in said.stdout + said.stderr


def test_a_taken_tag_is_replaced_by_force_alone(shop):
    shop.built("api")
    tag = f"main-{shop.git('rev-parse', 'HEAD')[:12]}"
    for name in (tag, "latest", digest_of(b"another")):
        shop.server.store.manifests[name] = b"another"
    refused = shop.push("--service=api")
    assert refused.returncode == 1
    assert f"--force-tag={tag}" in refused.stderr
    assert shop.server.store.manifests["latest"] == b"another"
    assert shop.push("--service=api", f"--force-tag={tag}").returncode == 0
    assert shop.server.store.manifests[tag] != b"another"
    assert shop.server.store.manifests["latest"] != b"another"


def test_an_image_of_the_same_commit_is_kept_where_that_is_asked_for(shop):
    """As when a job is run again, and the Dockerfile gives another image."""
    shop.built("api", label=shop.git("rev-parse", "HEAD"))
    assert shop.push("--service=api").returncode == 0
    before = dict(shop.server.store.manifests)
    shop.built("api", layer="another", label=shop.git("rev-parse", "HEAD"))
    refused = shop.push("--service=api")
    assert refused.returncode == 1
    assert "--keep-pushed" in refused.stderr
    kept = shop.push("--service=api", "--keep-pushed", "--json")
    assert kept.returncode == 0, kept.stdout
    digest = result(kept)["digests"]["api"]
    assert before[digest] == before["latest"]
    assert shop.server.store.manifests == before


def test_an_image_of_another_commit_is_never_kept(shop):
    shop.built("api", label="f" * 40)
    assert shop.push("--service=api").returncode == 0
    shop.built("api", layer="another", label=shop.git("rev-parse", "HEAD"))
    refused = shop.push("--service=api", "--keep-pushed")
    assert refused.returncode == 1
    assert "--keep-pushed" not in refused.stderr


@pytest.mark.parametrize("known", [True, False], ids=["git has it", "by its time"])
def test_latest_does_not_go_back(shop, known):
    """An old job that is run again pushes its own tag, and leaves the newer one's."""
    old = shop.git("rev-parse", "HEAD")
    shop.git("commit", "--allow-empty", "-qm", "newer")
    new = shop.git("rev-parse", "HEAD")
    said = {"label": new} if known else {"label": "e" * 40, "created": "2099-01-01T00:00:00Z"}
    shop.built("api", **said)
    assert shop.push("--service=api").returncode == 0
    newest = shop.server.store.manifests["latest"]
    shop.git("reset", "-q", "--hard", old)
    shop.built("api", layer="old", label=old)
    pushed = shop.push("--service=api")
    assert pushed.returncode == 0, pushed.stderr
    assert "latest stays at commit" in pushed.stdout + pushed.stderr
    assert shop.server.store.manifests["latest"] == newest
    assert f"main-{old[:12]}" in shop.tags
    assert shop.push("--service=api", "--force-tag=latest").returncode == 0
    assert shop.server.store.manifests["latest"] != newest


def test_what_has_no_repository_is_left_out_and_told(shop):
    shop.built("api", "web")
    base = shop.git("rev-parse", "HEAD")
    for name in ("web", "lib"):
        (shop.root / name / "page").write_text("new")
    shop.git("add", ".")
    shop.git("commit", "-qm", "both")
    shop.built("web", "lib")
    said = shop.push("--changed", "--json", FAIRLEAD_BASE=base)
    assert said.returncode == 0, said.stdout
    assert set(result(said)["digests"]) == {"web"}
    assert "no repository, so not pushed: lib" in said.stdout
    named = shop.push("--service=lib")
    assert named.returncode == 1
    assert "lib: no repository to push it to" in named.stderr


@pytest.mark.parametrize("change", ["configuration", "repository", "tags"])
def test_what_was_built_before_a_change_is_not_pushed(shop, change):
    """.env is in no commit, so the record of this one is still there."""
    toml = TOML.format(server=shop.server.address).replace("team/api", "${TEAM:-team}/api")
    shop.write(toml + '[build.services.api]\nargs = { A = "${ARG:-1}" }\n')
    shop.built("api")
    environ = {"configuration": {"ARG": "2"}, "repository": {"TEAM": "other"}}.get(change, {})
    if change == "tags":
        shop.git("tag", "v1.0.0")
    said = shop.push("--service=api", **environ)
    assert said.returncode == 1, said.stdout
    words = {
        "configuration": "configuration",
        "repository": "another repository",
        "tags": "other tags",
    }
    assert words[change] in said.stderr
    assert "next:  fairlead build" in said.stderr
    assert not shop.server.store.requests


def test_uncommitted_changes_are_pushed_as_they_were_built(shop):
    """What was edited since was not built; what is built again needs no --force-tag."""
    page = shop.root / "api/page"
    for text in ("first", "second"):
        page.write_text(text)
        refused = shop.push("--service=api")
        assert refused.returncode == 1
        assert "with the changes that are here now was built" in refused.stderr
        shop.built("api", "web", layer=text)
        assert shop.push("--service=api").returncode == 0
        assert shop.tags == {f"main-{shop.git('rev-parse', 'HEAD')[:12]}-dirty"}


def test_a_build_at_work_is_waited_for_by_nobody(shop):
    """It would change what is being sent."""
    shop.built("api")
    with alone(shop.root):
        said = shop.push("--service=api")
    assert said.returncode == 1
    assert "is at work in" in said.stderr
    with while_nobody_builds(shop.root):  # another push
        assert shop.push("--service=api").returncode == 0


def test_a_file_that_cannot_be_read_is_no_bug_and_hides_no_other(shop):
    """A layer is gone: that image is not pushed, the other is."""
    shop.built("web")
    shop.built("api", layer="its own")  # else it may be taken from web's repository
    commit = shop.git("rev-parse", "HEAD")
    layout = Layout(shop.root / f".fairlead/images/{commit}/api")
    gone = list(layout.parts(layout.manifests()[0]))[-1]
    layout.path(gone.digest).unlink()
    said = shop.push("--service=api,web", "--json")
    assert said.returncode == 1
    assert set(result(said)["digests"]) == {"web"}
    assert "a layer cannot be read: No such file or directory" in said.stdout
    assert "bug" not in said.stdout


def test_what_was_built_without_an_environment_is_pushed_for_one(shop):
    """Its hosts and health checks are none of the image's."""
    (shop.root / "deploy/staging.toml").write_text('[services.api]\nhealth = "/up"\nport = 80\n')
    shop.write(TOML.format(server=shop.server.address))
    shop.built("api")
    assert shop.push("--service=api", "--env=staging").returncode == 0


@pytest.mark.parametrize(
    ("verdict", "refusing", "taking"),
    [("smoke", "", "require = []"), ("scan", 'require = ["smoke", "scan"]', "")],
)
def test_what_was_not_tried_is_not_pushed_unless_the_configuration_says_so(
    shop, verdict, refusing, taking
):
    """Not run is not passed; where that has to do, it is told all the same."""
    toml = TOML.format(server=shop.server.address) + "[build]\n"
    shop.write(f"{toml}{refusing}\n")
    shop.built("api", **{verdict: "not run: nobody is here"})
    refused = shop.push("--service=api")
    assert refused.returncode == 1
    assert f"{verdict} not run: nobody is here" in refused.stderr
    assert "[build] require" in refused.stderr
    assert not shop.server.store.requests
    shop.write(f"{toml}{taking}\n# taking\n")
    shop.built("api", **{verdict: "not run: nobody is here"})
    taken = shop.push("--service=api")
    assert taken.returncode == 0, taken.stderr
    assert f"api: {verdict} not run: nobody is here" in taken.stdout + taken.stderr


def test_a_platform_that_was_not_tried_is_told(shop):
    """This machine runs one of them; the other's image was built all the same."""
    shop.built("api", tried=("linux/amd64",))
    said = shop.push("--service=api")
    assert said.returncode == 0
    assert "smoke passed on linux/amd64, not run on linux/arm64" in said.stdout + said.stderr


def test_a_smoke_test_that_is_left_out_on_purpose_is_not_asked_for(shop):
    toml = TOML.format(server=shop.server.address)
    shop.write(toml + "[build.services.api.smoke]\nskip = true\n")
    shop.built("api", smoke="not run: [build] says skip")
    assert shop.push("--service=api").returncode == 0


def test_a_push_outlives_a_cut(shop):
    """The registry goes away in the middle of a layer, and comes back."""
    shop.built("api")
    shop.server.store.cut = 2
    said = shop.push("--service=api", "--json")
    assert said.returncode == 0, said.stdout
    (image,) = result(said)["images"]
    assert image["retries"] == 2
    assert "latest" in shop.tags
