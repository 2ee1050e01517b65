"""What a host keeps, run for real: releases and backups are whole or not there."""

import io
import json
import os
import subprocess
import tarfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FILES = {
    "blue.yaml": b"{}",
    "env": b'TOKEN="secret"\n',
    "rollback.sh": b"#!/bin/sh\n",
    "smoke_tests.sh": b"#!/bin/sh\n",
    "manifest.json": b'{\n  "id": "0001-v1"\n}\n',
}


def archive(files=FILES, mounted=None):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in [*(mounted or {}).items(), *files.items()]:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o600
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def host(shell):
    """A host on which the environment's directories exist."""
    shell.call("fl_lock", "600", "ada", "deploy")
    return shell


def receive(host, release="0001-v1", **more):
    return host.call("fl_receive", release, stdin=archive(**more))


def release(host, name):
    folder = host.base / "releases" / name
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"id": name}))
    (folder / "blue.yaml").write_text("{}")
    return folder


def prune(host, keep, *named):
    host.call("fl_prune", str(keep), *named)
    return sorted(path.name for path in (host.base / "releases").iterdir())


def files_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


class TestReceive:
    def test_a_release_arrives_whole_and_unreadable_for_others(self, host):
        """The release is what was sent, prepared, and only its owner can read it."""
        assert receive(host).code == 0
        folder = host.base / "releases/0001-v1"
        assert files_of(folder) == {**FILES, "status": b"prepared\n"}
        assert folder.stat().st_mode & 0o077 == 0
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}

    def test_the_break_glass_scripts_are_in_reach(self, host):
        """deploy/ holds the newest release's rollback.sh and smoke_tests.sh."""
        receive(host)
        assert sorted(p.name for p in (host.base / "deploy").iterdir()) == [
            "rollback.sh",
            "smoke_tests.sh",
        ]

    def test_a_break_glass_script_is_replaced_as_a_whole(self, host):
        """A shell reads a script while it runs it: written over, it would go on in the new one."""
        receive(host)
        with (host.base / "deploy/rollback.sh").open("rb") as read_by_a_shell:
            assert receive(host, "0002-v2", files={**FILES, "rollback.sh": b"echo 2\n"}).code == 0
            assert read_by_a_shell.read() == FILES["rollback.sh"]
        assert (host.base / "deploy/rollback.sh").read_bytes() == b"echo 2\n"
        assert len(list((host.base / "deploy").iterdir())) == 2

    @pytest.mark.parametrize("cut", [0, 100, 512, 700, 1024, 2048, 3072, 4096])
    def test_an_upload_that_was_cut_off_leaves_nothing(self, host, cut):
        """Wherever the line breaks, also between two files, there is no such release."""
        assert host.call("fl_receive", "0001-v1", stdin=archive()[:cut]).code != 0
        assert host.call("fl_releases").out == ""
        assert not (host.base / "releases/0001-v1").exists()

    def test_a_cut_off_upload_does_not_hurt_the_next(self, host):
        """What a broken upload left is swept away by the one that follows."""
        host.call("fl_receive", "0001-v1", stdin=archive({"stale": b"x", **FILES})[:1500])
        receive(host)
        assert "stale" not in files_of(host.base / "releases/0001-v1")

    def test_files_of_the_project_go_to_a_place_of_their_own(self, host):
        """Mounted files lie beside the releases, readable for containers; what is there stays."""
        (host.base / "files/0123").mkdir(parents=True)
        (host.base / "files/0123/old.conf").write_text("in use")
        mounted = {"files/0123/old.conf": b"again", "files/4567/new.conf": b"new"}
        receive(host, mounted=mounted)
        assert files_of(host.base / "files") == {
            "0123/old.conf": b"in use",
            "4567/new.conf": b"new",
        }
        assert (host.base / "files/4567").stat().st_mode & 0o777 == 0o755
        assert not (host.base / "releases/0001-v1/files").exists()

    def test_what_the_program_packs_is_what_the_host_takes(self, host):
        """A real upload, cut at every block, is either whole or refused."""
        from fairlead.rollout.strategies.preparation import _archive

        whole = _archive(FILES, ())
        for cut in range(0, len(whole) - 1024, 512):
            done = host.call("fl_receive", "0001-v1", stdin=whole[:cut])
            if done.code == 0:
                assert files_of(host.base / "releases/0001-v1").keys() >= FILES.keys(), cut
        assert host.call("fl_receive", "0001-v1", stdin=whole).code == 0


class TestStatus:
    def test_a_status_replaces_the_one_before(self, host):
        """A release has one status, the last one given."""
        release(host, "0001-v1")
        host.run("fl_status 0001-v1 proven; fl_status 0001-v1 rolled-back")
        assert (host.base / "releases/0001-v1/status").read_text() == "rolled-back\n"

    def test_a_release_that_is_not_there_has_none(self, host):
        """Undoing an upload that never came is no failure, and makes nothing."""
        assert host.call("fl_status", "0009-v9", "failed").code == 0
        assert not (host.base / "releases/0009-v9").exists()

    def test_a_full_disk_leaves_the_status_as_it_was(self, host):
        """The status is written beside and renamed: never empty."""
        folder = release(host, "0001-v1")
        (folder / "status").write_text("proven\n")
        done = host.run("trap '' XFSZ; ulimit -f 0; fl_status 0001-v1 failed")
        assert done.code != 0
        assert (folder / "status").read_text() == "proven\n"


