"""Commands in sentences: the program that was typed, the environment that is at hand."""

import ast
import re
from pathlib import Path

import pytest

import fairlead
from fairlead.errors import HostError
from fairlead.events import Notice
from fairlead.report.called import spoken_as
from fairlead.tasks import ns

SOURCES = sorted(Path(fairlead.__file__).parent.rglob("*.py"))
NEED_NONE = ("init", "lint", "test", "scan", "build", "push", "services.list", "release.")
"""Tasks that people are told to type and that go to no environment's hosts by themselves."""


def sentences() -> list[str]:
    """Every text in the source that names one of our commands."""
    found = {
        node.value
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return sorted(text for text in found if re.search(r"\binv [a-z]", text))


def test_every_command_that_a_person_is_told_to_type_names_the_environment():
    """Followed at night for production, none of them may reach the default environment."""
    spoken = spoken_as("inv", lambda: "production")
    seen = 0
    for text in sentences():
        for command in re.findall(r"\binv ([a-z.]+[a-z][^`;,()\n]*)", spoken(text)):
            task = command.split()[0].rstrip(".")
            if task in ns.task_names and not task.startswith(NEED_NONE):
                seen += 1
                assert " --env=" in command, text
    assert seen > 40, "this test no longer finds what it looks for"


@pytest.mark.parametrize(
    ("told", "typed"),
    [
        ("inv status", "fairlead status --env=production"),
        (
            "inv deploy --resume finishes it",
            "fairlead deploy --env=production --resume finishes it",
        ),
        ("inv logs, inv status; then", "fairlead logs --env=production, fairlead status"),
        ("inv lock.release --token=1f", "fairlead lock.release --env=production --token=1f"),
        ("see inv doctor.", "see fairlead doctor --env=production."),
        ("inv rollback --list --env=staging", "fairlead rollback --list --env=staging"),
        ("inv lint --fix", "fairlead lint --fix"),
        ("inv deployment", "fairlead deployment"),
    ],
)
def test_where_the_environment_goes(told, typed):
    assert spoken_as("fairlead", lambda: "production")(told).startswith(typed)


def test_before_an_environment_is_known_none_is_named():
    assert spoken_as("inv")("inv status") == "inv status"


@pytest.mark.parametrize("json", [False, True])
def test_it_is_so_in_all_that_an_error_and_a_notice_say(listen, json):
    heard = listen(environment="production", program="fairlead", json=json)
    why = ["back: inv rollback --to=v1"]
    heard.reporter.event(Notice("inv lock.status tells more"))
    heard.reporter.error(HostError("web1", "gone", why=why, next_step="inv status"))
    heard.reporter.table("t", ["a"], [["b"]], ["inv deploy --resume finishes it"])
    told = heard.out.text + heard.err.text
    for command in ("lock.status", "rollback", "status", "deploy"):
        assert f"fairlead {command} --env=production" in told
