"""What init writes loads as it is, explains itself, and is never written twice."""

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead.config import load
from fairlead.config.starter import Guess, render, to_write, write

GUESS = Guess(
    app="shop",
    routed="api",
    port=8000,
    health="/health",
    stateful=("db", "redis"),
    images={"api": "registry.example.com/shop", "worker": "registry.example.com/shop"},
    registry="registry.example.com",
)


def started(root, guess=GUESS, **options):
    (root / "compose.yaml").touch()
    files = render(guess, **options)
    return files, write(root, files)


def test_it_loads_without_edits(tmp_path):
    started(tmp_path)
    for name in ("staging", "production"):
        environment = load(tmp_path, name, {})
        assert environment.hosts[0].address == f"{name}.example.com"
        assert [str(route) for route in environment.service("api").routes] == ["*/"]
        assert environment.service("api").health.path == "/health"
        assert {one.name for one in environment.stateful} == {"db", "redis"}
        assert environment.service("worker").image == "registry.example.com/shop"
        assert environment.smoke[0].path == "/health"


def test_the_hosts_come_from_the_environment_when_it_has_them(tmp_path):
    started(tmp_path)
    assert load(tmp_path, None, {"STAGING_HOST": "10.0.0.9"}).hosts[0].address == "10.0.0.9"


def test_each_key_is_explained_once(tmp_path):
    files, _ = started(tmp_path)
    text = files["deploy/fairlead.toml"]
    comments = re.findall(r"^# .*\n", text, re.MULTILINE)
    assert text.count("Repository of its image") == 1
    assert len(comments) >= 15
    assert max(map(len, text.splitlines())) <= 100


def test_unset_variables_are_required_from_then_on(tmp_path):
    files, _ = started(tmp_path, unset=("SECRET_KEY",))
    assert files[".env.example"].endswith("\nSECRET_KEY=\n")
    assert load(tmp_path, None, {"SECRET_KEY": "x"}).from_process == ("SECRET_KEY",)


def test_what_exists_is_kept(tmp_path):
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/staging.toml").write_text("# mine\n")
    files, created = started(tmp_path)
    assert created["deploy/staging.toml"] is False
    assert created["deploy/fairlead.toml"] is True
    assert (tmp_path / "deploy/staging.toml").read_text() == "# mine\n"
    assert set(write(tmp_path, files).values()) == {False}


NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,8}[A-Za-z0-9])?", fullmatch=True)


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=40)
@given(
    names=st.lists(NAMES, min_size=1, max_size=4, unique=True),
    stateful=st.integers(0, 3),
    port=st.integers(1, 65535),
)
def test_any_guess_loads(tmp_path_factory, names, stateful, port):
    guess = Guess("app", routed=names[0], port=port, stateful=tuple(names[1 : 1 + stateful]))
    root = tmp_path_factory.mktemp("project")
    started(root, guess)
    assert load(root, None, {}).service(names[0]).port == port


def test_no_service_for_requests_is_a_project_too(tmp_path):
    started(tmp_path, Guess("batch"))
    assert load(tmp_path, None, {}).services == {}


def test_values_are_kept_out_of_git_whatever_gitignore_says_already(tmp_path):
    (tmp_path / ".gitignore").write_text("build/\n.fairlead/")
    _, created = started(tmp_path)
    assert created[".gitignore"] is True
    written = (tmp_path / ".gitignore").read_text()
    assert written == "build/\n.fairlead/\n.env*\n!.env.example\n"
    files, again = started(tmp_path)
    assert again[".gitignore"] is False
    assert (tmp_path / ".gitignore").read_text() == written
    assert to_write(tmp_path, files) == []


def test_a_new_gitignore_keeps_values_out(tmp_path):
    files, _ = started(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == ".env*\n!.env.example\n.fairlead/\n"
    assert "fairlead init --reference" in files["deploy/fairlead.toml"]
