"""Bytes that arrive in pieces, turned into whole lines."""

import codecs
from collections.abc import Callable


class LineSplitter:
    """Collects decoded text and hands each complete line to a listener as it arrives."""

    def __init__(self, listener: Callable[[str], None] | None = None) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._listener = listener
        self._parts: list[str] = []
        self._rest = ""

    def feed(self, data: bytes) -> None:
        text = self._decode(data)
        self._parts.append(text)
        if self._listener is None:
            return
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._listener(line)

    def finish(self) -> str:
        """Hand out a last line without newline, and return all that came."""
        end = self._decode(b"", True)  # a character that was cut off for good
        self._parts.append(end)
        self._rest += end
        if self._listener is not None and self._rest:
            self._listener(self._rest)
            self._rest = ""
        return "".join(self._parts)
