"""A stream and how text may look on it: colour, alphabet, and what must never reach it."""

import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TextIO

STYLES = {
    "good": "32",
    "bad": "31",
    "warn": "33",
    "name": "36",
    "strong": "1",
    "bad strong": "1;31",
    "quiet": "2",
}
"""What a piece of text means → its ANSI colour."""

PLAIN_SPELLING = {
    "✓": "ok",
    "✗": "error:",
    "▲": "!",
    "·": "-",
    "•": "*",
    "…": "...",
    "→": "->",
    "–": "-",
    "—": "-",
    "“": '"',
    "”": '"',
    "’": "'",
    "━": "#",
    "╌": ".",
    "─": "-",
}
"""For streams that know no more than ASCII or Latin-1."""

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # OSC, DCS: titles, links, clipboards
    r"|\x1b[ -/]*[0-~]"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]",
    re.DOTALL,
)

_RUNNER_COMMAND = re.compile(r"^(\s*:)(?=:)|(##)(?=\[)", re.MULTILINE)


class Piece(NamedTuple):
    """Some text and what it means: a key of STYLES, or nothing."""

    text: str
    style: str = ""


Line = tuple[Piece, ...]


def line(*pieces: str | Piece) -> Line:
    """A line of pieces; a bare text has no style."""
    return tuple(Piece(piece) if isinstance(piece, str) else piece for piece in pieces)


def plain(text: str) -> str:
    """The text without anything that steers a terminal; tabs and newlines stay."""
    return _ESCAPES.sub("", text)


def is_live(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether lines on the stream can be redrawn."""
    return stream.isatty() and environ.get("TERM", "dumb") != "dumb"


def has_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether the stream gets colours: NO_COLOR beats FORCE_COLOR beats what the stream is."""
    if environ.get("NO_COLOR"):
        return False
    forced = environ.get("FORCE_COLOR", "")
    if forced:
        return forced != "0"
    return is_live(stream, environ)


class Outlet:
    """The one way to a stream: masks secrets, drops what steers terminals, spells, paints.

    A stream that is gone (closed pipe, full disk) silences the outlet and nothing else: how a
    command is watched never changes what it does. guarded: a CI runner reads the stream and obeys
    `::command::` lines, so no text from elsewhere may begin with one.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        colour: bool,
        redact: Callable[[str], str],
        guarded: bool = False,
    ) -> None:
        self.stream = stream
        self.colour = colour
        self._guarded = guarded
        self._redact = redact
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._waiting: deque[str] = deque()
        self._writing = False
        self._gone = False

    def spell(self, text: str) -> str:
        """The text as it may be shown here, without colour."""
        text = plain(self._redact(text))
        try:
            text.encode(self._encoding)
        except UnicodeEncodeError:
            return "".join(self._letter(letter) for letter in text)
        return text

    def write(self, lines: Iterable[Line]) -> None:
        """Write lines and flush; each line of a piece's text is a line here."""
        text = "".join(self.painted(one) + "\n" for one in lines)
        self.raw(_RUNNER_COMMAND.sub(r"\1\2 ", text) if self._guarded else text)

    def painted(self, pieces: Line) -> str:
        """A line as it is written: spelt for the stream, coloured if it has colours."""
        return "".join(map(self._paint, pieces))

    def raw(self, text: str) -> None:
        """Write text as it stands; only for text that holds nothing from elsewhere."""
        self._waiting.append(text)
        if self._writing:
            return  # a signal handler inside a write: the stream takes no second one meanwhile
        self._writing = True
        try:
            while self._waiting:
                self._put(self._waiting.popleft())
        finally:
            self._writing = False

    def _put(self, text: str) -> None:
        if self._gone:
            return
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):
            self._give_up()

    def _paint(self, piece: Piece) -> str:
        text = self.spell(piece.text)
        if not (self.colour and piece.style and text):
            return text
        return f"\x1b[{STYLES[piece.style]}m{text}\x1b[0m"

    def _letter(self, letter: str) -> str:
        try:
            letter.encode(self._encoding)
        except UnicodeEncodeError:
            known = PLAIN_SPELLING.get(letter)
            return known or letter.encode(self._encoding, "backslashreplace").decode(self._encoding)
        return letter

    def _give_up(self) -> None:
        """Stop writing, and keep Python from failing again when it flushes on exit."""
        self._gone = True
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.stream.fileno())
            os.close(null)
        except (OSError, ValueError):
            pass
