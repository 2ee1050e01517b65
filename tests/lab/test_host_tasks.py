"""A server that has nothing but sshd becomes ready: host.setup, then doctor, host.check.

Docker and Compose are really installed, by apt, on a host of its own that is removed afterwards.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lab.hosts import ROOT, Lab

NAME = "fairlead-bare1"
BASE = "fairlead-lab/debian:trixie"
USER = "shipper"

pytestmark = pytest.mark.timeout(600)

BOOT = """
set -e
nest_cgroups
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends openssh-server sudo
mkdir -p /run/sshd
exec /usr/sbin/sshd -D -e
"""

CONFIG = """\
app = "fresh"
compose = "compose.yaml"
default_environment = "staging"

[ssh]
user = "shipper"
key = "{key}"
known_hosts = "known_hosts"

[registry]
server = "{registry}"
insecure = true

[router]
image = "{registry}/haproxy:3.0"

[services.web]
image = "{registry}/agentic"
port = 8000
routes = ["*"]
"""


def run(*argv: str, **options: Any) -> str:
    """Run a program here; its stdout, or a failed test with all it said."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def inside(command: str) -> str:
    """A shell command as root on the bare host, beside sshd."""
    return run("docker", "exec", NAME, "sh", "-c", command)


@dataclass
class Told:
    """What a command told with --json."""

    code: int
    lines: list[dict[str, Any]]

    @property
    def result(self) -> dict[str, Any]:
        return self.lines[-1]

    @property
    def errors(self) -> list[dict[str, Any]]:
        return [line["error"] for line in self.lines if line["type"] == "error"]

    def rows(self) -> list[dict[str, Any]]:
        return [row for line in self.lines if line["type"] == "table" for row in line["rows"]]

    def outcomes(self, name: str) -> list[str]:
        return [row["outcome"] for row in self.rows() if row["check"] == name]


