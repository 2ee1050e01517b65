"""What a transport promises, whichever it is."""

from collections.abc import Callable
from threading import Event
from typing import Protocol

from fairlead.model import Command, Host, Result

LineListener = Callable[[str], None]


class Transport(Protocol):
    """One host, one connection; commands may run side by side on it."""

    host: Host

    def run(
        self,
        command: Command,
        on_line: LineListener | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Run `command` to its end and return what it said; a non-zero exit is no exception.

        on_line gets each complete line of stdout as it arrives. Setting `cancel` ends the remote
        process group; the Result then has the signal's exit code.
        Raises HostError when the host cannot be reached, or the command outlives its timeout.
        """
        ...

    def close(self) -> None:
        """Close the connection; a later `run` opens it again."""
        ...
