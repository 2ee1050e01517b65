"""The lock on a host, run for real: one owner at a time, freed by its owner or by its lease."""

import os
import signal
import time
from json import loads
from pathlib import Path

FENCE_LOST = 75
HELD = 73
FOREVER = "600"


def take(shell, token="mine", lease=FOREVER, who="ada@laptop", doing="deploy v2"):
    return shell.call("fl_lock", lease, who, doing, token=token)


def owner(shell):
    file = shell.base / "lock/owner"
    return file.read_text().splitlines() if file.exists() else None


def uptime():
    return float(Path("/proc/uptime").read_text().split()[0])


def renewed(shell, ago, lease=None):
    """Let the owner's last sign of life be so many seconds ago."""
    _, token, its_lease, *rest = owner(shell)
    lines = [f"{int(uptime()) - ago:10d}", token, lease or its_lease, *rest]
    (shell.base / "lock/owner").write_text("\n".join(lines) + "\n")


def expire(shell):
    """Let the lease of the present owner end now, however young this machine is."""
    renewed(shell, 2, lease="1")


def step(shell, seconds, token="mine"):
    """A step of an owner, running for so long."""
    words = f"exec 8>>$FL_BASE/lock/step; flock 8; fl_step_sign; sleep {seconds}"
    running = shell.start(words, token=token)
    while shell.run("fl_step_runs").code != 0:
        time.sleep(0.01)
    return running


def test_taking_a_free_lock_records_the_owner(shell):
    """The owner's token, lease, name and work are on the host, unreadable for others."""
    before = time.time()
    assert take(shell).code == 0
    renewed, token, lease, since, who, doing = owner(shell)
    assert (token, lease, who, doing) == ("mine", FOREVER, "ada@laptop", "deploy v2")
    assert 0 <= uptime() - int(renewed) < 60
    assert since == time.strftime("%Y-%m-%dT%H:%M", time.gmtime(before)) + since[16:]
    assert (shell.base / "lock/owner").stat().st_mode & 0o007 == 0


def test_taking_it_makes_the_environment_s_directories(shell):
    """The first deploy to a host finds all it writes into."""
    take(shell)
    made = sorted(path.name for path in shell.base.iterdir())
    assert made == ["backups", "deploy", "journal", "lock", "releases"]


def test_a_held_lock_is_refused_with_who_since_when_and_what(shell):
    """Exit 73, and one line tells the holder, the time, the work and the seconds left."""
    take(shell, lease="100")
    refused = take(shell, token="theirs", who="bob@desk", doing="rollback")
    assert refused.code == HELD
    mark, who, since, doing, left, token = refused.marks[0].split("\t")
    assert (mark, who, doing, token) == ("@held", "ada@laptop", "deploy v2", "mine")
    assert since == owner(shell)[3]
    assert 90 <= int(left) <= 100
    assert owner(shell)[1] == "mine"


def test_the_owner_may_take_it_again(shell):
    """A command that was sent twice over a shaky line does not lock itself out."""
    take(shell)
    assert take(shell, doing="deploy v3").code == 0
    assert owner(shell)[5] == "deploy v3"


def test_an_ended_lease_is_taken_over_and_audited(shell):
    """Who was killed with -9 keeps nobody waiting longer than the lease; the audit tells."""
    take(shell, token="dead", who='eve "x" \\ y', doing="deploy v1")
    expire(shell)
    taken = take(shell)
    assert taken.code == 0
    assert taken.marks == ['@takeover\teve "x" \\ y\tdeploy v1']
    assert owner(shell)[1] == "mine"
    line = (shell.base / "audit.jsonl").read_text()
    assert loads(line)["event"] == "lock-takeover"
    assert loads(line)["from"] == 'eve "x" \\ y'


def test_renewing_moves_the_end_and_nothing_else(shell):
    """The heartbeat gives the lease its full length again; since, who and what stay."""
    take(shell, lease="100")
    renewed(shell, 90)
    before = owner(shell)
    assert shell.call("fl_renew").code == 0
    after = owner(shell)
    assert int(after[0]) > int(before[0]) + 80
    assert after[1:] == before[1:]


