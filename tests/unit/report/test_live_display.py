"""On a terminal: a real pseudo-terminal, read back through a small screen."""

import os
import pty
import re
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from fairlead.events import HostFinished
from fairlead.report.frame import HostRow, Phase, frame

STORY = """
    import os, sys, time
    from fairlead.errors import DeployFailed
    from fairlead.report import open_reporter
    from fairlead.events import *

    class Wishes: json = False; verbose = "verbose" in sys.argv

    reporter = open_reporter(
        Wishes(), stdout=sys.stdout, stderr=sys.stderr, environ=os.environ, redact=str
    )
    tell = reporter.event
    if "alarm" in sys.argv:
        import signal

        ticks = 0

        def speak(*_):
            global ticks
            tell(Notice(f"tick {ticks}"))
            ticks += 1
            if ticks < 25:  # and no more: a machine so slow that each comes at once gets on too
                signal.setitimer(signal.ITIMER_REAL, 0.002)

        signal.signal(signal.SIGALRM, speak)
        signal.setitimer(signal.ITIMER_REAL, 0.002)
        while ticks < 25:
            tell(PhaseStarted("work", "Work", ("web1",)))
            tell(HostProgress("work", "web1", "steps", ticks, 25))
            tell(PhaseFinished("work", True, 0.0))
    tell(PhaseStarted("pull", "Pull api", ("web1", "web2")))
    tell(HostProgress("pull", "web1", "layers", 3, 7, "12 MB"))
    tell(HostOutput("pull", "web2", "some output"))
    time.sleep(0.5)
    tell(HostFinished("pull", "web1", True, 1.2))
    tell(HostFinished("pull", "web2", True, 1.4))
    tell(PhaseFinished("pull", True, 1.4))
    tell(PhaseStarted("start", "Start api", ("web1", "web2")))
    tell(Notice("a remark", "warning"))
    time.sleep(0.3)
    if "fail" in sys.argv:
        reporter.error(DeployFailed("it broke", next_step="inv status"))
    else:
        tell(PhaseFinished("start", True, 0.2))
        reporter.result({}, ["0007 is live"])
    reporter.close()
"""


def on_a_terminal(*words: str, **environ: str) -> str:
    """What the story writes to a terminal of 24 lines of 80 columns."""
    given = {key: value for key, value in os.environ.items() if "COLOR" not in key}
    given |= {"TERM": "xterm-256color", "LINES": "24", "COLUMNS": "80", "PYTHONUTF8": "1"}
    master, slave = pty.openpty()
    story = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(STORY), *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=given | environ,
    )
    os.close(slave)
    seen = bytearray()
    try:
        while piece := os.read(master, 65536):
            seen += piece
    except OSError:
        pass  # how Linux says that the other end is closed
    os.close(master)
    assert story.wait(20) == 0, seen.decode()
    return seen.decode()


def screen(written: str) -> list[str]:
    """The lines that a person is left with: what a terminal makes of the bytes."""
    lines, row, column = [""], 0, 0
    for token in re.findall(r"\x1b\[[?0-9;]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", written):
        if token == "\r":
            column = 0
        elif token == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif token.startswith("\x1b["):
            if token.endswith("A"):
                row -= int(token[2:-1] or 1)
            elif token.endswith("K"):
                lines[row] = "" if token[2:-1] == "2" else lines[row][:column]
        else:
            lines[row] = lines[row][:column].ljust(column) + token
            column += len(token)
    return [line.rstrip() for line in lines if line.strip()]


def test_what_is_running_is_redrawn_and_what_is_over_is_a_line():
    written = on_a_terminal()
    assert "layers 3/7 · 12 MB" in written
    assert "some output" in written
    assert screen(written) == [
        "✓ pull        web1 1.2s · web2 1.4s",
        "▲ a remark",
        "✓ start       0.2s",
        "✓ 0007 is live",
    ]


def test_an_error_ends_what_is_running_and_stands_last():
    shown = screen(on_a_terminal("fail"))
    assert shown[0] == "✓ pull        web1 1.2s · web2 1.4s"
    assert shown[2].startswith("✗ start")
    assert shown[3:] == ["✗ it broke", "  next:  inv status"]


def test_verbose_keeps_what_hosts_print():
    assert "  web2  some output" in screen(on_a_terminal("verbose"))


