"""Backups with data: whole or not listed, trusted only when nothing about them is wrong.

The service here is a file, and its container this machine's shell: what Docker, Redis and Postgres
do is for tests/lab/test_data.py.
"""

import fcntl
import json
import os
import re
import shlex
import subprocess
import time

import pytest

STAMP = "20251202-143022"
MANIFEST = {"app": "agentic", "environment": "staging", "id": "0001-v1"}
# A Docker whose containers are this machine: the last word of `… sh -c LINE` is run by sh.
DOCKER = """
case "$1" in
  ps) [ -e "$HERE/no-container" ] || echo c0ffee ;;
  inspect) echo img@sha256:1234 ;;
  exec | run)
    while [ "$1" != -c ]; do shift; done
    exec sh -c "$2" ;;
  rm) : ;;
esac
"""
SERVICE = ("fl_kind_command", "store")


@pytest.fixture
def host(shell):
    """A host with one release, and a service whose data are the file `store`."""
    shell.call("fl_lock", "600", "ada", "deploy")
    folder = shell.base / "releases/0001-v1"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(MANIFEST, indent=2) + "\n")
    (folder / "env").write_text("SECRET=1\n")
    for path in (folder, *folder.iterdir()):  # as fl_receive leaves them
        path.chmod(0o700 if path.is_dir() else 0o600)
    store = shell.base.parent / "store"
    store.write_text("line\n" * 2000)
    shell.tool("docker", f"HERE={shlex.quote(str(shell.base.parent))}\n{DOCKER}")
    shell.store = store
    return shell


def details(host, **changed):
    given = {"dump": f"cat {host.store}", "restore": f"cat >{host.store}", "check": "", **changed}
    return tuple(given.values())


def take(host, need="required", stamp=STAMP, **changed):
    lines = [
        shlex.join(("fl_backup_begin", stamp, "0001-v1", "2")),
        shlex.join(("fl_backup_data", stamp, "main", need, *SERVICE, *details(host, **changed))),
        shlex.join(("fl_backup_end", stamp)),
    ]
    return host.run("\n".join(lines))


@pytest.fixture
def taken(host):
    done = take(host)
    assert done.code == 0, done.err
    return host.base / "backups" / STAMP


def check(host, stamp=STAMP, *names):
    return host.call("fl_backup_check", stamp, *(names or ("main",)))


class TestTake:
    def test_it_holds_release_and_data_and_tells_of_them(self, host, taken):
        about = json.loads((taken / "data/manifest.json").read_text())
        (dump,) = about["data"]
        assert (about["key"], about["stamp"]) == ("agentic-staging", STAMP)
        assert (dump["name"], dump["kind"], dump["service"]) == ("main", "command", "store")
        assert dump["bytes"] == (taken / "data/main.gz").stat().st_size
        assert dump["seconds"] >= 0
        assert (taken / "env").read_text() == "SECRET=1\n"
        assert check(host).code == 0, check(host).err

    def test_others_cannot_read_it(self, taken):
        for path in (taken, *taken.rglob("*")):
            assert path.stat().st_mode & 0o077 == 0, path

    @pytest.mark.parametrize(
        ("changed", "why"),
        [
            ({"dump": "echo half; exit 3"}, "could not be backed up"),
            ({"check": "exit 1"}, "the dump of main is not whole"),
        ],
    )
    def test_a_dump_that_fails_leaves_no_backup(self, host, changed, why):
        done = take(host, **changed)
        assert done.code == 1
        assert why in done.err
        assert host.call("fl_backups").out == ""

    def test_one_that_is_not_required_is_left_out_and_told(self, host):
        done = take(host, "optional", dump="exit 3")
        assert done.code == 0
        assert "@warning no data of main (command of store)" in done.out
        assert host.call("fl_backups").out == f"{STAMP}\n"
        assert "holds no data of main" in check(host).err

    def test_without_its_container_there_is_none(self, host):
        (host.base.parent / "no-container").touch()
        done = take(host)
        assert done.code == 1
        assert "no container of store runs" in done.err

    def test_the_last_dump_tells_how_much_room_is_needed(self, host, taken):
        file = taken / "data/manifest.json"
        about = json.loads(file.read_text())
        about["data"][0]["bytes"] = 10 * 2**40
        file.write_text(json.dumps(about, separators=(",", ":")) + "\n")
        done = take(host, stamp="20251203-000000")
        assert done.code == 1
        assert f"{10 * 2**20 * 5 // 4 + 100} MiB are needed" in done.err

    def test_a_backup_of_files_only_does_not_tell(self, host):
        """It comes from a deploy before data were declared, or with --skip-backup."""
        host.call("fl_backup", "20251201-000000", "0001-v1", "2")
        done = take(host)
        assert done.code == 0, done.err

    def test_what_a_killed_one_left_is_swept_away(self, host):
        partial = host.base / "backups/.20251201-000000.partial"
        partial.mkdir()
        (partial / "sequence").write_text("1\n")
        assert host.call("fl_backups").out == ""
        take(host)
        assert not partial.exists()


