"""What a command says, over however many connections it takes to hear it out."""

import time

from fairlead.model import Command
from fairlead.transport.lines import LineSplitter
from fairlead.transport.protocol import LineListener


class Hearing:
    """Lines of stdout as they come; for a step also its end, told in lines that bear its mark.

    A step that is asked again begins its story anew: what the listener was told once it is not
    told again. group: the remote process group. code: the exit code that the step told. began:
    when a step was first heard to have begun (monotonic).
    """

    def __init__(self, command: Command, listener: LineListener | None) -> None:
        self._mark = command.mark
        self._listener = listener
        self._told = 0
        self.began: float | None = None
        self.begin()

    def begin(self) -> None:
        """Listen from the first line on."""
        self.code: int | None = None
        self.group: int | None = None
        self._lines: list[str] = []
        self._errors: list[str] = []
        self._blanks = 0
        self._splitter = LineSplitter(self._line)
        self._err = LineSplitter()

    def feed(self, data: bytes) -> None:
        self._splitter.feed(data)

    def feed_err(self, data: bytes) -> None:
        self._err.feed(data)

    def finish(self) -> tuple[str, str]:
        """All of stdout and stderr."""
        text = self._splitter.finish()
        err = self._err.finish()
        if not self._mark:
            return text, err
        return _text(self._lines), _text(self._errors) + err

    def exit_code(self, status: int) -> int | None:
        """How it ended: as a step told it, else with sshd's `status` (below 0: none came).

        None when neither tells. A step that failed before it began tells nothing; 0 proves that it
        was not cut off only together with its mark.
        """
        if self.code is not None:
            return self.code
        return status if status > 0 or (status == 0 and not self._mark) else None

    def _line(self, line: str) -> None:
        if not self._lines and self.group is None and line.startswith("@pid "):
            self.group = int(line.split()[1])  # always its first line
        elif not self._mark:
            self._hear(line)
        elif line.startswith(f"@step {self._mark} "):
            self.group = int(line.split()[2])
            self.began = self.began or time.monotonic()
        elif line.startswith(f"@exit {self._mark} "):
            self.code = int(line.split()[2])
        elif line.startswith("@err "):
            self._errors.append(line.removeprefix("@err "))
        elif line:
            for blank in ("",) * self._blanks:
                self._hear(blank)
            self._blanks = 0
            self._hear(line)
        else:  # one comes before the end, which is no part of what was said
            self._blanks += 1

    def _hear(self, line: str) -> None:
        self._lines.append(line)
        if len(self._lines) > self._told:
            self._told = len(self._lines)
            if self._listener:
                self._listener(line)


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