@dataclass
class Project:
    """A project folder, and `inv` in it."""

    folder: Path

    def inv(self, *words: str) -> Told:
        done = subprocess.run(
            [Path(sys.executable).with_name("inv"), *words, "--json"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=500,
        )
        assert done.stdout, done.stderr
        return Told(done.returncode, [json.loads(line) for line in done.stdout.splitlines()])


def host_flags() -> list[str]:
    """How this machine lets a container run an engine: the lab knows."""
    parts = (". scripts/lab.d/common.sh", f"base_image={BASE}", ". scripts/lab.d/hosts.sh")
    return run("bash", "-c", "; ".join((*parts, "host_flags")), cwd=ROOT).splitlines()


def start_bare_host(lab: Lab, address: str) -> None:
    """A container with an sshd, root's key, and a daemon.json of its owner's."""
    nest = re.search(
        r"^nest_cgroups.*?^}",
        (ROOT / "scripts/lab.d/images/host/lab-host").read_text(),
        re.M | re.S,
    )
    assert nest
    run("docker", "volume", "create", "--label", "fairlead-lab", NAME)
    run(
        *("docker", "run", "-d", "--init", "--name", NAME, "--hostname", "bare1"),
        *("--label", "fairlead-lab", "--network", lab.network, "--ip", address),
        *("--tmpfs", "/run:exec", "-v", f"{NAME}:/var/lib/docker", *host_flags()),
        *(BASE, "sh", "-c", nest[0] + BOOT),
    )
    settings = (ROOT / "scripts/lab.d/images/host/daemon.json").read_text()
    key = Path(f"{lab.key}.pub").read_text().strip()
    inside(f"mkdir -p /etc/docker && cat >/etc/docker/daemon.json <<'END'\n{settings}\nEND")
    # Its init script raises limits, which root of a container may not everywhere.
    inside("echo 'ulimit() { :; }' >/etc/default/docker")
    inside(f"mkdir -p -m 700 /root/.ssh && echo '{key}' >/root/.ssh/authorized_keys")


def remove_bare_host() -> None:
    subprocess.run(["docker", "rm", "-f", "-v", NAME], capture_output=True)
    subprocess.run(["docker", "volume", "rm", NAME], capture_output=True)


def await_sshd(address: str) -> str:
    """Until it shows its keys; what ssh-keyscan says."""
    for _ in range(120):
        found = subprocess.run(["ssh-keyscan", address], capture_output=True, text=True).stdout
        if found:
            return found
        time.sleep(0.5)
    logs = run("docker", "logs", "--tail", "20", NAME)
    raise AssertionError(f"the bare host has no sshd: {logs}")


@pytest.fixture(scope="module")
def address(lab: Lab) -> Iterator[str]:
    """The bare host's address; the host is removed after the module's tests."""
    address = lab.subnet.replace(".0/24", ".251")
    remove_bare_host()
    try:
        start_bare_host(lab, address)
        await_sshd(address)
        yield address
    finally:
        remove_bare_host()


@pytest.fixture(scope="module")
def project(lab: Lab, address: str, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose only host is the bare one."""
    folder = tmp_path_factory.mktemp("fresh")
    compose = f"services:\n  web:\n    image: {lab.registry}/agentic:v1\n"
    (folder / "deploy").mkdir()
    (folder / "deploy/fairlead.toml").write_text(CONFIG.format(key=lab.key, registry=lab.registry))
    (folder / "deploy/staging.toml").write_text(f'[hosts.bare1]\naddress = "{address}"\n')
    (folder / "deploy/compose.yaml").write_text(compose)
    (folder / "tasks.py").write_text('from fairlead.tasks import ns\n\n__all__ = ["ns"]\n')
    return Project(folder)


def test_an_unknown_host_key_is_refused_and_the_command_that_trusts_it_works(
    project: Project,
) -> None:
    told = project.inv("host.setup", "--yes")
    assert told.code == 1
    [error] = told.errors
    assert "host key is not known" in error["what"]
    trust = error["next"].rpartition("then: ")[2]
    assert trust.startswith("ssh-keyscan")
    assert inside("command -v docker || id shipper 2>/dev/null || echo nothing") == "nothing"
    run("sh", "-c", trust)


def test_doctor_on_a_bare_host_names_what_sets_it_up(project: Project) -> None:
    told = project.inv("doctor")
    assert told.code == 1
    assert told.outcomes("ssh") == ["failed"]  # there is no such user yet
    assert set(told.outcomes("docker") + told.outcomes("disk")) == {"not-run"}
    assert "inv host.setup" in told.result["failures"][0]["fix"]


def test_setup_asks_before_it_changes_anything(project: Project) -> None:
    told = project.inv("host.setup")
    assert told.code == 2
    assert "--yes" in told.errors[0]["next"]
    assert inside("command -v docker || echo none") == "none"


def test_setup_plan_contacts_nobody(project: Project) -> None:
    told = project.inv("host.setup", "--plan")
    assert told.code == 0
    [plan] = [line for line in told.lines if line["type"] == "plan"]
    words = [c["argv"][0] for step in plan["steps"] for c in step["commands"]["bare1"]]
    assert words == [
        "fl_setup_docker",
        "fl_setup_service",
        "fl_setup_user",
        "fl_setup_key",
        "fl_setup_directory",
        "fl_setup_directory",
        "fl_setup_proof",
    ]
    assert inside("command -v docker || echo none") == "none"


def test_setup_makes_a_bare_host_ready(project: Project) -> None:
    before = inside("cat /etc/docker/daemon.json; sshd -T")
    told = project.inv("host.setup", "--yes")
    assert told.code == 0, told.errors
    done = [row["what"] for row in told.rows() if row["outcome"] == "changed"]
    assert any(what.startswith("Docker 26") and "Compose 2.26" in what for what in done)
    assert f"user {USER} made, without a password" in done
    assert f"user {USER} added to the group docker" in done
    assert inside("cat /etc/docker/daemon.json; sshd -T") == before
    assert inside("stat -c '%a %U %G' /opt/fresh/staging /opt/fairlead").splitlines() == [
        "2750 shipper docker",
        "2770 shipper docker",
    ]
    assert inside(f"stat -c '%a %U' /home/{USER}/.ssh /home/{USER}/.ssh/authorized_keys") == (
        f"700 {USER}\n600 {USER}"
    )


def test_doctor_passes_on_the_host_that_was_set_up(project: Project) -> None:
    told = project.inv("doctor")
    assert told.code == 0, told.result
    assert {row["outcome"] for row in told.rows()} == {"passed"}
    assert {row["check"] for row in told.rows()} >= {"ssh", "docker", "registry", "port", "disk"}


def test_a_second_setup_changes_nothing(project: Project) -> None:
    watched = (
        "find /opt /etc /home /root -xdev -newer /tmp/mark -type f; "
        "sha256sum /home/shipper/.ssh/authorized_keys; id shipper"
    )
    inside("touch /tmp/mark")
    before = inside(watched)
    told = project.inv("host.setup", "--yes")
    assert told.code == 0
    assert told.result["outcome"] == "unchanged"
    assert {row["outcome"] for row in told.rows()} == {"was right"}
    assert inside(watched) == before


def test_setup_as_a_user_who_may_use_sudo(lab: Lab, project: Project) -> None:
    key = Path(f"{lab.key}.pub").read_text().strip()
    inside(
        "useradd -m -p '*' admin && mkdir -m 700 ~admin/.ssh && "
        f"echo '{key}' >~admin/.ssh/authorized_keys && chown -R admin: ~admin/.ssh"
    )
    told = project.inv("host.setup", "--yes", "--user=admin")
    assert told.code == 1
    [error] = told.errors
    assert "admin may not become root" in error["what"]
    inside("echo 'admin ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/admin")
    assert project.inv("host.setup", "--yes", "--user=admin").result["outcome"] == "unchanged"


def test_a_second_key_is_added_to_the_first(project: Project, tmp_path: Path) -> None:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ci", "-f", str(tmp_path / "ci"))
    private = project.inv("host.setup", "--yes", f"--key-file={tmp_path}/ci")
    assert private.code == 2
    assert "is not one public key" in private.errors[0]["what"]
    told = project.inv("host.setup", "--yes", f"--key-file={tmp_path}/ci.pub")
    [changed] = [row["what"] for row in told.rows() if row["outcome"] == "changed"]
    assert changed.endswith(f"(ci) may log in as {USER}")
    assert inside(f"grep -c ^ssh-ed25519 /home/{USER}/.ssh/authorized_keys") == "2"


def test_doctor_tells_each_fault_of_a_host_with_its_fix(lab: Lab, project: Project) -> None:
    inside(
        "perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => 80, Listen => 1); "
        "sleep 300' >/dev/null 2>&1 & echo $! >/tmp/squatter"
    )
    image = f"{lab.registry}/haproxy:3.0"
    inside(f"docker run -d --name squat -p 442-443:80-81 --entrypoint sleep {image} 300")
    inside("chown root /opt/fresh/staging; mv /usr/bin/flock /usr/bin/flock.away; sleep 1")
    try:
        told = project.inv("doctor")
    finally:
        inside("chown shipper /opt/fresh/staging; mv /usr/bin/flock.away /usr/bin/flock")
        inside("kill $(cat /tmp/squatter); docker rm -f squat")
    assert told.code == 1
    faults = told.result["failures"]
    assert [fault["name"] for fault in faults] == ["flock", "directory", "port", "port"]
    assert "apt-get install util-linux" in faults[0]["fix"]
    assert "inv host.setup" in faults[1]["fix"]
    assert "80 is taken" in faults[2]["what"]
    assert "ss -ltnp" in faults[2]["fix"]
    assert faults[3]["what"] == "443 is published by container squat"
    assert "docker stop squat" in faults[3]["fix"]


def test_doctor_tells_a_user_outside_the_group_docker(project: Project) -> None:
    inside(f"gpasswd -d {USER} docker")
    told = project.inv("doctor")
    assert told.outcomes("docker") == ["failed"]
    assert told.outcomes("compose") == ["not-run"]
    assert "not in the group docker" in told.result["failures"][0]["what"]
    repaired = project.inv("host.setup", "--yes")
    assert repaired.result["changed"] == {"bare1": 1}
    assert project.inv("doctor").code == 0


def test_host_check_finds_what_is_unhealthy(lab: Lab, project: Project) -> None:
    assert project.inv("host.check").code == 0
    image = f"{lab.registry}/haproxy:3.0"
    inside(
        f"docker run -d --name sick --entrypoint sh --health-cmd 'echo no way; exit 1' "
        f"--health-interval 1s --health-retries 1 {image} -c 'echo i feel ill; exec sleep 300'"
    )
    inside(f"docker run -d --name loop --restart always --entrypoint false {image}")
    try:
        told = _until_both_are_seen(project)
    finally:
        inside("docker rm -f sick loop")
    assert told.code == 1
    faults = " ".join(told.result["faults"])
    assert "container sick is unhealthy" in faults
    assert "container loop is restarting (exit code 1" in faults
    notes = [note for line in told.lines if line["type"] == "table" for note in line["notes"]]
    assert "bare1 sick health check: no way" in notes
    assert "bare1 sick log: i feel ill" in notes


def _until_both_are_seen(project: Project) -> Told:
    for _ in range(10):
        told = project.inv("host.check")
        if len(told.result["faults"]) == 2:
            return told
        time.sleep(1)
    return told


def test_a_host_without_a_running_engine(project: Project) -> None:
    inside("/etc/init.d/docker stop; sleep 1")
    told = project.inv("doctor")
    assert told.outcomes("docker") == ["failed"]
    assert "systemctl enable --now docker" in told.result["failures"][0]["fix"]
    assert "Docker does not answer" in " ".join(project.inv("host.check").result["faults"])
    again = project.inv("host.setup", "--yes")
    assert again.code == 0, again.errors
    assert [r["what"] for r in again.rows() if r["outcome"] == "changed"] == ["Docker started"]
    assert project.inv("doctor").code == 0