HARMED = {
    "flipped": ("printf X | dd of=data/main.gz bs=1 seek=30 conv=notrunc 2>&1", "data/main.gz"),
    "truncated": ("echo short >data/main.gz", "data/main.gz has 6 bytes"),
    "no manifest": ("rm manifest.json", "its manifest.json is missing"),
    "no data manifest": ("rm data/manifest.json", "its data/manifest.json is missing"),
    "no checksums": ("rm SHA256SUMS", "its SHA256SUMS is missing"),
    "no dump": ("rm data/main.gz", "its data/main.gz is missing"),
    "a link": ("rm env && ln -s /etc/passwd env", "holds links"),
    "a path outside": (
        "echo \"$(sed -n '1s/ .*//p' SHA256SUMS)  ./../../../../etc/passwd\" >>SHA256SUMS",
        "names files outside of itself",
    ),
    "another application": (
        'sed -i \'s/"agentic"/"shop"/\' manifest.json',
        "belongs to shop-staging, not to agentic-staging",
    ),
    "another one's data": (
        'sed -i \'s/"agentic-staging"/"shop-staging"/\' data/manifest.json',
        "belongs to shop-staging, not to agentic-staging",
    ),
}


class TestCheck:
    @pytest.mark.parametrize("what", HARMED)
    def test_what_is_harmed_is_refused_with_its_reason(self, host, taken, what):
        line, reason = HARMED[what]
        subprocess.run(["sh", "-c", line], cwd=taken, check=True, capture_output=True)
        refused = check(host)
        assert refused.code == 1
        assert reason in refused.err

    @pytest.mark.parametrize("name", ["../releases", "..", "", "a/b", ".hidden", "a b", "$(id)"])
    def test_a_name_that_leads_elsewhere_is_refused(self, host, taken, name):
        refused = check(host, name)
        assert refused.code == 1
        assert "names no backup" in refused.err

    def test_one_that_is_not_there(self, host):
        assert f"there is no backup {STAMP} here" in check(host).err


class TestRestore:
    def test_the_data_are_those_of_the_backup(self, host, taken):
        host.store.write_text("destroyed")
        done = host.call("fl_backup_restore", STAMP, "main", *SERVICE, *details(host))
        assert done.code == 0, done.err
        assert host.store.read_text() == "line\n" * 2000

    def test_one_that_fails_says_that_nothing_changed(self, host, taken):
        words = details(host, restore="exit 4")
        done = host.call("fl_backup_restore", STAMP, "main", *SERVICE, *words)
        assert done.code == 1
        assert "the data of main could not be restored; they are as they were" in done.err

    def test_only_what_was_restored_is_given_back(self, host, taken):
        """Undo: nothing where no restore was done; else the data of the backup made before it."""
        host.store.write_text("now")
        before = "20251203-000000"
        take(host, stamp=before)
        words = (*SERVICE, *details(host))
        host.store.write_text("later")
        host.call("fl_backup_return", before, "main", *words)
        assert host.store.read_text() == "later"
        host.call("fl_backup_restore", STAMP, "main", *words)
        host.call("fl_backup_return", before, "main", *words)
        assert host.store.read_text() == "now"

    def test_one_that_was_cut_short_is_given_back(self, host, taken):
        """Killed in the middle: nobody may say that the data are as they were."""
        host.store.write_text("now")
        before = "20251203-000000"
        take(host, stamp=before)
        words = details(host, restore=f"echo half >{host.store}; kill -9 $$")
        done = host.call("fl_backup_restore", STAMP, "main", *SERVICE, *words)
        assert done.code == 1
        assert "what they are now is unknown, until they are brought back" in done.err
        back = ("fl_backup_return", before, "main", *SERVICE)
        assert host.call(*back, *details(host, restore="exit 4")).code == 1
        assert host.call(*back, *details(host)).code == 0
        assert host.store.read_text() == "now"
        host.store.write_text("later")
        host.call(*back, *details(host))
        assert host.store.read_text() == "later"

    def test_a_migration_is_no_obstacle_once_its_data_are_back(self, host, taken):
        for release in ("0002-v2", "0003-v3"):
            (host.base / "releases" / release).mkdir()
            host.call("fl_irreversible", release)
        host.call("fl_irreversible", "0001-v1")
        host.call("fl_backup_restored", "2", "main")
        left = [path.parent.name for path in host.base.glob("releases/*/irreversible")]
        assert left == ["0001-v1"]


