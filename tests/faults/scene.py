"""One deploy of the matrix: what was before, what runs, and the machines it runs on."""

import json
import signal
import subprocess
import time
from dataclasses import dataclass, field

from tests.lab.hosts import Host
from tests.lab.project import Project, Run, Started

LEASE = 6.0  # seconds, of the lock
OLD, NEW = "v1", "v2"


@dataclass
class Scene:
    """A deploy under way, from the release `before` to `tag`, while requests come in."""

    app: Project
    before: str
    tag: str
    running: Started
    ended: Run | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def host(self) -> Host:
        """The host that faults strike."""
        return self.app.hosts[-1]

    def wait_for(self, phase: str) -> bool:
        """Until a phase begins; False when the deploy ended without it."""
        deadline = time.monotonic() + 60
        words = f'"step": "{phase}", "title"'
        while words not in self.running.text:
            if self.running.process.poll() is not None:
                return False
            assert time.monotonic() < deadline, f"{phase} never began: {self.running.text}"
            time.sleep(0.01)
        return True

    def kill(self) -> None:
        self.running.signal(signal.SIGKILL)
        self.running.process.wait()

    def end(self, timeout: float = 120) -> Run:
        """The deploy's own end; one that hangs is a failure, with all that it said."""
        try:
            self.ended = self.running.end(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not end in {timeout} s: {self.running.text}") from None
        return self.ended


def result(run: Run) -> dict[str, object]:
    """The last line of a --json run; empty when it was cut off."""
    lines = run.out.splitlines()
    try:
        found = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) and found.get("type") == "result" else {}
