"""A step on a host: done once however often it is sent, and to its end whoever hangs up."""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass, replace

import pytest

from fairlead.commands.script import step_script
from fairlead.model import Command
from fairlead.transport.hearing import Hearing

FENCE = Command(("fl_fence",))
RUN = "20251202-143022-1f3a"


@dataclass
class Told:
    code: int
    out: str
    err: str


@pytest.fixture
def shell(shell):
    """A host whose lock is ours, with a journal that was opened."""
    assert shell.call("fl_lock", "600", "ada@laptop", "deploy v2").code == 0
    assert shell.call("fl_journal_open", RUN, '{"verb": "deploy"}').code == 0
    return shell


def variables(shell, token="mine"):
    return {"FL_BASE": str(shell.base), "FL_KEY": "a-b", "FL_ROUTER": "/nowhere", "FL_TOKEN": token}


def a_step(shell, text, step="001.start", stdin=None, token="mine"):
    words = (FENCE, Command(("sh", "-c", text), stdin=stdin))
    return step_script(words, variables(shell, token), RUN, step)


def send(shell, whole, stdin=None):
    """What a client hears that sends this step and listens until it has ended."""
    client = begin(shell, whole, subprocess.PIPE)
    given = whole.stdin if stdin is None else stdin
    with contextlib.suppress(BrokenPipeError):
        client.stdin.write(given or b"")
        client.stdin.close()
    code = client.wait(timeout=30)  # as sshd does; what follows its output sees the end by that
    hearing = Hearing(whole, None)
    hearing.feed(client.stdout.read())
    hearing.feed_err(client.stderr.read())
    hang_up(client)
    out, err = hearing.finish()
    told = hearing.exit_code(code)
    assert told is not None, "SshTransport takes this for a lost connection, and sends it again"
    return Told(told, out, err)


def begin(shell, whole, stdin=subprocess.DEVNULL):
    """A client that sent the step; it may be about to be lost."""
    return subprocess.Popen(
        [*shell.argv, *whole.argv[1:]],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env=shell.environ,
    )


def hang_up(client):
    """As sshd does it for a connection that broke: nobody reads any more."""
    client.stdout.close()
    client.stderr.close()


def written(shell, name, step="001.start"):
    return (shell.base / "journal" / RUN / step / name).read_text()


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_it_says_and_how_it_ends_is_told(shell):
    """Both streams and the exit code, as if nothing stood in between."""
    told = send(shell, a_step(shell, "echo one; echo wrong >&2; echo; echo two; exit 3"))
    lines = [line for line in told.out.splitlines() if not line.startswith("@run")]
    assert (told.code, lines, told.err) == (3, ["one", "", "two"], "wrong\n")


def test_it_may_wait_for_all_its_children(shell):
    """What follows its output is none of them."""
    words = (FENCE, Command(("eval", "sleep 0.1 & wait; echo waited")))
    told = send(shell, step_script(words, variables(shell), RUN, "001.stop"))
    assert (told.code, told.out.splitlines()[-1]) == (0, "waited")


def test_it_is_in_the_journal(shell):
    """What it said and how it ended; for nobody else to read."""
    send(shell, a_step(shell, "echo one; exit 3"))
    assert written(shell, "code") == "3\n"
    assert "one\n" in written(shell, "out")
    folder = shell.base / "journal" / RUN / "001.start"
    assert folder.stat().st_mode & 0o077 == 0


def test_sent_again_it_tells_what_came_of_the_first(shell):
    """Exactly once: a client that lost its connection need not know how far it got."""
    whole = a_step(shell, f"echo made >>{shell.own}/made; echo here; exit 4")
    first, second = send(shell, whole), send(shell, whole)
    assert (first.code, first.out) == (second.code, second.out)
    assert (shell.own / "made").read_text() == "made\n"


@pytest.mark.parametrize("ends", ["exit 0", "kill -9 $PPID"])
def test_what_somebody_else_began_is_no_work_of_ours(shell, ends):
    """A client that slept while its run was resumed is fenced: it is not told of their end."""
    theirs, ours = a_step(shell, f"echo theirs; {ends}"), a_step(shell, "echo ours", token="lost")
    begin(shell, theirs).wait(timeout=30)
    told = send(shell, ours)
    assert told.code == 75
    assert "@fenced" in told.out.splitlines()
    assert "theirs" not in told.out