def test_a_try_leaves_the_containers_of_others_alone(host, taken):
    """It takes no lock: a restore or a backup may be under way, with throwaway containers."""
    asked = host.base / "asked"
    log = f'echo "$@" >>{asked}'
    host.tool("docker", f"{log}\nHERE={shlex.quote(str(host.base.parent))}\n{DOCKER}")
    words = ("fl_backup_try", STAMP, "main", *SERVICE, "wc -l", *details(host))
    assert host.call(*words).code == 0
    labels = re.findall(r"fairlead\.throwaway=(\S+)", asked.read_text())
    assert set(labels) == {"agentic-staging/try"}
    assert len(labels) == 3  # swept before, made, swept after


def test_a_try_waits_for_another(host, taken):
    """Each sweeps the throwaway containers of tries: two would sweep each other's."""
    asked = host.base / "asked"
    host.tool("docker", f'echo "$@" >>{asked}\nHERE={shlex.quote(str(host.base.parent))}\n{DOCKER}')
    words = ("fl_backup_try", STAMP, "main", *SERVICE, "wc -l", *details(host))
    with (host.base / "lock/try").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        running = host.start(shlex.join(words))
        while not (asked.exists() and "inspect" in asked.read_text()):
            time.sleep(0.01)
        time.sleep(0.2)
        assert "throwaway" not in asked.read_text()
    assert running.communicate(timeout=20)[1] == b""
    assert running.returncode == 0
    assert "throwaway" in asked.read_text()


# A Redis, and another one with the dump, that say what is asked of them; nothing is replicated.
REDIS = """
case "$1" in
  ps | run) echo c0ffee ;;
  inspect) echo net ;;
  exec)
    while [ $# -gt 0 ] && [ "$1" != -c ]; do shift; done
    [ $# -gt 0 ] || exit 0
    shift && script=$1 && shift
    exec sh -c "$script" "$@" ;;
esac
"""
ANSWERS = """
case "$1 ${2:-}" in
  "PING ") echo PONG ;;
  "REPLICAOF NO") echo OK ;;
  REPLICAOF*) echo %s ;;
  *) : ;;
esac
"""


@pytest.mark.parametrize(
    ("begun", "told"),
    [("ERR not now", "they are as they were"), ("OK", "what they are now is unknown")],
)
def test_a_redis_that_began_to_replicate_may_have_lost_its_own_data(host, taken, begun, told):
    """Refused at once, nothing was touched; cut off later, nobody knows."""
    host.tool("docker", REDIS)
    host.tool("redis-cli", ANSWERS % begun)
    host.tool("sleep", "exit 0")
    done = host.call("fl_backup_restore", STAMP, "main", "fl_kind_redis", "store", "")
    assert done.code == 1
    assert told in done.err


@pytest.mark.parametrize(
    ("told", "lasting"),
    [
        (
            "# Keyspace\r\ndb0:keys=5,expires=2,avg_ttl=9\r\ndb3:keys=1,expires=0\r\n",
            "db0 3\ndb3 1\n",
        ),
        ("db0:keys=2,expires=2,avg_ttl=9,subexpiry=0\r\n", ""),
        ("# Keyspace\r\n", ""),
    ],
)
def test_keys_that_expire_meanwhile_are_not_missed(host, told, lasting):
    """Two servers are asked one after the other, and each expires on its own."""
    assert host.call("fl_redis_lasting", stdin=told.encode()).out == lasting


