"""A volume's files, and a pair of commands: dumped, destroyed, restored, on a real engine."""

import shlex

import pytest

from fairlead.commands import backup
from fairlead.commands.script import script
from fairlead.config import BackupData
from fairlead.errors import HostError
from fairlead.model import Command
from fairlead.model import Host as Machine
from fairlead.transport.ssh import SshSettings
from fairlead.transport.stream import download, upload
from tests.lab.hosts import ROUTER, clear

APP, KEY, BASE = "volumes", "volumes-staging", "/opt/volumes/staging"
VOLUME = f"{KEY}-uploads"
STAMP = "20251202-143022"
FILES = BackupData("uploads", "volume", "files", volume=VOLUME, verify="cat 'a b/.hidden'")
PAIR = BackupData(
    "pair",
    "command",
    "files",
    dump="cat /tmp/state",
    restore="cat >/tmp/state.new && mv /tmp/state.new /tmp/state",
    check="grep -q whole",
    verify="wc -l",
)
LOOK = "cd /data && find . -printf '%P %y %m %U %l\\n' | sort && cat 'a b/.hidden'"


@pytest.fixture(scope="module")
def host(lab, hosts):
    """A host with a release's folder, and a container whose volume holds odd files."""
    (host,) = hosts(1)
    clear((host,), APP, ("staging",))
    labels = f"--label fairlead.key={KEY} --label fairlead.service=files"
    host.must(
        f"mkdir -p {BASE}/releases/0001-v1 {BASE}/backups && "
        f'printf \'  "app": "{APP}",\\n  "environment": "staging"\\n\' '
        f">{BASE}/releases/0001-v1/manifest.json && docker volume create {VOLUME} && "
        f"docker run -d --stop-timeout 1 --name {KEY}-files {labels} "
        "--label com.docker.compose.oneoff=False "
        f"-v {VOLUME}:/data --entrypoint tail {lab.registry}/redis:8 -f /dev/null"
    )
    inside(
        host,
        "cd /data && mkdir 'a b' && echo kept >'a b/.hidden' && ln -s 'a b/.hidden' link && "
        "chmod 640 'a b/.hidden' && chown 1234 'a b/.hidden' && echo top >.dot && "
        "printf 'whole\\nlines\\n' >/tmp/state",
    )
    yield host
    clear((host,), APP, ("staging",))


def inside(host, line):
    return host.must(f"docker exec {KEY}-files sh -c {shlex.quote(line)}")


def run(host, *commands):
    variables = {"FL_KEY": KEY, "FL_BASE": BASE, "FL_ROUTER": ROUTER, "FL_TOKEN": ""}
    return host.run(shlex.join(script(commands, variables).argv))


def test_files_and_state_come_back_as_they_were(host):
    """Names with spaces, hidden files, links, owners and modes; what came since is gone."""
    before = inside(host, LOOK)
    done = run(
        host,
        backup.begin(STAMP, "0001-v1", 2),
        backup.data(STAMP, FILES, required=True),
        backup.data(STAMP, PAIR, required=True),
        backup.end(STAMP),
        backup.check(STAMP, "uploads", "pair"),
    )
    assert done.code == 0, done
    inside(host, "cd /data && rm -rf 'a b' link && echo new >since && echo changed >.dot")
    inside(host, "echo destroyed >/tmp/state")
    restored = run(host, backup.restore(STAMP, FILES), backup.restore(STAMP, PAIR))
    assert restored.code == 0, restored
    assert inside(host, LOOK) == before
    assert inside(host, "cat /tmp/state") == "whole\nlines"


def test_a_copy_in_a_throwaway_container_answers(host):
    """The verify line is run in the files' folder; nothing of it is left on the host."""
    from base64 import b64decode

    for one, answer in ((FILES, b"kept"), (PAIR, b"2")):
        done = run(host, backup.try_out(STAMP, one))
        assert done.code == 0, done
        (line,) = [line for line in done.out.splitlines() if line.startswith("@tried ")]
        assert b64decode(line.split()[3]).strip() == answer
    assert host.must("docker ps -aq --filter label=fairlead.throwaway") == ""


def receiver():
    words = Command(("fl_backup_receive", f"{BASE}/copies/other", STAMP), stdin=b"")
    return script((words,), {"FL_KEY": KEY, "FL_BASE": BASE, "FL_ROUTER": ROUTER, "FL_TOKEN": ""})


def test_a_copy_goes_from_host_to_host_over_ssh(lab, host):
    """Streamed through this machine; whole where it is; a stream that breaks off leaves none."""
    settings = SshSettings(str(lab.key), str(lab.known_hosts))
    machine = Machine(host.name, host.address, "deploy")
    source = Command(("tar", "-C", f"{BASE}/backups", "-cf", "-", STAMP))
    with pytest.raises(HostError, match="transfer failed") as broken:
        upload(machine, settings, receiver(), [next(download(machine, settings, source))[:2000]])
    assert "cut off" in " ".join(broken.value.why)
    place = f"{BASE}/copies/other/{STAMP}"
    assert host.run(f"test -e {place}").code == 1
    sent = upload(machine, settings, receiver(), download(machine, settings, source))
    assert sent > 1000
    assert host.must(f"diff -r {BASE}/backups/{STAMP} {place} && echo same") == "same"
    with pytest.raises(HostError, match="transfer failed"):
        list(download(machine, settings, Command(("tar", "-cf", "-", "/nowhere"))))


def test_a_tar_that_is_none_leaves_the_files(host):
    """The old files are put away only once the new ones are all there."""
    before = inside(host, LOOK)
    host.must(f"head -c 300 /dev/urandom | gzip >{BASE}/backups/{STAMP}/data/uploads.gz")
    failed = run(host, backup.restore(STAMP, FILES))
    assert failed.code == 1
    assert "the data of uploads could not be restored; they are as they were" in failed.err
    assert inside(host, LOOK) == before
