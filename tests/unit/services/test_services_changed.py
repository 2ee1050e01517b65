"""What a change selects, asked of real git repositories. A doubt selects everything."""

import json
import os
import subprocess

import pytest

from fairlead.services.changed import changed
from fairlead.services.live import compared_with_live

ALL = ["api", "jobs", "lib", "web"]

TOML = "deploy/fairlead.toml"
COMPOSE = "deploy/compose.yaml"


def reasons(changes) -> dict[str, str]:
    return {one.name: one.reason for one in changes.services}


def test_nothing_changed_selects_nothing(repo):
    assert repo().names("HEAD") == []


def test_a_leaf_selects_itself_alone(repo):
    here = repo()
    before = here.git("rev-parse", "HEAD")
    here.commit("services/web/code.py")
    assert here.names(before) == ["web"]


def test_what_is_built_from_it_is_selected_with_the_way_to_it(repo):
    here = repo()
    here.write("libs/lib/code.py", "changed")
    found = {one.name: one for one in here.since("HEAD").services}
    assert list(found) == ["api", "lib", "web"]
    assert found["web"].reason == "built from api → lib: libs/lib/code.py changed"
    assert found["web"].why == ("web → api → lib: libs/lib/code.py changed",)


def test_circles_come_to_an_end(repo):
    here = repo([{"name": "a", "path": "a", "depends_on": ["b"]},
                 {"name": "b", "path": "b", "depends_on": ["a"]}])  # fmt: skip
    here.write("a/code.py", "changed")
    assert here.names("HEAD") == ["a", "b"]


def test_staged_unstaged_and_untracked_changes_count(repo):
    here = repo()
    here.write("services/web/code.py", "staged")
    here.git("add", "-A")
    here.write("services/api/code.py", "not staged")
    here.write("services/jobs/new.py", "not known to git")
    assert here.names("HEAD") == ["api", "jobs", "web"]


def test_a_file_that_git_ignores_changes_nothing(repo):
    here = repo()
    here.write(".gitignore", "*.pyc\n")
    base = here.commit()
    here.write("services/jobs/code.pyc", "compiled")
    assert here.names(base) == []


def test_a_rename_counts_for_both_owners(repo):
    here = repo()
    (here.root / "services/web").mkdir(exist_ok=True)
    here.git("mv", "services/jobs/code.py", "services/web/code2.py")
    assert here.names("HEAD") == ["jobs", "web"]
    base = here.git("rev-parse", "HEAD")
    here.commit("services/jobs/stays.py")
    assert here.names(base) == ["jobs", "web"]


def test_a_file_that_is_gone_counts(repo):
    here = repo()
    here.write("services/jobs/other.py")
    base = here.commit()
    here.git("rm", "-q", "services/jobs/other.py")
    assert here.names(base) == ["jobs"]


@pytest.mark.parametrize("name", ["späß.py", 'quo"te.py', "new\nline.py", "tab\t.py", "-rf"])
def test_odd_names_of_files_are_no_obstacle(repo, name):
    here = repo()
    here.write(f"services/jobs/{name}")
    base = here.commit()
    here.write(f"services/jobs/{name}", "changed")
    assert here.names(base) == ["jobs"]


def test_a_folder_that_begins_like_another_is_not_in_it(repo):
    here = repo(
        [{"name": "api", "path": "services/api"}, {"name": "v2", "path": "services/api-v2"}]
    )
    here.write("services/api-v2/code.py", "changed")
    assert here.names("HEAD") == ["v2"]


def test_nested_folders_belong_to_both(repo):
    here = repo([{"name": "all", "path": "."}, {"name": "deep", "path": "all/deep"}])
    here.write("all/deep/code.py", "changed")
    assert here.names("HEAD") == ["all", "deep"]


def test_a_submodule_above_a_service_is_its_own(repo):
    here = repo([{"name": "deep", "path": "vendor/game/server"}, {"name": "b", "path": "b"}])
    base = here.git("rev-parse", "HEAD")
    here.git("rm", "-rq", "--cached", "vendor/game")
    entry = f"160000,{base},vendor/game"
    here.git("update-index", "--add", "--cacheinfo", entry)
    here.git("commit", "-qm", "a submodule")
    base = here.git("rev-parse", "HEAD")
    here.git("update-index", "--cacheinfo", f"160000,{'1' * 40},vendor/game")
    here.git("commit", "-qm", "its next commit")
    assert "deep" in here.names(base)


