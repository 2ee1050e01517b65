"""deploy/rollback.sh and smoke_tests.sh, run for real on a host with a small fake docker.

What docker is asked is noted, what it answers is given: the script's choices are the subject.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from factories import API, SECRET, WORKER, a_check, an_environment

from fairlead.config.traffic import Router
from fairlead.engines.compose.layout import ROUTER_DIRECTORY, Layout
from fairlead.engines.compose.onhost import rollback_script, smoke_script

CHECKS = (
    a_check("health", "/health", contains='it\'s "ok" $(id)'),
    a_check("from outside", "/", from_=("client",)),
    a_check("deep", "/deep", json={"a.status": "all good", "n": 3}),
)


def texts():
    """Both scripts, for hosts with and without a router."""
    environment = an_environment(smoke=CHECKS)
    layout = Layout(environment.key, environment.directory)
    return {
        "rollback.sh": rollback_script(environment, layout, environment.services),
        "rollback.sh of workers": rollback_script(
            environment, layout, environment.services, routed=False
        ),
        "smoke_tests.sh": smoke_script(environment, layout),
        "smoke_tests.sh without checks": smoke_script(an_environment(), layout),
    }


@pytest.mark.parametrize("name", ["rollback.sh", "smoke_tests.sh"])
def test_a_script_is_free_of_warnings(name, tmp_path):
    """What a person runs in the worst hour is shellcheck-clean."""
    (tmp_path / "script").write_bytes(texts()[name])
    found = shutil.which("shellcheck") or str(Path(sys.executable).with_name("shellcheck"))
    # SC2034: not every script uses every function. SC2046: the functions' own directives are
    # comments, which do not travel; test_script checks the functions with them.
    words = [found, "--severity=warning", "--exclude=SC2034,SC2046", tmp_path / "script"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", texts())
class TestEachScript:
    @pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
    def test_is_understood_by_every_shell(self, name, shell):
        """Also by the one it was not written for."""
        if not shutil.which(shell):
            pytest.skip(f"{shell} is not installed here")
        words = [shell, "sh", "-n"] if shell == "busybox" else [shell, "-n"]
        done = subprocess.run(words, input=texts()[name], capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")

    def test_holds_no_secret_and_no_gap(self, name):
        """No value of the env file is in it, and no placeholder is left."""
        text = texts()[name].decode()
        assert SECRET not in text
        for word in ("key", "slot", "release", "stamp", "old", "start", "switch", "drain_timeout"):
            assert f"@{word}@" not in text


class Host:
    """A worker's host: releases 1 to 3, of which 3 is live in green and 2 was rolled back."""

    def __init__(self, folder: Path) -> None:
        self.base, self.router, self.bin = folder / "base", folder / "router", folder / "bin"
        for made in (self.base / "releases", self.base / "backups", self.base / "deploy"):
            made.mkdir(parents=True)
        (self.router / "maps").mkdir(parents=True)
        (self.router / "maps/live.map").write_text("agentic-staging green\n")
        self.bin.mkdir()
        for number, status in ((1, "proven"), (2, "rolled-back"), (3, "proven")):
            self.release(number, status)
        self.docker("")
        environment = an_environment(services=(WORKER,))
        layout = Layout(environment.key, str(self.base))
        text = rollback_script(environment, layout, environment.services, routed=False).decode()
        self.script = folder / "rollback.sh"
        self.script.write_text(text.replace(ROUTER_DIRECTORY, str(self.router)))

    def release(self, number: int, status: str) -> None:
        folder = self.base / f"releases/000{number}-v{number}"
        folder.mkdir()
        images = {"host": {"images": [f"reg.test/worker@sha256:{number:064d}"]}}
        (folder / "manifest.json").write_text(json.dumps(images, indent=2))
        (folder / "status").write_text(f"{status}\n")

    def docker(self, more: str) -> None:
        """docker knows the containers g1 (live, of release 3) and, once started, b1."""
        now = '"$(date -u +%Y-%m-%dT00:00:00Z)"'
        program = self.bin / "docker"
        program.write_text(f"""#!/bin/sh
            echo "$@" >>"{self.base}/asked"
            {more}
            case "$*" in
            ps*staging-green*) echo g1 ;;
            ps*staging-blue*) [ ! -e "{self.base}/started" ] || echo b1 ;;
            compose*staging-blue*up*) : >"{self.base}/started" ;;
            inspect*fairlead.release*g1) echo 0003-v3 ;;
            inspect*fairlead.release*b1) echo 0001-v1 ;;
            inspect*StartedAt*b1) echo /b1 running 0 false 0 healthy worker {now} ;;
            "inspect --format {{{{index"*) echo ;;
            pull*) : >"{self.base}/pulled" ;;
            "image inspect"*) [ -e "{self.base}/pulled" ] ;;
            exec*|"network inspect"*) exit 1 ;;
            esac
        """)
        program.chmod(0o755)

    def run(self, *words: str, shell: str = "sh") -> subprocess.CompletedProcess[str]:
        environ = {"PATH": f"{self.bin}:/usr/bin:/bin", "SUDO_USER": "ada"}
        return subprocess.run(
            [shell, self.script, *words], env=environ, capture_output=True, text=True, timeout=60
        )

    def asked(self, start: str) -> list[str]:
        file = self.base / "asked"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line for line in lines if line.startswith(start)]

    def status(self, number: int) -> str:
        return (self.base / f"releases/000{number}-v{number}/status").read_text().strip()

    @property
    def live(self) -> str:
        return (self.router / "maps/live.map").read_text().strip()

    @property
    def audit(self) -> list[dict[str, str]]:
        file = self.base / "audit.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def untouched(host):
    """Nothing on the host was changed: no container, no status, no switch, no lock left."""
    changing = ("compose", "rm", "stop", "start", "update", "pull")
    return (
        not any(host.asked(word) for word in changing)
        and host.live == "agentic-staging green"
        and [host.status(n) for n in (1, 2, 3)] == ["proven", "rolled-back", "proven"]
        and not (host.base / "lock/owner").exists()
    )


