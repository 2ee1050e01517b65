"""Colour, alphabet, masking, and streams that go away."""

import io
import os
import re

import pytest
from heard import SECRET, Stream, Wishes

from fairlead.errors import DeployFailed
from fairlead.events import HostOutput, HostProgress, Notice, PhaseFinished, PhaseStarted
from fairlead.model import Command, Step
from fairlead.report import open_reporter
from fairlead.report.jsonlines import JsonLines
from fairlead.report.live import Live
from fairlead.report.plain import Plain
from fairlead.report.terminal import Outlet, line

ERROR = DeployFailed("it broke", why=["why"], state="state", next_step="next")


def tell_everything(reporter) -> None:
    """Use every way there is to show something, all with a secret in it."""
    reporter.event(PhaseStarted("pull", SECRET, ("web1",)))
    reporter.event(HostProgress("pull", "web1", "layers", 1, 2, SECRET))
    reporter.event(HostOutput("pull", "web1", SECRET))
    reporter.event(Notice(SECRET, "warning"))
    reporter.event(PhaseFinished("pull", True, 1.0))
    reporter.error(DeployFailed(SECRET, why=[SECRET], state=SECRET, next_step=SECRET))
    reporter.table(SECRET, [SECRET], [[SECRET]], [SECRET])
    reporter.text([SECRET])
    step = Step("s", SECRET, {"web1": (Command(("a", SECRET), stdin_note=SECRET),)})
    reporter.plan([step], {"x": SECRET}, [SECRET], verbose=True)
    reporter.result({"x": SECRET}, [SECRET])
    reporter.close(1)


@pytest.mark.parametrize("json", [False, True])
@pytest.mark.parametrize("environ", [{}, {"FORCE_COLOR": "1"}, {"GITHUB_ACTIONS": "true"}])
def test_a_secret_gets_out_nowhere(listen, json, environ):
    """Law 10."""
    heard = listen(json=json, environ=environ)
    tell_everything(heard.reporter)
    assert SECRET not in heard.out.text + heard.err.text
    assert "•••" in heard.err.text or json


def coloured(stream) -> bool:
    return "\x1b[" in stream.text


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "0"}, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"NO_COLOR": "", "FORCE_COLOR": "1"}, True),
    ],
)
def test_no_color_beats_force_color(listen, environ, expected):
    heard = listen(environ=environ)
    tell_everything(heard.reporter)
    assert coloured(heard.out) == expected
    assert coloured(heard.err) == expected


def test_json_is_never_coloured(listen):
    heard = listen(json=True, environ={"FORCE_COLOR": "1"})
    tell_everything(heard.reporter)
    assert not coloured(heard.out)


@pytest.mark.parametrize(
    ("environ", "terminal", "kind"),
    [
        ({"TERM": "xterm"}, True, Live),
        ({"TERM": "xterm"}, False, Plain),
        ({"TERM": "dumb"}, True, Plain),
        ({}, True, Plain),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, Live),
    ],
)
def test_only_a_terminal_is_redrawn(environ, terminal, kind):
    stream = Stream(terminal=terminal)
    reporter = open_reporter(Wishes(), stdout=Stream(), stderr=stream, environ=environ, redact=str)
    assert type(reporter) is kind


def test_json_wins_over_a_terminal():
    reporter = open_reporter(
        Wishes(json=True),
        stdout=Stream(terminal=True),
        stderr=Stream(terminal=True),
        environ={"TERM": "xterm"},
        redact=str,
    )
    assert type(reporter) is JsonLines


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_stream_that_cannot_spell_gets_plain_letters(listen, encoding):
    heard = listen(encoding=encoding)
    tell_everything(heard.reporter)
    heard.reporter.table("Größe → 3", ["a"], [["日本 ✓"]])
    assert "error: ***" in heard.err.text.replace("•••", "***")
    assert "-> 3" in heard.out.text
    assert "\\u65e5\\u672c ok" in heard.out.text
    assert ("Größe" in heard.out.text) == (encoding != "ascii")


def test_utf8_keeps_every_letter(listen):
    heard = listen()
    heard.reporter.table("Größe → 3", ["a"], [["日本 ✓"]])
    assert heard.out.lines == ["Größe → 3", "  a", "  日本 ✓"]


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b[31mred\x1b[0m",
        "\x1b]0;a title\x07red",
        "\x1b]8;;http://x\x1b\\red\x1b]8;;\x1b\\",
        "\x1b[2J\x1b[Hred",
        "\x1bcred",
        "\x9b31mred",
        "\rred\x08\x07\x00",
        "\x1b]52;c;bm90aGluZw==",
    ],
)
def test_what_a_host_prints_cannot_steer_the_terminal(listen, hostile):
    heard = listen(environ={"FORCE_COLOR": "1"})
    heard.reporter.event(HostOutput("logs", "web1", hostile))
    heard.reporter.text([hostile])
    ours = re.compile(r"\x1b\[[0-9;]*m")
    for stream in (heard.err, heard.out):
        rest = ours.sub("", stream.text)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", rest), rest


def test_tabs_and_line_breaks_are_text(listen):
    heard = listen()
    heard.reporter.text(["a\tb", "c\nd"])
    assert heard.out.text == "a\tb\nc\nd\n"


class Full(io.StringIO):
    """A log on a disk that is full, or a reader that has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError

    def fileno(self) -> int:
        raise OSError


def test_a_stream_that_is_gone_stops_nothing():
    reporter = open_reporter(Wishes(), stdout=Full(), stderr=Full(), environ={}, redact=str)
    tell_everything(reporter)


def test_a_reader_that_leaves_does_not_fail_the_program_at_its_end():
    """`fairlead … | head -1`: Python flushes again on exit, and must find somewhere to write."""
    reading, writing = os.pipe()
    stream = os.fdopen(writing, "w")
    outlet = Outlet(stream, colour=False, redact=str)
    outlet.write([line("one")])
    os.close(reading)
    outlet.write([line("two")])
    outlet.write([line("three")])
    stream.write("four")
    stream.close()


class Interrupting(io.StringIO):
    """A stream in the middle of whose first write a signal handler speaks."""

    outlet: Outlet
    busy = False

    def write(self, text: str) -> int:
        if self.busy:
            raise RuntimeError("reentrant call")
        self.busy = True
        if text == "first\n":
            self.outlet.write([line("from a handler")])
        written = super().write(text)
        self.busy = False
        return written


def test_a_handler_that_speaks_inside_a_write_is_heard_after_it():
    stream = Interrupting()
    stream.outlet = Outlet(stream, colour=False, redact=str)
    stream.outlet.write([line("first")])
    stream.outlet.write([line("last")])
    assert stream.getvalue() == "first\nfrom a handler\nlast\n"
