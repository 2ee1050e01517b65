"""A laptop with an SSH key and no secrets; commands that are narrowed: every task of the namespace.

In this process, since a start of the program for every task and flag would take minutes.
"""

import json
from collections.abc import Callable

import pytest

from fairlead.program import Fairlead
from fairlead.tasks import ns
from tests.cli.test_docs import has_compose

TASKS = tuple(ns.task_names)
WORDS = {
    "deploy": ("--tag=v1",),
    "rollback": ("--quick",),
    "exec": ("--service=api", "--", "true"),
    "lock.release": ("--force=gone", "--yes"),
    "backups.copy": ("--to=/srv", "--yes"),
}
"""What a task needs to be told before it looks at its environment."""

Start = Callable[..., tuple[int, str]]


@pytest.fixture
def start(tmp_path, monkeypatch, capfd) -> Start:
    """Run `fairlead <words>` in a project whose only host cannot be reached."""
    (tmp_path / "deploy").mkdir()
    (tmp_path / "compose.yaml").write_text("services: {api: {image: shop}}\n")
    (tmp_path / ".env.example").write_text("DATABASE_URL=\n")
    (tmp_path / "deploy/fairlead.toml").write_text(
        'app = "shop"\ncompose = "../compose.yaml"\n[services.api]\nimage = "shop"\n'
    )
    (tmp_path / "deploy/staging.toml").write_text(
        '[ssh]\nport = 1\nconnect_timeout = "1s"\n[hosts.web1]\naddress = "127.0.0.1"\n'
    )
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str]:
        argv = ["fairlead", *words]
        monkeypatch.setattr("sys.argv", argv)
        with pytest.raises(SystemExit) as ended:
            Fairlead(namespace=ns, name="fairlead", binary="fairlead").run(argv)
        return int(ended.value.code or 0), "".join(capfd.readouterr())

    for name in ("GITHUB_ACTIONS", "FAIRLEAD_ROOT", "FAIRLEAD_BASE", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return run


def given(name: str, *more: str) -> tuple[str, ...]:
    return (name, *more, *WORDS.get(name, ("--plan",)))


@pytest.mark.parametrize("name", TASKS)
def test_only_a_deploy_and_its_check_up_ask_for_the_applications_secrets(start, name):
    _, told = start(*given(name))
    refused = "DATABASE_URL: is required by" in told
    assert refused is (name in ("deploy", "doctor")), told


@pytest.mark.parametrize("flag", ["service", "hosts"])
@pytest.mark.parametrize("name", TASKS)
def test_no_task_ignores_what_it_is_narrowed_to(start, name, flag, monkeypatch):
    """It says that there is no such service or host, or that it takes no such flag, and why."""
    if flag == "service" and name in ("build", "push"):
        pytest.skip("looks at the commit first, and works on this machine")
    monkeypatch.setenv("DATABASE_URL", "x")
    narrowed = given(name, f"--{flag}=nonsense")
    code, told = start(*(word for word in narrowed if word != f"--{flag}=api"))
    assert code == 2, told
    assert "nonsense" in told or f"takes no --{flag}: " in told or "declares no services" in told


def test_the_refusal_says_why_and_what_to_do(start):
    code, told = start("rollback", "--quick", "--service=api")
    assert code == 2
    assert "✗ rollback takes no --service: a release is rolled back whole\n" in told
    assert "next:  repeat it without --service" in told


@pytest.mark.parametrize("words", [("rollback", "--quick"), ("status",)])
def test_without_env_it_is_the_default_one_and_that_is_said(start, words):
    notice = "environment staging, the default; --env names another"
    assert notice in start(*words)[1]
    assert notice not in start(*words, "--env=staging")[1]


def test_help_says_what_is_not_for_a_task(start):
    assert "Not for this task: a release is rolled back whole" in start("rollback", "--help")[1]
    assert "Not for this task" not in start("logs", "--help")[1]


def test_a_resumed_deploy_goes_on_with_its_own_services(start):
    code, told = start("deploy", "--resume", "--service=api")
    assert code == 2
    assert "takes no --tag and no --service" in told


@pytest.mark.skipif(not has_compose(), reason="`docker compose` is not installed here")
def test_init_names_all_that_is_to_be_done_and_one_command_and_says_when_nothing_was(
    start, monkeypatch, tmp_path
):
    (tmp_path / "compose.yaml").write_text(
        "services: {api: {image: shop, environment: {KEY: '${KEY}'}}}\n"
    )
    for outcome in ("written", "unchanged"):
        result = json.loads(start("init", "--json")[1].splitlines()[-1])
        assert result["outcome"] == outcome
        assert result["summary"][-3:] == [
            "then: write the server's address into deploy/staging.toml",
            "then: write values into .env.staging: KEY",
            "next: fairlead doctor --env=staging",
        ]


def test_a_slot_that_does_not_exist_is_refused_before_any_host_is_asked(start):
    code, told = start("logs", "--slot=grene")
    assert (code, "there is no slot `grene`" in told) == (2, True)