class TestRollback:
    def test_list_shows_what_there_is(self, host):
        """Newest first, each with status and backups, the live one marked."""
        for stamp, release in (("20251202-143022", "0001-v1"), ("20251203-090000", "0001-v1")):
            folder = host.base / "backups" / stamp
            folder.mkdir()
            (folder / "release").write_text(f"{release}\n")
            (folder / "sequence").write_text("2\n" if "02-" in stamp else "3\n")
        done = host.run("--list")
        assert done.returncode == 0
        assert [line.split() for line in done.stdout.splitlines()] == [
            ["RELEASE", "STATUS", "BACKUPS"],
            ["0003-v3", "proven,live"],
            ["0002-v2", "rolled-back"],
            ["0001-v1", "proven", "20251203-090000", "20251202-143022"],
        ]
        assert untouched(host)

    @pytest.mark.parametrize("name", ["20990101-000000", "v9", "0009-v9"])
    def test_an_unknown_name_lists_the_candidates(self, host, name):
        """Exit 2, nothing on stdout, and what there is on stderr."""
        done = host.run(name)
        assert (done.returncode, done.stdout) == (2, "")
        assert "there is no such release to go back to" in done.stderr
        assert "0001-v1" in done.stderr
        assert untouched(host)

    @pytest.mark.parametrize("name", ["../../etc", "a/b", "x;id", "$(id)", "a b", "..", "ä"])
    def test_a_name_that_is_a_path_or_a_command_is_refused(self, host, name):
        """Nothing but letters, digits and _.- is looked for."""
        done = host.run(name)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"'{name}' names no release" in done.stderr
        assert untouched(host)

    @pytest.mark.parametrize("words", [(), ("--help",), ("--unknown",)])
    def test_without_a_known_word_it_explains_itself(self, host, words):
        """The usage, and exit 2."""
        done = host.run(*words)
        assert done.returncode == 2
        assert "bash deploy/rollback.sh --quick" in done.stdout
        assert untouched(host)

    @pytest.mark.parametrize("name", ["v3", "0003-v3"])
    def test_what_is_live_already_needs_nothing(self, host, name):
        """Going back to where one is succeeds at once."""
        done = host.run(name)
        assert (done.returncode, done.stdout) == (0, "0003-v3 is live already\n")
        assert untouched(host)

    @pytest.mark.parametrize("shell", ["sh", "bash"])
    @pytest.mark.parametrize("name", ["--quick", "v1", "0001-v1"])
    def test_it_goes_back_to_the_proven_one_before(self, host, name, shell):
        """Started and proven in the idle slot, then switched; 2, which was rolled back, never."""
        done = host.run(name, shell=shell)
        assert done.returncode == 0, done.stderr
        assert host.live == "agentic-staging blue"
        assert [host.status(n) for n in (1, 2, 3)] == ["proven", "rolled-back", "rolled-back"]
        [up] = [line for line in host.asked("compose") if " up " in line]
        assert f"-p agentic-staging-blue -f {host.base}/releases/0001-v1/blue.yaml" in up
        assert host.asked("pull") == [f"pull reg.test/worker@sha256:{1:064d}"]

    def test_it_leaves_an_audit_line_and_no_lock(self, host):
        """Who went where from where is on record, as `inv rollback` writes it."""
        host.run("--quick")
        [line] = host.audit
        expected = {"event": "rollback", "release": "0001-v1", "from": "0003-v3", "outcome": "done"}
        assert line.items() >= expected.items()
        assert line["who"].startswith("ada@")
        assert not (host.base / "lock/owner").exists()

    def test_from_a_backup_when_the_release_is_gone(self, host):
        """A timestamp restores the files first, checksums and all."""
        backup = host.base / "backups/20251202-143022"
        (host.base / "releases/0001-v1").rename(backup)
        (backup / "release").write_text("0001-v1\n")
        (backup / "sequence").write_text("2\n")
        sums = "find . -type f ! -name SHA256SUMS -exec sha256sum {} + >SHA256SUMS"
        subprocess.run(["sh", "-c", sums], cwd=backup, check=True)
        done = host.run("20251202-143022")
        assert done.returncode == 0, done.stderr
        assert (host.base / "releases/0001-v1/manifest.json").exists()
        assert host.live == "agentic-staging blue"

    def test_what_was_left_unfinished_has_come_to_an_end(self, host):
        """The journal of a killed deploy is closed; the next `inv deploy` is not refused."""
        run = host.base / "journal/20251202-143022-1f3a"
        run.mkdir(parents=True)
        (run / "header").write_text("{}\n")
        assert host.run("--quick").returncode == 0
        assert (run / "end").read_text() == "rolled-back\n"

    def test_a_held_lock_is_respected(self, host):
        """Exit 3, and who holds it; their lock stays."""
        (host.base / "lock").mkdir()
        held = f"{0:10d}\ntheirs\n9999999999\n2025-12-02T14:30:22Z\nbob@desk\ndeploy v4\n"
        (host.base / "lock/owner").write_text(held)
        done = host.run("--quick")
        assert done.returncode == 3
        assert "bob@desk" in done.stderr
        assert (host.base / "lock/owner").read_text() == held
        assert host.asked("compose") == []

    def test_a_release_that_does_not_start_leaves_the_old_one_serving(self, host):
        """Exit 1: the idle slot is cleared, the audit tells, the lock is free, green serves."""
        host.docker('case "$*" in compose*up*) echo "no such image" >&2; exit 1 ;; esac')
        done = host.run("--quick")
        assert done.returncode == 1
        assert "0003-v3 serves as before" in done.stdout
        assert host.live == "agentic-staging green"
        assert [host.status(n) for n in (1, 2, 3)] == ["proven", "rolled-back", "proven"]
        assert [line["outcome"] for line in host.audit] == ["failed"]
        assert not (host.base / "lock/owner").exists()

    def test_a_restore_that_was_cut_off_is_no_ground_to_stand_on(self, host):
        """Exit 4: with data, or not at all; nothing is asked of Docker that would change it."""
        (host.base / "backups").mkdir(exist_ok=True)
        (host.base / "backups/.restored.cache").touch()
        done = host.run("--quick")
        assert done.returncode == 4
        assert "a restore of the data of cache was begun and never ended" in done.stderr
        assert host.asked("compose") == []

    def test_a_full_disk_takes_no_lock_and_changes_nothing(self, host):
        """What could not be locked is not touched."""
        words = ["sh", "-c", f"trap '' XFSZ; ulimit -f 0; exec sh {host.script} --quick"]
        host.docker("")
        environ = {"PATH": f"{host.bin}:/usr/bin:/bin"}
        done = subprocess.run(words, env=environ, capture_output=True, text=True)
        assert done.returncode == 1
        assert "the lock cannot be written" in done.stderr
        assert host.asked("compose") == []
        assert host.live == "agentic-staging green"


