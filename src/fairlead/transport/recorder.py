"""A transport that records what it is asked and answers from a script: the cli tests' host."""

from collections.abc import Callable
from threading import Event

from fairlead.model import Command, Host, Result
from fairlead.transport.protocol import LineListener

Answer = Callable[[Command], str | Result]


class Recorder:
    """Keeps every command in `commands`; `answer` gives stdout (exit 0) or a whole Result."""

    def __init__(self, host: Host, answer: Answer = lambda _: "") -> None:
        self.host = host
        self.commands: list[Command] = []
        self._answer = answer

    def run(
        self,
        command: Command,
        on_line: LineListener | None = None,
        cancel: Event | None = None,
    ) -> Result:
        self.commands.append(command)
        answer = self._answer(command)
        if isinstance(answer, str):
            answer = Result(self.host.name, 0, answer, "", 0.0)
        if on_line:
            for line in answer.out.splitlines():
                on_line(line)
        return answer

    def close(self) -> None:
        """Nothing to close."""
