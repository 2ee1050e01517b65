"""Streams that are a terminal or a file, in any encoding, and a reporter that writes to them."""

import io
from dataclasses import dataclass, field

from fairlead.report import Reporter, open_reporter

SECRET = "hunter2-correct-horse"


@dataclass(frozen=True)
class Wishes:
    """The flags that a reporter is chosen by."""

    json: bool = False
    verbose: bool = False


class Stream(io.TextIOWrapper):
    """A text stream over memory."""

    def __init__(self, encoding: str = "utf-8", terminal: bool = False) -> None:
        self.memory = io.BytesIO()
        self.terminal = terminal
        super().__init__(self.memory, encoding=encoding, write_through=True)

    def isatty(self) -> bool:
        return self.terminal

    @property
    def text(self) -> str:
        return self.memory.getvalue().decode(self.encoding)

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


@dataclass
class Heard:
    """What a reporter wrote. It masks SECRET."""

    reporter: Reporter
    out: Stream
    err: Stream


@dataclass
class Listening:
    """Opens reporters and closes them when the test is over."""

    opened: list[Reporter] = field(default_factory=list)

    def __call__(
        self,
        *,
        json: bool = False,
        verbose: bool = False,
        environ: dict[str, str] | None = None,
        encoding: str = "utf-8",
        program: str = "inv",
        environment: str = "",
    ) -> Heard:
        out, err = Stream(encoding), Stream(encoding)
        reporter = open_reporter(
            Wishes(json=json, verbose=verbose),
            stdout=out,
            stderr=err,
            environ=environ or {},
            redact=lambda text: text.replace(SECRET, "•••"),
            program=program,
            environment=lambda: environment,
        )
        self.opened.append(reporter)
        return Heard(reporter, out, err)
