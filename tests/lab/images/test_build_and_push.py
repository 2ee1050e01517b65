"""From a commit to a registry: a real BuildKit, a real registry."""

import http.client
import json
import os
import subprocess
import time
from dataclasses import replace

import pytest

from fairlead.images.layout import INDEX
from tests.tools import needs

CYCLONEDX = "https://cyclonedx.org/bom"
NAME = f"imgbuild-{int(time.time())}"  # a registry that lives on has the tags of earlier runs


def ask(lab, path, accept=f"{INDEX}, application/vnd.oci.image.manifest.v1+json"):
    """A document of the lab's registry."""
    connection = http.client.HTTPConnection(lab.push, timeout=10)
    connection.request("GET", f"/v2/{path}", headers={"Accept": accept})
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, (path, body)
    return json.loads(body), answer.headers["Docker-Content-Digest"]


def tags_of(lab, name):
    """Each tag, and the digest that it points to."""
    found = ask(lab, f"{name}/tags/list")[0]["tags"]
    return {tag: ask(lab, f"{name}/manifests/{tag}")[1] for tag in found}


def delivered(shop, name):
    """The digest of what is built of the commit, as it is checked out, and pushed."""
    shop.inv("build", f"--service={name}").ok()
    return shop.inv("push", f"--service={name}", "--json").ok().result["digests"][name]


@pytest.fixture(scope="module")
def shop(sources):
    made = sources(NAME)
    made.git("remote", "add", "origin", "git@example.com:team/shop.git")
    return made


@pytest.fixture(scope="module")
def on_main(shop):
    """The commit on main, built and pushed; the result of `build`."""
    commit = shop.git("rev-parse", "HEAD")
    built = shop.inv("build", "--json").ok().result
    shop.inv("push", "--json").ok()
    return commit, built


def test_the_index_lists_both_platforms_with_provenance(shop, on_main, lab):
    index, digest = ask(lab, f"{NAME}/web/manifests/latest")
    assert digest == on_main[1]["digests"]["web"]
    platforms = [
        f"{one['platform']['os']}/{one['platform']['architecture']}" for one in index["manifests"]
    ]
    assert platforms == ["linux/amd64", "linux/arm64", "unknown/unknown", "unknown/unknown"]
    for entry in index["manifests"][2:]:
        manifest = ask(lab, f"{NAME}/web/manifests/{entry['digest']}")[0]
        kinds = [one["annotations"]["in-toto.io/predicate-type"] for one in manifest["layers"]]
        assert any(kind.startswith("https://slsa.dev/provenance/") for kind in kinds)


def test_labels_say_where_it_comes_from(on_main, lab):
    commit, built = on_main
    manifest = ask(lab, f"{NAME}/api/manifests/{built['images'][0]['platforms']['linux/amd64']}")[0]
    config = ask(lab, f"{NAME}/api/blobs/{manifest['config']['digest']}")[0]
    labels = config["config"]["Labels"]
    assert labels["org.opencontainers.image.revision"] == commit
    assert labels["org.opencontainers.image.version"] == f"main-{commit[:12]}"
    assert labels["org.opencontainers.image.created"] == config["created"]
    assert labels["org.opencontainers.image.source"] == "https://example.com/team/shop"
    index = ask(lab, f"{NAME}/api/manifests/latest")[0]
    assert index["annotations"]["org.opencontainers.image.revision"] == commit


def test_what_was_tried_passed(on_main):
    smoke = {one["name"]: one["smoke"] for one in on_main[1]["images"]}
    assert smoke == {"api": "passed", "web": "not run: [build] says skip"}


def test_the_scan_of_an_image_is_on_record_by_its_digest(shop, on_main):
    commit, built = on_main
    folder = shop.folder / ".fairlead/records" / commit
    records = [json.loads(file.read_text()) for file in folder.glob("scan-image-*.json")]
    assert {one["image"] for one in records} == set(built["digests"].values())
    assert {(one["commit"], one["clean"], one["partial"]) for one in records} == {
        (commit, True, False)
    }