def test_it_runs_to_its_end_when_nobody_listens_any_more(shell):
    """The connection breaks in the middle; sent again, the step is joined where it is."""
    go, made = shell.own / "go", shell.own / "made"
    text = f"echo early; until [ -e {go} ]; do sleep 0.05; done; echo late; echo made >>{made}"
    whole = a_step(shell, text)
    client = begin(shell, whole)
    until(lambda: (shell.base / "journal" / RUN / "001.start/out").exists())
    hang_up(client)
    os.kill(client.pid, signal.SIGHUP)
    again = begin(shell, whole)
    go.touch()
    assert again.wait(timeout=30) == 0
    heard = again.stdout.read().decode()
    hang_up(again)
    assert "early\n" in heard
    assert f"late\n\n@exit {whole.mark} 0\n" in heard
    assert made.read_text() == "made\n"
    assert client.wait(timeout=10) == 0


def test_two_clients_that_send_it_at_once_do_it_once(shell):
    """The directory is made by one; the other joins."""
    whole = a_step(shell, f"echo made >>{shell.own}/made; sleep 0.2")
    clients = [begin(shell, whole) for _ in range(4)]
    assert [client.wait(timeout=300) for client in clients] == [0] * 4
    for client in clients:
        assert f"@exit {whole.mark} 0" in client.stdout.read().decode()
        hang_up(client)
    assert (shell.own / "made").read_text() == "made\n"


def test_its_input_is_there_before_it_begins(shell):
    """An upload that was cut off changes nothing, and may be sent again."""
    whole = a_step(shell, f"cat >{shell.own}/got", stdin=b"x" * 200_000)
    cut = send(shell, whole, stdin=b"x" * 150_000)
    assert cut.code == 1
    assert "150000 of 200000 bytes arrived" in cut.err
    assert not (shell.own / "got").exists()
    assert send(shell, whole).code == 0
    assert (shell.own / "got").stat().st_size == 200_000
    kept = [path.name for path in (shell.base / "journal" / RUN).iterdir()]
    assert sorted(kept) == ["001.start", "header"]


def test_what_is_killed_while_its_input_arrives_leaves_nothing_of_it(shell):
    """It may hold secrets, and nobody would ever look for it."""
    whole = a_step(shell, f"cat >{shell.own}/got", stdin=b"x" * 200_000)
    client = begin(shell, whole, subprocess.PIPE)
    client.stdin.write(b"x" * 150_000)  # more than a pipe holds: some of it was read
    client.stdin.flush()
    os.killpg(client.pid, signal.SIGKILL)
    client.wait(timeout=10)
    hang_up(client)
    assert [path.name for path in (shell.base / "journal" / RUN).iterdir()] == ["header"]


def test_one_whose_lock_is_gone_does_nothing(shell):
    """A client that slept through its lease: exit 75, and nothing in the journal."""
    told = send(shell, a_step(shell, f"touch {shell.own}/made", token="other"))
    assert told.code == 75
    assert "no longer ours (now: ada@laptop)" in told.err
    assert not (shell.own / "made").exists()
    assert not (shell.base / "journal" / RUN / "001.start").exists()


def test_it_has_the_lock_while_it_runs(shell):
    """Its client may be dead and its lease over: nobody takes over before it has ended."""
    whole = a_step(shell, f"until [ -e {shell.own}/go ]; do sleep 0.05; done")
    client = begin(shell, whole)
    until(lambda: (shell.base / "journal" / RUN / "001.start/out").exists())
    file = shell.base / "lock/owner"
    file.write_text("         1\n" + file.read_text().partition("\n")[2].replace("600", "1", 1))
    theirs = shell.call("fl_lock", "600", "bob@desk", "deploy v3", token="theirs")
    assert theirs.code == 73
    (shell.own / "go").touch()
    assert client.wait(timeout=10) == 0
    hang_up(client)


def test_the_next_step_waits_for_the_one_before(shell):
    """Two of one owner never run at once, though its client gave the first one up."""
    made = shell.own / "made"
    first = a_step(shell, f"until [ -e {shell.own}/go ]; do sleep 0.05; done; echo 1 >>{made}")
    client = begin(shell, first)
    until(lambda: (shell.base / "journal" / RUN / "001.start/out").exists())
    second = begin(shell, a_step(shell, f"echo 2 >>{made}", "002.undo-start"))
    time.sleep(0.2)
    (shell.own / "go").touch()
    assert (client.wait(timeout=10), second.wait(timeout=10)) == (0, 0)
    assert made.read_text() == "1\n2\n"
    hang_up(client)
    hang_up(second)


def test_one_that_was_ended_on_purpose_says_so(shell):
    """Ctrl-C: the process group is told to end; the journal has 143."""
    client = begin(shell, a_step(shell, f"touch {shell.own}/runs; exec sleep 60"))
    until((shell.own / "runs").exists)
    os.killpg(client.pid, signal.SIGTERM)
    client.wait(timeout=10)
    hang_up(client)
    assert written(shell, "code") == "143\n"