def test_a_global_file_selects_everything(repo):
    here = repo(global_files=["**/*.lock", "base"])
    here.write("deep/down/poetry.lock")
    assert here.names("HEAD") == ALL
    assert reasons(here.since("HEAD"))["jobs"] == "deep/down/poetry.lock changed, a global file"
    base = here.commit()
    here.write("base/image/Dockerfile")
    assert here.names(base) == ALL


def test_global_patterns_stay_in_their_folder(repo):
    here = repo(global_files=["*.txt"])
    here.write("docs/a.txt")
    assert here.names("HEAD") == []
    here.write("a.txt")
    assert here.names("HEAD") == ALL


def test_files_of_nobody_are_told_and_select_nothing(repo):
    here = repo()
    here.write("docs/a.md")
    assert here.since("HEAD").services == ()
    assert here.since("HEAD").unowned == ("docs/a.md",)


def test_a_changed_declaration_is_a_change(repo):
    here = repo()
    services = json.loads((here.root / "services.json").read_text())["services"]
    services[2]["dockerfile"] = "Dockerfile.nats"
    here.write("services.json", json.dumps(services))
    assert reasons(here.since("HEAD")) == {"jobs": "its declaration in services.json changed"}


def test_a_declaration_in_toml_is_compared_without_what_is_about_the_roll_out(repo, tmp_path):
    here = repo([])
    (here.root / "services.json").unlink()
    text = 'app = "a"\n[services.x]\npath = "x"\nport = 80\n[services.y]\npath = "y"\n'
    here.write("deploy/fairlead.toml", text)
    here.write("x/code.py")
    here.write("y/code.py")
    base = here.commit()
    here.write("deploy/fairlead.toml", text.replace("port = 80", "port = 81"))
    assert here.names(base) == []
    here.write("deploy/fairlead.toml", text + 'depends_on = ["x"]\n')
    assert here.names(base) == ["y"]


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        (TOML, 'args = { A = "1" }', {"api": f"its declaration in {TOML} changed"}),
        (TOML, 'target = "slim"', {"api": f"its declaration in {TOML} changed"}),
        (TOML, '[build]\nplatforms = ["linux/arm64"]', f"[build] changed in {TOML}"),
        (TOML, "[build]\nparallel = 4", {}),
        (COMPOSE, "build: ../services/jobs", {"jobs": f"its declaration in {COMPOSE} changed"}),
        (COMPOSE, "mem_limit: 1g", {}),
        (COMPOSE, "- [", {"jobs": f"its declaration in {COMPOSE} changed"}),
    ],
)
def test_another_way_to_build_is_a_change(repo, file, text, expected):
    """What an image is made with is not always in its service's folder."""
    here = repo()
    recipe = 'app = "a"\n[build.services.api]\ncontext = "services/api"\n'
    compose = "services:\n  jobs:\n    build: ../jobs\n    "
    before = {TOML: recipe, COMPOSE: compose}
    for one, content in before.items():
        here.write(one, content)
    here.commit()
    kept = before[file].removesuffix("build: ../jobs\n    ") if "build:" in text else before[file]
    here.write(file, f"{kept}{text}\n")
    if isinstance(expected, str):
        expected = dict.fromkeys(("api", "jobs", "lib", "web"), expected)
    found = {k: v for k, v in reasons(here.since("HEAD")).items() if not v.startswith("built from")}
    assert found == expected


@pytest.mark.parametrize(
    ("base", "reason"),
    [
        ("0" * 40, "no commit to compare with, as on a new branch"),
        ("", "no commit to compare with, as on a new branch"),
        ("f" * 40, "is not in this repository"),
        ("no-such-branch", "is not in this repository"),
        ("--output=x", "names no commit"),
        ("HEAD:README.md", "is not in this repository"),
    ],
)
def test_a_base_that_is_none_selects_everything(repo, base, reason):
    here = repo()
    found = reasons(here.since(base))
    assert list(found) == ALL
    assert all(reason in one for one in found.values())
    assert not (here.root / "x").exists()


def test_a_forced_push_selects_everything(repo):
    here = repo()
    before = here.commit("services/web/code.py")
    here.git("commit", "-q", "--amend", "-m", "again")
    assert here.names(before) == ALL
    assert "force-push" in reasons(here.since(before))["jobs"]


