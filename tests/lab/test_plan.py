"""A plan changes nothing, and what is carried out is the plan: read from what sshd was asked."""

import base64
import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.lab.hosts import Host
from tests.lab.project import Project

RECORDS = "/tmp/asked"  # a file a command, named by time
RECORDER = f"""#!/bin/sh
mkdir -p {RECORDS}
printf %s "$SSH_ORIGINAL_COMMAND" >"{RECORDS}/$(date +%s.%N).$$"
exec sh -c "$SSH_ORIGINAL_COMMAND"
"""
LOOKS = {"fl_observe", "fl_observe_state", "fl_observe_serving"}
KEEPS = {
    "fl_lock",
    "fl_fence",
    "fl_renew",
    "fl_unlock",
    "fl_audit",
    "fl_journal_open",
    "fl_journal_end",
}  # around the plan's steps
STAMP = re.compile(r"\b\d{8}-\d{6}(-\d+)?\b")  # a backup's name: the second it is taken


@dataclass(frozen=True)
class Recorded:
    """A host whose sshd writes down each command line that one key asks for."""

    host: Host

    def forget(self) -> None:
        self.host.must(f"rm -rf {RECORDS}")

    def scripts(self) -> list[list[list[str]]]:
        """What it was asked since `forget`, in order: the commands of each script."""
        encoded = self.host.must(
            f"cd {RECORDS} 2>/dev/null || exit 0; for f in *; do base64 -w0 $f; echo; done"
        )
        return [_commands(base64.b64decode(line).decode()) for line in encoded.splitlines()]

    def commands(self) -> list[list[str]]:
        """The same in one list."""
        return [command for script in self.scripts() for command in script]


def _commands(asked: str) -> list[list[str]]:
    """Of `exec sh -c SCRIPT`: the line after each `echo @run N`, its words."""
    words = shlex.split(asked)
    assert words[:3] == ["exec", "sh", "-c"], f"not one of Fairlead's scripts: {asked[:200]}"
    _, *parts = re.split(r"^echo @run \d+.*\n", words[3], flags=re.M)
    return [
        shlex.split(part.strip().removesuffix(" </dev/null").removesuffix(" <&7")) for part in parts
    ]


@pytest.fixture(scope="module")
def app(project, image, tmp_path_factory) -> Iterator[Project]:
    """An application that is deployed with the key whose commands are written down."""
    one: Project = project("planned", worker=True, migrate=True, replicas=2)
    host, key = one.hosts[0], tmp_path_factory.mktemp("key") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    public = key.with_suffix(".pub").read_text().strip()
    host.must(
        f"printf %s {shlex.quote(RECORDER)} >~/recorder; chmod +x ~/recorder; mkdir -p ~/.ssh"
    )
    line = f'command="/home/deploy/recorder" {public}'
    host.must(f"printf '%s\\n' {shlex.quote(line)} >~/.ssh/authorized_keys")
    one.edit("deploy/fairlead.toml", str(one.lab.key), str(key))
    yield one
    host.must(f"rm -rf ~/recorder ~/.ssh/authorized_keys {RECORDS}")


@pytest.fixture
def asked(app) -> Recorded:
    recorded = Recorded(app.hosts[0])
    recorded.forget()
    return recorded


def planned(app: Project, *words: str) -> dict[str, Any]:
    run = app.inv(*words, "--plan", "--json").ok()
    found: dict[str, Any] = next(line for line in run.lines if line["type"] == "plan")
    return found


def commands(plan: dict[str, Any], host: str) -> list[list[str]]:
    """What a plan says will run on a host, in order."""
    return [command["argv"] for step in plan["steps"] for command in step["commands"].get(host, ())]


def same(found: list[list[str]], wanted: list[list[str]]) -> None:
    """The same commands, byte for byte, but for the second a backup is named after."""
    assert [STAMP.sub("STAMP", shlex.join(words)) for words in found] == [
        STAMP.sub("STAMP", shlex.join(words)) for words in wanted
    ]


WAYS = {
    "first deploy": ("blue-green", ("deploy", "--tag=plan-v1")),
    "blue-green": ("blue-green", ("deploy", "--tag=plan-v2")),
    "rollback": ("blue-green", ("rollback", "--quick")),
    "rolling": ("rolling", ("deploy", "--tag=plan-v2")),
    "recreate": ("recreate", ("deploy", "--tag=plan-v1")),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_plan_only_looks_and_the_commands_carried_out_equal_it(app, image, asked, way):
    image("plan-v1"), image("plan-v2")
    strategy, words = WAYS[way]
    app.edit("deploy/fairlead.toml", f'strategy = "{app.strategy}"', f'strategy = "{strategy}"')
    app.strategy = strategy
    host = app.hosts[0]
    before = host.snapshot()
    plan = planned(app, *words, "--env=staging")
    assert host.snapshot() == before
    looked = {command[0] for command in asked.commands()}
    assert looked
    assert looked <= LOOKS
    asked.forget()
    done = app.inv(*words, "--env=staging", "--json").ok()
    scripts = asked.scripts()
    ran = [command for script in scripts for command in script]
    same([command for command in ran if command[0] not in LOOKS | KEEPS], commands(plan, host.name))
    kept = [command[0] for command in ran if command[0] in KEEPS]
    assert kept[0] == "fl_lock"
    assert kept[-1] == "fl_unlock"
    assert kept.count("fl_lock") == kept.count("fl_unlock") == kept.count("fl_audit") == 1
    acting = [script for script in scripts if script[0][0] == "fl_fence"]  # asks for the lock first
    steps = [step for step in plan["steps"] if step["commands"]]
    assert len(acting) == len(steps)  # one script a step; the audit is in the last
    assert done.result["release"] == plan["header"]["release"]


@pytest.mark.parametrize(
    "words",
    [
        *(("status",), ("logs",), ("smoke",), ("lock.status",), ("backups.list",)),
        *(
            ("exec", "--service=api"),
            ("lock.release", "--force=x", "--yes"),
            ("rollback", "--list"),
        ),
    ],
    ids=" ".join,
)
def test_no_task_changes_anything_with_plan(app, asked, words):
    before = app.hosts[0].snapshot()
    more = ("--", "touch", "/tmp/made") if words[0] == "exec" else ()
    run = app.inv(*words, "--env=staging", "--plan", "--json", *more).ok()
    assert json.loads(run.out.splitlines()[-1])["exit_code"] == 0
    assert {command[0] for command in asked.commands()} <= LOOKS
    assert app.hosts[0].snapshot() == before


def test_people_are_shown_the_same_commands(app, image):
    """`--plan -v` prints the very argv, ready to be read, one line a command."""
    tag = image("plan-v1")
    plan = planned(app, "deploy", f"--tag={tag}", "--env=staging")
    shown = app.inv("deploy", "--env=staging", f"--tag={tag}", "--plan", "-v").ok().out
    host = app.hosts[0].name
    lines = {STAMP.sub("STAMP", line.strip()) for line in shown.splitlines()}
    for argv in commands(plan, host):
        wanted = STAMP.sub("STAMP", f"$ {shlex.join(argv)}")
        assert any(line == wanted or line.startswith(f"{wanted} < ") for line in lines), wanted
    assert shown.rstrip().splitlines()[-1].startswith(f"{len(plan['steps'])} steps, ")
