"""Which commit a thing was built from: its image, its manifest, its tag tell."""

import subprocess
from dataclasses import replace

from factories import a_container, an_environment, deployed, empty_host, target_of

from fairlead.model import REVISION, Result
from fairlead.rollout.observe import parse_state
from fairlead.rollout.observed import Live
from fairlead.rollout.sources import commit_of, live_commits

LABELLED, KEPT, OTHER = "a1" * 20, "b2" * 20, "c3" * 20


def target(environment, number=1, commit=KEPT):
    made = target_of(environment, number, f"v{number}")
    images = {name: replace(image, commit=commit) for name, image in made.images.items()}
    return target_of(environment, number, f"v{number}", images=images)


def test_a_container_tells_the_revision_of_its_image():
    labels = f'{{"fairlead.service":"api","fairlead.slot":"blue","{REVISION}":"{LABELLED}"}}'
    line = (
        f'@container {{"id":"1","name":"/a","image":"i","labels":{labels},"status":"running",'
        '"exit_code":0,"oom":false,"restarts":0,"started":"","health":""}'
    )
    state = parse_state("web1", Result("web1", 0, f"@docker 26.1 linux/x86_64\n{line}\n", "", 0.1))
    assert state.containers[0].revision == LABELLED


def test_what_the_image_says_goes_before_what_the_manifest_kept():
    environment = an_environment()
    state = deployed(environment, target=target(environment))
    assert live_commits({"web1": state}) == {"api": {KEPT}, "worker": {KEPT}}
    labelled = a_container("api", revision=LABELLED)
    state = replace(state, containers=(labelled, a_container("worker")))
    assert live_commits({"web1": state}) == {"api": {LABELLED}, "worker": {KEPT}}


def test_a_revision_that_is_no_commit_is_unknown():
    environment = an_environment()
    state = deployed(environment, target=target(environment))
    state = replace(state, containers=(a_container("api", revision=f"{LABELLED}-dirty"),))
    assert live_commits({"web1": state}) == {"api": {""}}


def test_only_what_serves_counts_on_every_host():
    environment = an_environment()
    state = deployed(environment, target=target(environment), idle=target(environment, 2, OTHER))
    assert live_commits({"web1": state})["api"] == {KEPT}
    half = replace(state, live_runtime=Live("blue", "green", 5000))
    assert live_commits({"web1": half})["api"] == {KEPT, OTHER}
    two = {"web1": state, "web2": replace(half, live_runtime=Live("green"))}
    assert live_commits(two)["api"] == {KEPT, OTHER}
    assert live_commits({"web1": empty_host()}) == {}


def test_a_manifest_from_before_this_was_kept_tells_nothing():
    environment = an_environment()
    state = deployed(environment, target=target(environment, commit=""))
    assert live_commits({"web1": state}) == {"api": {""}, "worker": {""}}


def test_a_tag_means_its_git_tag_or_the_hash_in_it_or_what_is_checked_out(tmp_path):
    def git(*words: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        done = subprocess.run(
            ("git", *who, *words), cwd=tmp_path, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit() -> str:
        git("commit", "-q", "--allow-empty", "-m", "x")
        return git("rev-parse", "HEAD")

    assert commit_of(tmp_path / "none-of-git", "v1") == ""
    git("init", "-q")
    assert commit_of(tmp_path, "v1") == ""
    first = commit()
    git("tag", "-a", "v1", "-m", "v1")
    second, third = commit(), commit()
    assert commit_of(tmp_path, "v1") == first
    assert commit_of(tmp_path, f"main-{second[:9]}") == second
    assert commit_of(tmp_path, second) == second
    assert commit_of(tmp_path, "v2") == third
    assert commit_of(tmp_path, "20251202") == third
    assert commit_of(tmp_path, "main-3f9c2a1") == ""
