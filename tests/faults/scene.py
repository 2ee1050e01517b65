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

    def wait_for(self, phase: str) -> None:
        """Until a phase begins; a failed test when the deploy ends without it."""
        deadline = time.monotonic() + 60
        words = f'"step": "{phase}", "title"'
        while words not in self.running.text:
            assert self.running.process.poll() is None, f"no {phase}: {self.running.text}"
            assert time.monotonic() < deadline, f"{phase} never began: {self.running.text}"
            time.sleep(0.01)

    def wait_for_connection(self) -> None:
        """Until the client speaks to the struck host."""
        deadline = time.monotonic() + 60
        ours = f"pid={self.running.process.pid},"
        while not any(ours in line for line in _connections(self.host)):
            assert self.running.process.poll() is None, f"not connected: {self.running.text}"
            assert time.monotonic() < deadline, f"never connected: {self.running.text}"
            time.sleep(0.01)

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


def _connections(host: Host) -> list[str]:
    """Open connections from here to a host's sshd, with the processes that have them."""
    words = ["ss", "-Htnp", "state", "established", "dst", f"{host.address}:22"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()


def result(run: Run) -> dict[str, object]:
    """The last line of a --json run; empty when it was cut off."""
    lines = run.out.splitlines()
    try:
        found = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) and found.get("type") == "result" else {}