def test_tags_on_main_a_branch_and_a_version(shop, on_main, lab, unscanned):
    """All that there are, and what each points to."""
    commit, built = on_main
    first = built["digests"]["web"]
    assert tags_of(lab, f"{NAME}/web") == dict.fromkeys(("latest", f"main-{commit[:12]}"), first)

    shop.git("checkout", "-q", "-b", "feature/Größe_#1")
    branch = delivered(shop, "web")
    shop.git("checkout", "-q", "main")
    expected = tags_of(lab, f"{NAME}/web")
    assert expected.pop(f"feature-Gr-e_-1-{commit[:12]}") == branch != first
    assert expected == dict.fromkeys(("latest", f"main-{commit[:12]}"), first)

    shop.git("tag", "v1.4.2")
    try:
        version = delivered(shop, "web")
    finally:
        shop.git("tag", "-d", "v1.4.2")
    assert tags_of(lab, f"{NAME}/web") == {
        **dict.fromkeys(("v1.4.2", "v1.4", "v1", "latest"), version),
        f"main-{commit[:12]}": first,
        f"feature-Gr-e_-1-{commit[:12]}": branch,
    }


def test_the_parts_of_an_image_are_attached_to_it(on_main, lab):
    """In both formats, where a client of the registry finds them."""
    needs("syft")
    index = ask(lab, f"{NAME}/api/manifests/{on_main[1]['digests']['api']}")[0]
    image, attestation = index["manifests"]
    assert attestation["annotations"]["vnd.docker.reference.digest"] == image["digest"]
    layers = ask(lab, f"{NAME}/api/manifests/{attestation['digest']}")[0]["layers"]
    found = {one["annotations"]["in-toto.io/predicate-type"]: one["digest"] for one in layers}
    for kind, part in (("https://spdx.dev/Document", "packages"), (CYCLONEDX, "components")):
        statement = ask(lab, f"{NAME}/api/blobs/{found[kind]}")[0]
        assert statement["subject"][0]["digest"]["sha256"] == image["digest"].removeprefix(
            "sha256:"
        )
        assert statement["predicate"][part]


def clone_of(shop, folder, umask):
    """The commit of `shop` in another folder, as somebody else's umask and clock have it."""
    before = os.umask(umask)
    try:
        shop.git("clone", "-q", str(shop.folder), str(folder))
    finally:
        os.umask(before)
    made = replace(shop, folder=folder)
    made.git("remote", "set-url", "origin", "https://example.com/team/shop.git")
    return made


def forget_layers(builder, docker_config):
    """The builder as on another machine: it has no layer of any build before."""
    environ = {**os.environ, "DOCKER_CONFIG": str(docker_config)}
    argv = ["docker", "--context", builder, "builder", "prune", "-af"]
    subprocess.run(argv, env=environ, check=True, capture_output=True)


def test_two_clones_of_a_commit_give_one_digest(shop, unscanned, builder, docker_config, tmp_path):
    """One was edited before it was committed, so its files are older than the commit; the other
    is newer, and was made with another umask."""
    for name in shop.git("ls-files").splitlines():
        os.utime(shop.folder / name, (1_600_000_000, 1_600_000_000))
    digests = set()
    for one in (shop, clone_of(shop, tmp_path / "clone", 0o077)):
        forget_layers(builder, docker_config)
        built = one.inv("build", "--json").ok().result
        digests.add((built["digests"]["web"], built["digests"]["api"]))
    assert len(digests) == 1


def test_what_git_ignores_is_in_no_image(sources, lab, unscanned):
    """With `build: .` and `COPY . .`, which have all of `.fairlead` and `.env` beside them."""
    recipe = f"FROM {lab.registry}/lab/python:3.13-slim\nCOPY . /src\n"
    check = 'CMD ["sh", "-c", "test -f /src/compose.yaml && ls -A /src >&2; exit 9"]\n'
    compose = "services:\n  api:\n    image: api\n    build: .\n"
    files = {"Dockerfile": recipe + check, "compose.yaml": compose, ".gitignore": ".env\n"}
    shop = sources("imgwhole", files=files)
    file = shop.folder / "deploy/fairlead.toml"
    begin, end = (
        file.read_text().index(at) for at in ("[build.services.web]", "[build.services.api")
    )
    file.write_text(file.read_text()[:begin] + file.read_text()[end:])
    shop.commit("one image")
    (shop.folder / ".env").write_text("KEY=not-for-images\n")
    run = shop.inv("build", "--service=api")
    assert "it ended with exit code 9" in run.err
    assert "compose.yaml" in run.err
    assert ".fairlead" not in run.err.replace(".fairlead/", "")
    assert ".env" not in run.err


def test_a_second_push_sends_nothing(shop, on_main):
    shop.inv("build").ok()  # on main: it may have been built as something else since
    shop.inv("push", "--json").ok()
    pushed = shop.inv("push", "--json").ok().result
    assert [one["bytes_sent"] for one in pushed["images"]] == [0, 0]