# The first Docker again, with a folder as the volume that a container sees.
WITH_VOLUME = DOCKER.replace('"$2" ;;', '"$(echo "$2" | sed "s|cd /volume|cd $HERE/volume|")" ;;')
KILLED = {
    "unpacking": ("a", "b/own", ".fl-new/x"),
    "putting the old away": (".fl-old/a", "b/own", ".fl-new/x", ".fl-new/b/new"),
    "with the old all away": (".fl-old/a", ".fl-old/b/own", ".fl-new/x", ".fl-new/b/new"),
    "putting the new in place": (".fl-was/a", ".fl-was/b/own", ".fl-new/x", "b/new"),
    "clearing up": ("a", "b/own", ".fl-new/z"),
}


class TestVolume:
    """Files of a volume; the engine's part is for tests/lab/test_volume.py."""

    @pytest.fixture
    def volume(self, host, taken):
        host.tool("docker", f"HERE={shlex.quote(str(host.base.parent))}\n{WITH_VOLUME}")
        return host.base.parent / "volume"

    def files(self, volume):
        return sorted(str(path.relative_to(volume)) for path in volume.rglob("*") if path.is_file())

    def restore(self, host, volume, dump):
        (host.base / "backups" / STAMP / "data/files.gz").write_bytes(dump)
        words = ("files", "fl_kind_volume", "store", "volume", "")
        return host.call("fl_backup_restore", STAMP, *words)

    @pytest.fixture
    def dump(self, tmp_path):
        for name in ("new/x", "new/b/new"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("new")
        words = ["tar", "-czf", "-", "-C", tmp_path / "new", "."]
        return subprocess.run(words, check=True, capture_output=True).stdout

    @pytest.mark.parametrize("when", KILLED)
    def test_after_a_restore_that_was_killed_the_old_files_come_back(self, host, volume, when):
        """Wherever it was killed, the next one begins with all the old files and no new one."""
        for name in KILLED[when]:
            (volume / name).parent.mkdir(parents=True, exist_ok=True)
            (volume / name).write_text(name)
        failed = self.restore(host, volume, b"no dump")
        assert "they are as they were" in failed.err
        assert self.files(volume) == ["a", "b/own"]

    @pytest.mark.parametrize("when", KILLED)
    def test_or_the_new_ones_in_their_place(self, host, volume, when, dump):
        for name in KILLED[when]:
            (volume / name).parent.mkdir(parents=True, exist_ok=True)
            (volume / name).write_text(name)
        assert self.restore(host, volume, dump).code == 0
        assert self.files(volume) == ["b/new", "x"]


class TestElsewhere:
    def stream(self, taken):
        words = ["tar", "-C", str(taken.parent), "-cf", "-", STAMP]
        return subprocess.run(words, capture_output=True, check=True).stdout

    def receive(self, host, stream):
        folder = str(host.base / "copies/web1")
        return host.call("fl_backup_receive", folder, STAMP, stdin=stream)

    def test_a_copy_is_whole(self, host, taken):
        assert self.receive(host, self.stream(taken)).code == 0
        there = host.base / "copies/web1" / STAMP
        assert (there / "data/main.gz").read_bytes() == (taken / "data/main.gz").read_bytes()
        assert [path.name for path in there.parent.iterdir()] == [STAMP]

    @pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
    def test_one_that_was_cut_off_is_none(self, host, taken, part):
        stream = self.stream(taken)
        size = sum(path.stat().st_size for path in taken.rglob("*"))
        assert self.receive(host, stream[: int(size * part)]).code == 1
        assert not (host.base / "copies/web1" / STAMP).exists()

    def test_removed_is_listed_no_more(self, host, taken):
        assert host.call("fl_backup_remove", STAMP).code == 0
        assert host.call("fl_backups").out == ""
        assert [path.name for path in (host.base / "backups").iterdir()] == []
        assert os.path.exists(host.base / "releases/0001-v1")