class TestBackup:
    @pytest.fixture
    def saved(self, host):
        receive(host, mounted={})
        assert host.call("fl_backup", "20251202-143022", "0001-v1", "2").code == 0
        return host.base / "backups/20251202-143022"

    def test_it_holds_the_whole_release_and_says_which(self, host, saved):
        """A backup is self-contained: the files, whose they are, and before which deploy."""
        kept = files_of(saved)
        assert kept.items() >= FILES.items()
        assert (kept["release"], kept["sequence"]) == (b"0001-v1\n", b"2\n")

    def test_its_checksums_verify_with_plain_sha256sum(self, host, saved):
        """SHA256SUMS covers every file, and the usual tool checks it."""
        done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=saved, capture_output=True)
        assert done.returncode == 0
        listed = {line.split("  ./")[1] for line in (saved / "SHA256SUMS").read_text().splitlines()}
        assert listed == files_of(saved).keys() - {"SHA256SUMS"}

    def test_others_cannot_read_it(self, host, saved):
        """The env file's secrets are as safe in a backup as in the release."""
        for path in (saved, *saved.rglob("*")):
            assert path.stat().st_mode & 0o077 == 0, path

    def test_a_release_that_is_gone_comes_back_from_it(self, host, saved):
        """Restores even if the release's directory is gone, byte by byte."""
        subprocess.run(["rm", "-r", host.base / "releases/0001-v1"], check=True)
        assert host.call("fl_restore", "20251202-143022", "0001-v1").code == 0
        assert files_of(host.base / "releases/0001-v1").items() >= FILES.items()

    def test_a_release_that_is_there_is_left_alone(self, host, saved):
        """Restoring never overwrites what a host still has."""
        (host.base / "releases/0001-v1/blue.yaml").write_text("mine")
        assert host.call("fl_restore", "20251202-143022", "0001-v1").code == 0
        assert (host.base / "releases/0001-v1/blue.yaml").read_text() == "mine"

    def test_a_flipped_byte_is_refused(self, host, saved):
        """A damaged backup restores nothing, and says so."""
        subprocess.run(["rm", "-r", host.base / "releases/0001-v1"], check=True)
        content = bytearray((saved / "env").read_bytes())
        content[7] ^= 1
        (saved / "env").write_bytes(content)
        refused = host.call("fl_restore", "20251202-143022", "0001-v1")
        assert refused.code == 1
        assert "backup 20251202-143022 is damaged" in refused.err
        assert host.call("fl_releases").out == ""

    def test_one_that_was_never_finished_is_not_listed(self, host):
        """A backup cut off half-way is neither listed nor in the way of the next."""
        receive(host)
        partial = host.base / "backups/.20251202-143022.partial"
        partial.mkdir()
        (partial / "sequence").write_text("2\n")
        (partial / "stale").touch()
        assert host.call("fl_backups").out == ""
        host.call("fl_backup", "20251202-143022", "0001-v1", "2")
        assert host.call("fl_backups").out == "20251202-143022\n"
        assert not (host.base / "backups/20251202-143022/stale").exists()

    def test_a_full_disk_leaves_no_backup(self, host):
        """Half a backup is none: the deploy ends before anything was touched."""
        receive(host)
        done = host.run("trap '' XFSZ; ulimit -f 0; fl_backup 20251202-143022 0001-v1 2")
        assert done.code != 0
        assert host.call("fl_backups").out == ""


class TestOrder:
    def test_releases_are_ordered_by_sequence(self, host):
        """Newest sequence first, past 9999 too; neither name nor file time counts."""
        for number, name in enumerate(["10000-a", "0002-z", "9999-b", "0010-a", "0009-c"]):
            os.utime(release(host, name), (number * 1000, number * 1000))
        (host.base / "releases/.0011-x.partial").mkdir()
        assert host.call("fl_releases").out.split() == [
            *("10000-a", "9999-b", "0010-a", "0009-c", "0002-z")
        ]

    def test_backups_are_ordered_by_recorded_sequence(self, host):
        """A clock that went back, or a touched directory, does not change which one is newest."""
        for stamp, sequence, changed in [
            ("20251203-000000", 9, 3000),
            ("20251201-000000", 10, 1000),
            ("20251202-000000", 2, 9000),
        ]:
            folder = host.base / "backups" / stamp
            folder.mkdir()
            (folder / "sequence").write_text(f"{sequence}\n")
            os.utime(folder, (changed, changed))
        assert host.call("fl_backups").out.split() == [
            "20251201-000000",
            "20251203-000000",
            "20251202-000000",
        ]

    def test_nothing_kept_lists_nothing(self, shell):
        """A host without our directories has no releases and no backups, and that is no error."""
        listed = shell.run("fl_releases; fl_backups")
        assert (listed.code, listed.out) == (0, "")