def test_the_cursor_is_given_back():
    written = on_a_terminal()
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")


def test_a_signal_handler_may_speak_at_any_moment():
    """A roll-out tells of Ctrl-C from inside the handler, whatever is being drawn just then."""
    written = on_a_terminal("alarm")
    shown = screen(written)
    assert shown[-1] == "✓ 0007 is live"
    spoken = [line for line in shown if line.startswith("· tick")]
    assert spoken[:25] == [f"· tick {number}" for number in range(25)]
    assert "Traceback" not in written


def test_no_color_leaves_no_style_at_all():
    """Rich alone would keep bold and dim."""
    assert re.search(r"\x1b\[[0-9;]*m", on_a_terminal())
    assert not re.search(r"\x1b\[[0-9;]*m", on_a_terminal(NO_COLOR="1"))


def test_a_terminal_without_unicode_gets_plain_letters():
    written = on_a_terminal(PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert screen(written)[0] == "ok pull        web1 1.2s - web2 1.4s"


@pytest.fixture
def reading():
    """A terminal that is read all the time, so that nobody blocks on it."""
    master, slave = pty.openpty()

    def drain() -> None:
        try:
            while os.read(master, 65536):
                pass
        except OSError:
            pass

    reader = threading.Thread(target=drain, daemon=True)
    reader.start()
    yield slave
    os.close(slave)
    reader.join(5)
    os.close(master)


def test_many_threads_may_tell_at_once(reading):
    from heard import Wishes

    from fairlead.events import HostProgress, Notice, PhaseFinished, PhaseStarted
    from fairlead.report import open_reporter

    stream = os.fdopen(os.dup(reading), "w")
    reporter = open_reporter(
        Wishes(), stdout=stream, stderr=stream, environ={"TERM": "xterm"}, redact=str
    )
    hosts = tuple(f"web{number}" for number in range(8))
    reporter.event(PhaseStarted("pull", "Pull", hosts))

    def work(host: str) -> None:
        for done in range(40):
            reporter.event(HostProgress("pull", host, "layers", done, 40))
            if done % 10 == 0:
                reporter.event(Notice(f"{host} {done}"))
        reporter.event(HostFinished("pull", host, True, 0.1))

    threads = [threading.Thread(target=work, args=(host,)) for host in hosts]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    reporter.event(PhaseFinished("pull", True, 1.0))
    reporter.close()
    assert time.monotonic() - started < 30
    assert not any(thread.is_alive() for thread in threads)
    stream.close()


def text(lines) -> list[str]:
    return ["".join(piece.text for piece in line).rstrip() for line in lines]


def test_a_frame_shows_each_host_and_the_time_at_the_right():
    hosts = {
        "web1": HostRow("layers 3/6", 3, 6),
        "web-two": HostRow(finished=HostFinished("pull", "web-two", True, 1.2)),
        "web3": HostRow(finished=HostFinished("pull", "web3", False, 0.5, "no space")),
    }
    picture = frame({"pull": Phase("Pull api", 10.0, hosts)}, 13.1, 61, 24)
    assert text(picture) == [
        "⠙ pull        Pull api                                  3.1s",
        "    web1     ━━━━━━━━╌╌╌╌╌╌╌╌  layers 3/6",
        "  ✓ web-two  done                                       1.2s",
        "  ✗ web3     no space                                   0.5s",
    ]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (30, 6), (12, 3), (1, 1), (300, 60)])
def test_a_frame_never_outgrows_the_terminal(width, height):
    hosts = {f"web{number}": HostRow("x" * 200, 1, 2) for number in range(40)}
    picture = text(frame({"pull": Phase("t" * 200, 0.0, hosts)}, 1.0, width, height))
    assert len(picture) <= max(2, height)
    assert all(len(line) <= max(width, 12) for line in picture)


def test_hosts_that_do_not_fit_are_counted_and_failures_come_first():
    hosts = {
        f"web{number}": HostRow(finished=HostFinished("p", "", number != 17, 1.0))
        for number in range(20)
    }
    hosts["web19"] = HostRow("layers 1/7")
    picture = text(frame({"pull": Phase("Pull", 0.0, hosts)}, 1.0, 60, 7))
    assert "web17" in picture[1]
    assert "web19" in picture[2]
    assert picture[-1] == "    … 16 more; 19 of 20 done"
    assert len(picture) == 6