def test_one_that_was_killed_is_told_as_ended_from_outside(shell):
    """kill -9, or a restart of the host: no exit code was written, and nothing runs any more."""
    whole = a_step(shell, "echo on; sleep 60")
    client = begin(shell, whole)
    until(lambda: (shell.base / "journal" / RUN / "001.start/out").exists())
    os.killpg(client.pid, signal.SIGKILL)
    client.wait(timeout=10)
    hang_up(client)
    told = send(shell, whole)
    assert told.code == 137
    assert "ended from outside, or the host was restarted" in told.err


def test_a_disk_that_is_full_stops_a_step_before_it_begins(shell):
    """Nothing is changed that the journal does not know of; but what was begun is undone."""
    (shell.base / "journal" / RUN / "header").unlink()
    (shell.base / "journal" / RUN).rmdir()
    (shell.base / "journal" / RUN).write_text("no room")
    told = send(shell, a_step(shell, f"touch {shell.own}/made"))
    assert told.code == 1
    assert "the journal cannot be written" in told.err
    assert not (shell.own / "made").exists()
    told = send(shell, a_step(shell, f"echo undone; touch {shell.own}/made", "002.undo-start"))
    assert (told.code, told.out.splitlines()[-1]) == (0, "undone")
    assert (shell.own / "made").exists()


@pytest.mark.parametrize("full", ["no directory", "no byte"])
@pytest.mark.parametrize("code", [0, 3])
def test_what_is_undone_without_a_journal_tells_its_end(shell, code, full):
    """Said with its mark, and where it runs: else its client takes it for lost, and asks again."""
    whole = a_step(shell, f"exit {code}", "002.undo-start")
    if full == "no directory":
        (shell.base / "journal" / RUN / "002.undo-start").write_text("in the way")
    else:
        limited = f"trap '' XFSZ; ulimit -f 0\n{whole.argv[2]}"
        whole = replace(whole, argv=("sh", "-c", limited))
    client = begin(shell, whole)
    assert client.wait(timeout=30) == code
    heard = client.stdout.read().decode()
    hang_up(client)
    assert heard.splitlines()[-1] == f"@exit {whole.mark} {code}"
    assert f"@step {whole.mark} {client.pid}\n" in heard


class TestTheJournal:
    def observed(self, shell):
        return shell.call("fl_observe_journal").marks

    def test_a_run_that_never_ended_is_told_with_its_steps(self, shell):
        """Its name, when the last step began, each step's exit code, and the header."""
        send(shell, a_step(shell, "true", "001.upload"))
        send(shell, a_step(shell, "exit 70", "002.health"))
        (shell.base / "journal" / RUN / "003.undo-upload").mkdir()
        [line] = self.observed(shell)
        mark, run, end, since, steps, header = line.split(" ", 5)
        assert (mark, run, end, header) == ("@run-of", RUN, "-", '{"verb": "deploy"}')
        assert steps == "001.upload=0,002.health=70,003.undo-upload=?"
        assert since.endswith("Z")

    def test_the_end_is_told(self, shell):
        shell.call("fl_journal_end", RUN, "rolled-back")
        [line] = self.observed(shell)
        assert line.startswith(f"@run-of {RUN} rolled-back - ")

    def test_opening_it_again_changes_nothing(self, shell):
        """A run that is resumed keeps what it wrote about itself."""
        shell.call("fl_journal_open", RUN, "{}")
        [line] = self.observed(shell)
        assert line.endswith('{"verb": "deploy"}')

    def test_only_the_last_of_those_that_ended_are_told(self, shell):
        """A host that was deployed to for years is still quick to observe."""
        shell.call("fl_journal_end", RUN, "done")
        for number in range(5):
            shell.call("fl_journal_open", f"2026-{number}", "{}")
            shell.call("fl_journal_end", f"2026-{number}", "done")
        assert [line.split()[1] for line in self.observed(shell)] == ["2026-2", "2026-3", "2026-4"]

    def test_pruning_keeps_the_newest_and_what_never_ended(self, shell):
        """An unfinished run is never forgotten; one that began nothing is."""
        send(shell, a_step(shell, "true", "001.upload"))
        for number in range(4):
            shell.call("fl_journal_open", f"2026-{number}", "{}")
            if number != 1:
                shell.call("fl_journal_end", f"2026-{number}", "done")
        shell.call("fl_prune_journal", "2")
        kept = sorted(path.name for path in (shell.base / "journal").iterdir())
        assert kept == [RUN, "2026-2", "2026-3"]

    def test_without_any_nothing_is_told(self, shell):
        shell.run(f"rm -r $FL_BASE/journal/{RUN}")
        assert self.observed(shell) == []