def test_every_change_renews_it(shell):
    """Who works is alive: the fence in front of a change is as good as a heartbeat."""
    take(shell, lease="100")
    renewed(shell, 90)
    assert shell.call("fl_fence").code == 0
    assert uptime() - int(owner(shell)[0]) < 60


def test_a_step_that_runs_keeps_the_lock_beyond_its_lease(shell):
    """A client may be dead for long: nobody overtakes what it began here before that has ended."""
    take(shell, lease="1")
    running = step(shell, 600)
    expire(shell)
    assert shell.call("fl_lock_show").marks[0].split("\t")[4] == "1"
    refused = take(shell, token="theirs")
    assert (refused.code, owner(shell)[1]) == (HELD, "mine")
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=10)
    assert take(shell, token="theirs").code == 0


def test_a_step_outlives_a_lock_that_was_released(shell):
    """The lock is free on paper, but nobody gets it while the other's step still runs.

    Whoever looks, waits for it or tries to free it is told so, and how that step is ended.
    """
    take(shell)
    running = step(shell, 600)
    shell.call("fl_lock_break", "bob@desk", "ada is on holiday", token="")
    asked = (
        take(shell, token="theirs"),
        shell.call("fl_lock_show", token=""),
        shell.call("fl_lock_break", "bob@desk", "gone", "-", token=""),
    )
    assert [one.code for one in asked] == [HELD, 0, HELD]
    for one in asked:
        _, who, _, doing, left, token = one.marks[0].split("\t")
        assert (who, token) == ("a step of a lock that was released", "-")
        assert int(left) > 0
        assert doing == f"still runs; kill -TERM -- -{running.pid} on the host ends it"
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=10)
    assert shell.call("fl_lock_show", token="").out == ""
    assert take(shell, token="theirs").code == 0


def test_looking_is_in_nobody_s_way(shell):
    """Whether a step runs is asked under the guard: nobody takes that for a step."""
    take(shell)
    shell.call("fl_unlock")
    looks = [shell.start("for n in 1 2 3 4 5 6 7 8; do fl_lock_show; done") for _ in range(6)]
    for number in range(8):
        assert take(shell, token=f"t{number}", lease="600").code == 0
        assert shell.call("fl_unlock", token=f"t{number}").code == 0
    told = b"".join(look.communicate(timeout=60)[0] for look in looks)
    assert b"a step of a lock" not in told


def test_a_clock_that_jumps_changes_nothing(shell):
    """Neither an hour forth nor an hour back ends a lease: its age is told by the uptime."""
    take(shell, lease="100")
    shell.tool("date", "echo 99999999999")
    assert take(shell, token="theirs").code == HELD
    shell.tool("date", "echo 1")
    assert take(shell, token="theirs").code == HELD


def test_a_restart_of_the_host_ends_a_lease_soon(shell):
    """What was renewed "later" than now was renewed before the start: its age is the uptime."""
    take(shell, lease="100000000")
    renewed(shell, -1000)
    assert take(shell, token="theirs").code == HELD
    take(shell, lease="1")
    renewed(shell, -1000)
    assert take(shell, token="theirs").code == 0


def test_renewing_what_somebody_else_took_fails(shell):
    """An owner that slept through its lease is told so, and takes nothing back."""
    take(shell, token="theirs", who="bob@desk")
    refused = shell.call("fl_renew")
    assert refused.code == FENCE_LOST
    assert "the lock is no longer ours (now: bob@desk)" in refused.err
    assert owner(shell)[1] == "theirs"


def test_the_fence_lets_only_the_owner_pass(shell):
    """Asked before every mutation: ours passes; theirs or none ends the script with 75."""
    take(shell)
    assert shell.run("fl_fence; echo on").out == "on\n"
    theirs = shell.run("fl_fence; echo on", token="other")
    assert (theirs.code, theirs.out) == (FENCE_LOST, "@fenced\n")
    shell.call("fl_unlock")
    free = shell.run("fl_fence; echo on")
    assert (free.code, free.out) == (FENCE_LOST, "@fenced\n")
    assert "now: free" in free.err