GREEN = """printf '%s\\n' 'found=yes value="green"'"""


class TestRollbackAroundTheSwitch:
    """Law 7: the slot that is live, or may be, is never removed."""

    def test_a_signal_during_the_switch_lets_it_end(self, host):
        """Ctrl-C in that moment changes nothing: it is done, and written down."""
        owner = host.base / "lock/owner"
        kill = f'[ ! -e {owner} ] || kill -TERM "$(sed -n "2s/.*-//p" {owner})"'
        host.docker(f'case "$*" in exec*) {kill} ;; esac')
        done = host.run("--quick")
        assert (done.returncode, host.live) == (0, "agentic-staging blue"), done.stderr
        assert [line["outcome"] for line in host.audit] == ["done"]
        assert host.asked("rm") == []

    def test_a_switch_that_the_router_does_not_take_is_taken_back(self, host):
        """The file named the new slot already: a router that restarts must not go there."""
        host.docker(f'case "$*" in exec*) cat >/dev/null; {GREEN}; exit 0 ;; esac')
        done = host.run("--quick")
        assert "the router did not switch" in done.stderr
        assert (done.returncode, host.live) == (1, "agentic-staging green")
        assert host.asked("rm") == ["rm -f b1"]

    def test_what_cannot_be_taken_back_is_kept(self, host):
        """Exit 6: a router that starts now goes to the new slot, so that must be there."""
        (host.router / "conf.d").mkdir()
        for slot in ("blue", "green"):
            (host.router / f"conf.d/agentic-staging-{slot}.cfg").touch()
        dead = f"{host.base}/dead"
        last = f'[ ! -e {dead} ] || exit 1; ! grep -q "set map" || : >{dead}; {GREEN}; exit 0'
        host.docker(f'case "$*" in exec*) {last} ;; esac')
        done = host.run("--quick")
        assert (done.returncode, host.live) == (6, "agentic-staging blue"), done.stderr
        assert "0001-v1 serves in blue" in done.stdout
        assert [line["outcome"] for line in host.audit] == ["mixed"]
        assert host.asked("rm") == []

    def test_a_failure_after_it_says_what_serves(self, host):
        """Exit 6, never 1: it is not the old release that serves."""
        host.docker('case "$*" in update*) exit 1 ;; esac')
        done = host.run("--quick")
        assert (done.returncode, host.live) == (6, "agentic-staging blue")
        assert "failed after the switch: 0001-v1 serves in blue" in done.stdout
        assert [line["outcome"] for line in host.audit] == ["done", "mixed"]
        assert host.asked("rm") == []
        assert not (host.base / "lock/owner").exists()