def test_an_image_that_fails_hides_no_other_and_is_not_pushed(sources):
    shop = sources("imgfail", files={"api/Dockerfile": "FROM scratch\nCOPY nothing /\n"})
    run = shop.inv("build")
    assert run.code == 1
    assert "api: the build failed" in run.err
    assert '"/nothing": not found' in run.err
    assert "web    passed" in run.out.replace("  ", "  ")
    assert shop.inv("push", "--service=web", "--plan").code == 0
    refused = shop.inv("push", "--service=api")
    assert refused.code == 1
    assert "no image of commit" in refused.err


def test_one_that_does_not_start_is_not_recorded(sources, lab):
    broken = f'FROM {lab.registry}/lab/python:3.13-slim\nCMD ["sh", "-c", "echo no luck; exit 7"]\n'
    shop = sources("imgsick", files={"api/Dockerfile": broken})
    run = shop.inv("build", "--service=api")
    assert run.code == 1
    assert "it ended with exit code 7" in run.err
    assert "no luck" in run.err
    assert not list(shop.folder.glob(".fairlead/builds/*.json"))


def test_a_platform_the_builder_lacks_is_refused_before_building(shop):
    run = shop.inv("build", "--service=api", "--platforms=linux/riscv64")
    assert run.code == 1
    assert "the builder cannot run linux/riscv64" in run.err
    assert "qemu-user-static" in run.err


def test_a_secret_reaches_the_build_and_nothing_else(sources, lab):
    recipe = (
        f"FROM {lab.registry}/lab/python:3.13-slim\n"
        "RUN --mount=type=secret,id=pip_token "
        'test "$(cat /run/secrets/pip_token)" = s3cr3t-for-build\n'
        'CMD ["sleep", "60"]\n'
    )
    more = '[build.services.api]\nsecrets = { pip_token = "file:token" }\nsmoke = { skip = true }\n'
    shop = sources("imgsecret", files={"api/Dockerfile": recipe, ".gitignore": "token\n"})
    text = (shop.folder / "deploy/fairlead.toml").read_text()
    begin, end = text.index("[build.services.api.smoke]"), text.index("[services.web]")
    (shop.folder / "deploy/fairlead.toml").write_text(text[:begin] + more + text[end:])
    (shop.folder / "token").write_text("s3cr3t-for-build")
    shop.commit("with a secret")
    run = shop.inv("build", "--service=api", "-v").ok()
    plan = shop.inv("build", "--service=api", "--plan", "-v").ok()
    assert "s3cr3t-for-build" not in (run.out + run.err + plan.out)


def test_a_secret_that_a_build_prints_is_masked(sources, lab):
    prints = f"FROM {lab.registry}/lab/python:3.13-slim\n"
    prints += "RUN --mount=type=secret,id=word cat /run/secrets/word && exit 9\n"
    files = {"api/Dockerfile": prints, "word.txt": "plain-swordfish"}
    more = '[build.services.api]\nsecrets = { word = "file:word.txt" }\n'
    run = sources("imgsecret", files=files, more=more).inv("build", "--service=api", "-v")
    assert run.code == 1
    assert "exit code: 9" in run.err
    assert "•••" in run.out + run.err
    assert "swordfish" not in run.out + run.err


def test_a_local_cache_outlives_the_builder_s_own(sources, builder, docker_config, lab):
    shop = sources("imgcache")
    file = shop.folder / "deploy/fairlead.toml"
    file.write_text(file.read_text().replace("[build]\n", '[build]\ncaches = ["local"]\n'))
    steps = f"FROM {lab.registry}/lab/python:3.13-slim\nRUN date +%N > /when\n"
    (shop.folder / "web/Dockerfile").write_text(steps)
    text = file.read_text().replace('platforms = ["linux/amd64", "linux/arm64"]\n', "")
    file.write_text(text)
    shop.commit("cached")
    (first,) = shop.inv("build", "--service=web", "--json").ok().result["images"]
    forget_layers(builder, docker_config)
    (again,) = shop.inv("build", "--service=web", "--json").ok().result["images"]
    assert again["platforms"] == first["platforms"]  # the step that tells the time was not run
    left = {one.name for one in (shop.folder / ".fairlead/cache").iterdir()}
    assert "web" in left
    assert "web.new" not in left