def test_a_branch_stands_for_where_this_one_left_it(repo):
    here = repo()
    here.git("switch", "-qc", "feature")
    here.commit("services/jobs/code.py")
    here.git("switch", "-q", "main")
    tip = here.commit("services/web/code.py")
    here.git("switch", "-q", "feature")
    assert here.names("main") == ["jobs"]
    assert here.names(tip) == ALL


def test_a_shallow_clone_selects_everything_it_cannot_tell(repo, tmp_path):
    here = repo()
    first = here.git("rev-parse", "HEAD")
    here.commit("services/web/code.py")
    second = here.commit("services/web/code.py")
    here.commit("services/jobs/code.py")
    shallow = type(here)(tmp_path / "shallow")
    words = ["git", "clone", "-q", "--depth=2", f"file://{here.root}", str(shallow.root)]
    subprocess.run(words, check=True, timeout=60)
    assert shallow.names(second) == ["jobs"]
    assert shallow.names(first) == ALL
    assert "shallow" in reasons(shallow.since(first))["jobs"]


def test_without_commits_or_git_everything_is_selected(repo, tmp_path, monkeypatch):
    here = repo()
    bare = type(here)(tmp_path / "bare")
    bare.root.mkdir()
    (bare.root / "a").mkdir()
    bare.write("services.json", '[{"name": "a", "path": "a"}]')
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert "not a git repository" in reasons(bare.since("HEAD"))["a"]
    bare.git("init", "-q")
    assert "nothing is committed yet" in reasons(bare.since("HEAD"))["a"]
    monkeypatch.setenv("PATH", os.devnull)  # no folder: no program is found
    assert "git is not installed" in reasons(here.since("HEAD"))["api"]


def test_a_project_below_the_top_of_git_sees_its_own_files(repo):
    here = repo([])
    inner = type(here)(here.root / "games")
    inner.write("services.json", '[{"name": "a", "path": "a"}, {"name": "b", "path": "b"}]')
    inner.write("deploy/fairlead.toml", 'app = "x"\n')
    inner.write("a/code.py")
    inner.write("b/code.py")
    base = here.commit()
    inner.write("a/code.py", "changed")
    here.write("outside.py")
    assert inner.names(base) == ["a"]


def live(here, commits, rolled_out=("api", "jobs", "web")):
    declaration = here.declaration()
    since = compared_with_live(declaration.services, commits, rolled_out, "staging")
    return changed(declaration, since)


def test_what_was_never_deployed_stays_selected_through_later_commits(repo):
    """Commit A breaks api, B touches only web, nothing deployed since: both are selected."""
    here = repo([{"name": "api", "path": "api"}, {"name": "web", "path": "web"}])
    deployed = here.git("rev-parse", "HEAD")
    here.commit("api/code.py")
    here.commit("web/code.py")
    assert [one.name for one in live(here, {"api": {deployed}, "web": {deployed}}).services] == [
        "api",
        "web",
    ]


def test_each_service_is_compared_with_its_own_commit(repo):
    """After a partial deploy of web, api is still compared with the older commit."""
    here = repo([{"name": "api", "path": "api"}, {"name": "web", "path": "web"}])
    first = here.git("rev-parse", "HEAD")
    here.commit("api/code.py")
    second = here.commit("web/code.py")
    found = live(here, {"api": {first}, "web": {second}})
    assert [one.name for one in found.services] == ["api"]


def test_hosts_that_differ_count_together(repo):
    here = repo()
    first = here.git("rev-parse", "HEAD")
    second = here.commit("services/jobs/code.py")
    same = {name: {second} for name in ("api", "web")}
    assert [one.name for one in live(here, {**same, "jobs": {first, second}}).services] == ["jobs"]


def test_what_is_not_live_or_of_unknown_source_is_selected(repo):
    here = repo()
    head = here.git("rev-parse", "HEAD")
    found = reasons(live(here, {"api": {""}, "web": {head}}))
    assert found["api"] == "its live image does not say which commit it was built from"
    assert found["jobs"] == "it is not live in staging"
    assert found["web"].startswith("built from api")
    assert "lib" not in found
    assert list(reasons(live(here, {}))) == ALL


def test_a_library_is_compared_with_all_that_is_live(repo):
    here = repo()
    first = here.git("rev-parse", "HEAD")
    here.commit("libs/lib/code.py")
    third = here.commit("services/jobs/code.py")
    found = live(here, {"api": {third}, "web": {third}, "jobs": {first}})
    assert [one.name for one in found.services] == ["api", "jobs", "lib", "web"]