def test_only_the_owner_unlocks(shell):
    """A stranger's unlock does nothing and is no error; the owner's frees it."""
    take(shell)
    assert shell.call("fl_unlock", token="other").code == 0
    assert owner(shell)[1] == "mine"
    assert shell.call("fl_unlock").code == 0
    assert owner(shell) is None
    assert take(shell, token="other").code == 0


def test_breaking_frees_it_and_tells_whose_it_was(shell):
    """`inv lock.release` frees any lock, prints the one it broke, and the audit has the reason."""
    take(shell)
    broken = shell.call("fl_lock_break", "bob@desk", 'she "left"', token="")
    assert broken.marks[0].startswith("@held\tada@laptop\t")
    assert owner(shell) is None
    line = loads((shell.base / "audit.jsonl").read_text())
    assert (line["event"], line["from"], line["who"]) == ("lock-release", "ada@laptop", "bob@desk")
    assert (line["why"], line["token"]) == ('she "left"', "mine")


def test_breaking_by_token_frees_that_owner_s_only(shell):
    """Between looking and releasing the lock may have gone to somebody who is at work."""
    take(shell, token="theirs")
    refused = shell.call("fl_lock_break", "bob@desk", "gone", "mine", token="")
    assert (refused.code, owner(shell)[1]) == (HELD, "theirs")
    assert shell.call("fl_lock_break", "bob@desk", "gone", "theirs", token="").code == 0
    assert owner(shell) is None


def test_a_free_lock_shows_nothing(shell):
    """Looking at a host that nobody locked prints no line and makes no file."""
    shell.base.mkdir()
    assert shell.call("fl_lock_show").out == ""
    assert list(shell.base.iterdir()) == []


def test_of_twenty_takers_at_once_exactly_one_wins(shell):
    """The lock is atomic: whoever asks at the same moment, one gets it, the others are told."""
    takers = [shell.start(f"fl_lock 600 taker{n} race", token=f"t{n}") for n in range(20)]
    codes = []
    for taker in takers:
        out, _ = taker.communicate(timeout=60)
        codes.append(taker.returncode)
        assert taker.returncode == 0 or out.startswith(b"@held\t")
    assert sorted(codes) == [0] + [HELD] * 19
    assert owner(shell)[1] == f"t{codes.index(0)}"


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_killed_taker_leaves_no_half_lock(shell):
    """kill -9 while it is being taken: the lock is free or whole, and never stuck."""
    shell.run("mkdir -p $FL_BASE/lock")
    for _ in range(5):
        looping = shell.start("while :; do fl_lock 600 ada deploy; fl_unlock; done")
        time.sleep(0.05)
        os.killpg(looping.pid, signal.SIGKILL)
        looping.wait(timeout=10)
        while _alive(looping.pid):  # until the last of its processes has let the lock's files go
            time.sleep(0.01)
        looping.stdout.close()
        looping.stderr.close()
        found = owner(shell)
        assert found is None or len(found) == 6
        if found:
            expire(shell)
        assert take(shell, token="next").code == 0
        shell.call("fl_unlock", token="next")


def test_a_lock_whose_file_was_cut_off_counts_as_free(shell):
    """A half-written owner (a full disk) locks nobody out."""
    take(shell)
    (shell.base / "lock/owner").write_text("mine\n123")
    assert shell.call("fl_lock_show").out == ""
    assert take(shell, token="next").code == 0


def test_a_disk_that_is_full_takes_no_lock(shell):
    """A lock that could not be written is not taken, also where a condition asks for it."""
    shell.run("mkdir -p $FL_BASE/lock")
    full = "trap '' XFSZ; ulimit -f 0"  # each write fails, as on a full disk
    assert shell.run(f"{full}; fl_lock 600 ada deploy || exit 9").code == 9
    assert owner(shell) is None