class TestSmoke:
    def test_it_asks_the_checks_of_hosts(self):
        """A check for clients alone is not asked here; words arrive quoted."""
        text = texts()["smoke_tests.sh"].decode()
        calls = [line for line in text.splitlines() if line.startswith("fl_smoke 80")]
        assert len(calls) == 2
        assert "from outside" not in text
        import shlex

        assert shlex.split(calls[0])[2:9] == [
            *("health", "GET", "/health", "localhost", "2", "200"),
            'it\'s "ok" $(id)',
        ]
        assert shlex.split(calls[1])[-2:] == ['"status":"all good"', '"n":3']

    def test_it_asks_as_visitors_who_come_over_tls(self):
        """The other road of the same checks is not redirected either."""
        router = Router(certificate="/c.pem", redirect_http=True)
        environment = an_environment(services=(API,), smoke=CHECKS, router=router)
        text = smoke_script(environment, Layout("k", "/x")).decode()
        assert text.count("\nfl_smoke https ") == 2

    def test_a_failed_check_does_not_hide_the_next(self, tmp_path):
        """Every check is asked, the faults are counted, and the exit code is 1."""
        environment = an_environment(services=(API,), smoke=CHECKS)
        text = smoke_script(environment, Layout("k", str(tmp_path))).decode()
        answer = (
            'fl_http() { printf "HTTP/1.1 200 OK\\r\\n\\r\\n{\\"n\\": 4}"; }\nfl_smoke_faults=0'
        )
        text = text.replace("fl_smoke_faults=0", answer, 1)
        done = subprocess.run(["sh", "-c", text], capture_output=True, text=True)
        assert done.returncode == 1
        assert [line[:15] for line in done.stdout.splitlines()] == [
            "FAILED  health:",
            "FAILED  deep: t",
        ]
        assert done.stderr == "2 smoke checks failed\n"