class TestPrune:
    @pytest.fixture
    def five(self, host):
        for number in range(1, 6):
            release(host, f"000{number}-v{number}")
            host.call("fl_status", f"000{number}-v{number}", "proven")
            folder = host.base / f"backups/2025120{number}-000000"
            folder.mkdir()
            (folder / "sequence").write_text(f"{number}\n")
            (folder / "blue.yaml").write_text("{}")
        return host

    def test_the_newest_are_kept(self, five):
        """Releases and backups beyond KEEP go, the oldest first."""
        assert prune(five, 2) == ["0004-v4", "0005-v5"]
        assert five.call("fl_backups").out.split() == ["20251205-000000", "20251204-000000"]

    def test_the_named_are_kept_whatever_their_age(self, five):
        """What runs is named, and stays though it is the oldest."""
        assert prune(five, 1, "0001-v1", "0002-v2") == ["0001-v1", "0002-v2", "0005-v5"]

    def test_a_name_keeps_only_itself(self, five):
        """`0001-v1` in the list protects no `0001-v10`."""
        release(five, "0001-v10")
        five.call("fl_status", "0001-v10", "proven")
        assert "0001-v10" not in prune(five, 1, "0001-v1")

    def test_failed_releases_take_no_proven_one_s_place(self, five):
        """Five failed deploys in a row leave as many good ones to go back to as before."""
        for number in (4, 5):
            five.call("fl_status", f"000{number}-v{number}", "failed")
        left = prune(five, 2)
        assert {"0002-v2", "0003-v3"} <= set(left)
        assert "0001-v1" not in left

    def test_failed_deploys_push_out_no_proven_one_s_backup(self, five):
        """Law 12: however many deploys failed, a release that is kept keeps its newest backup."""
        for number in range(1, 6):
            (five.base / f"backups/2025120{number}-000000/release").write_text(
                f"000{number}-v{number}\n"
            )
        for number in (6, 7, 8):
            folder = five.base / f"backups/2025120{number}-000000"
            folder.mkdir()
            (folder / "sequence").write_text(f"{number}\n")
            (folder / "release").write_text("0005-v5\n")
        assert prune(five, 2) == ["0004-v4", "0005-v5"]
        kept = five.call("fl_backups").out.split()
        assert kept == ["20251208-000000", "20251207-000000", "20251204-000000"]

    def test_with_nothing_to_prune_nothing_happens(self, five):
        """Fewer than KEEP is fine."""
        assert len(prune(five, 9)) == 5

    def test_the_journal_keeps_its_newest_runs(self, five):
        """In every project, be there files of its own on the host or not."""
        for number in range(10, 35):
            five.call("fl_journal_open", f"20251202-1430{number}-aaaa", "{}")
            five.call("fl_journal_end", f"20251202-1430{number}-aaaa", "done")
        prune(five, 2)
        left = sorted(path.name for path in (five.base / "journal").iterdir())
        assert left == [f"20251202-1430{number}-aaaa" for number in range(15, 35)]

    def test_project_files_go_with_their_last_release(self, five):
        """A mounted file is kept while any release or backup mounts it."""
        for name in ("aaaa", "bbbb", "cccc"):
            (five.base / "files" / name).mkdir(parents=True)
        mount = '{{"source": "/opt/x/files/{}/redis.conf"}}'
        (five.base / "releases/0001-v1/shared.yaml").write_text(mount.format("aaaa"))
        (five.base / "releases/0005-v5/shared.yaml").write_text(mount.format("bbbb"))
        (five.base / "backups/20251205-000000/shared.yaml").write_text(mount.format("cccc"))
        prune(five, 1)
        assert sorted(p.name for p in (five.base / "files").iterdir()) == ["bbbb", "cccc"]


class TestAudit:
    def test_each_line_is_added(self, host):
        """The audit only grows, and others cannot read it."""
        host.call("fl_audit", '{"a":1}')
        host.call("fl_audit", '{"a":2}')
        file = host.base / "audit.jsonl"
        assert file.read_text() == '{"a":1}\n{"a":2}\n'
        assert file.stat().st_mode & 0o007 == 0

    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40))
    def test_any_text_fits_into_a_json_string(self, shell, text):
        """What people type as their name or work never breaks the audit."""
        escaped = shell.call("fl_json", text).out
        plain = "".join(letter for letter in text if ord(letter) > 31)
        assert json.loads(f'"{escaped}"') == plain


def test_image_references_come_from_the_manifest(host):
    """rollback.sh pulls what the manifest names by digest, and nothing else."""
    digest = "sha256:" + "a" * 64
    folder = release(host, "0001-v1")
    document = {"host": {"images": [f"reg:5000/api@{digest}", f"redis@{digest}"]}, "tag": "v1"}
    (folder / "manifest.json").write_text(json.dumps(document, indent=2))
    assert host.call("fl_image_references", "0001-v1").out.split() == [
        f"redis@{digest}",
        f"reg:5000/api@{digest}",
    ]
