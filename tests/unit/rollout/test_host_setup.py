"""What host.setup would do, whose key it takes, and how failures are told."""

import subprocess

import pytest
from factories import an_environment

from fairlead.config.connection import Ssh
from fairlead.errors import HostError, UsageError
from fairlead.rollout.host_setup import Deed, Outcome, PublicKey, one_error, plan, public_key

KEY = PublicKey("ssh-ed25519 AAAA me", "SHA256:x (me)")


@pytest.fixture
def pair(tmp_path):
    """A key pair that ssh-keygen made; the private file's path."""
    file = tmp_path / "id"
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "me at work", "-f", str(file)]
    subprocess.run(argv, check=True)
    return file


def test_the_key_is_named_as_ssh_names_it(pair):
    key = public_key(an_environment(), f"{pair}.pub")
    shown = subprocess.run(
        ["ssh-keygen", "-lf", f"{pair}.pub"], capture_output=True, text=True, check=True
    ).stdout
    assert key.name.split()[0] == shown.split()[1]
    assert key.name.endswith("(me at work)")
    assert key.line == pair.with_suffix(".pub").read_text().strip()


def test_the_configured_key_is_the_default(pair):
    assert public_key(an_environment(ssh=Ssh(key=str(pair))), "").name.endswith("(me at work)")


def test_a_private_key_never_leaves_this_machine(pair):
    with pytest.raises(UsageError, match="is not one public key") as refused:
        public_key(an_environment(), str(pair))
    assert "PRIVATE" not in str(refused.value)
    assert "no host was contacted" in refused.value.state


def test_a_key_that_is_not_there_says_how_to_make_one(tmp_path):
    with pytest.raises(UsageError, match="cannot be read: No such file") as refused:
        public_key(an_environment(), str(tmp_path / "none.pub"))
    assert "ssh-keygen -t ed25519" in refused.value.next_step


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 AAAA\nssh-ed25519 BBBB",
        'command="rm -rf /" ssh-ed25519 AAAA',
        "ssh-ed25519 AAAA$(id)",
    ],
)
def test_what_is_not_one_plain_public_key_is_refused(tmp_path, text):
    file = tmp_path / "key.pub"
    file.write_text(text)
    with pytest.raises(UsageError):
        public_key(an_environment(), str(file))


def test_the_plan_names_every_step_on_every_host():
    steps = plan(an_environment(("web1", "web2")), KEY)
    assert all(step.hosts == ("web1", "web2") for step in steps)
    argvs = [command.argv for step in steps for command in step.commands["web2"]]
    assert argvs == [
        ("fl_setup_docker", "2.24", ""),
        ("fl_setup_service",),
        ("fl_setup_user", "deploy"),
        ("fl_setup_key", "deploy", KEY.line, KEY.name),
        ("fl_setup_directory", "/opt/agentic/staging", "deploy", "2750"),
        ("fl_setup_directory", "/opt/fairlead", "deploy", "2770"),
        ("fl_setup_proof", "deploy"),
    ]


def test_one_failure_is_told_as_it_is_and_several_together():
    well = Outcome((Deed(True, "Docker"),))
    ill = {
        name: Outcome((), HostError(name, "no route", next_step="try ssh")) for name in ("b", "c")
    }
    assert one_error({"a": well}) is None
    assert one_error({"a": well, "b": ill["b"]}) is ill["b"].error
    both = one_error({"a": well, **ill})
    assert both is not None
    assert both.what == "2 of 3 hosts are not ready"
    assert both.why == ("b: no route", "  next: try ssh", "c: no route", "  next: try ssh")
