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
    """A deploy under way, from the release `before` to `tag`, while requests come in.

    way: which of its two ways out is taken, if it is left unfinished. at: the hosts that its phase
    works on. settled: what has to serve in the end, and by what, when a fault has seen to it.
    said: all that was printed meanwhile, by whomever.
    """

    app: Project
    before: str
    tag: str
    running: Started
    way: str = "rollback"
    phase: str = ""
    at: tuple[Host, ...] = ()
    ended: Run | None = None
    settled: tuple[str, str] | None = None
    said: list[str] = field(default_factory=list)

    @property
    def host(self) -> Host:
        """The host that faults strike: the last of those that the phase works on."""
        return (self.at or self.app.hosts)[-1]

    @property
    def alive(self) -> bool:
        return self.running.process.poll() is None

    def inv(self, *words: str) -> Run:
        """Another command in the same project, to its end; what it says is kept."""
        run = self.app.inv(*words)
        self.said.append(run.text)
        return run

    def signal(self, number: int) -> None:
        assert self.alive, f"nothing is struck: it has ended: {self.running.text}"
        self.running.signal(number)

    def wait_for(self, phase: str) -> None:
        """Until a phase begins; a failed test when the deploy ends without it."""
        deadline = time.monotonic() + 60
        while not (begun := self._announced(phase)):
            assert self.alive, f"no {phase}: {self.running.text}"
            assert time.monotonic() < deadline, f"{phase} never began: {self.running.text}"
            time.sleep(0.01)
        self.phase = phase
        self.at = tuple(host for host in self.app.hosts if host.name in begun["hosts"])
        if phase == "backup":
            self.at = self.app.hosts[:1]  # where data are dumped

    def _announced(self, phase: str) -> dict[str, list[str]]:
        words = f'"step": "{phase}", "title"'
        lines = self.running.text.splitlines(keepends=True)
        found = [line for line in lines if words in line and line.endswith("\n")]
        return json.loads(found[0]) if found else {}

    def wait_for_connection(self) -> None:
        """Until the client speaks to the struck host."""
        deadline = time.monotonic() + 60
        while not self.ports():
            assert self.alive, f"not connected: {self.running.text}"
            assert time.monotonic() < deadline, f"never connected: {self.running.text}"
            time.sleep(0.01)

    def ports(self) -> list[str]:
        """Our ends of the client's connections to the struck host's sshd."""
        words = ["ss", "-Htnp", "state", "established", "dst", f"{self.host.address}:22"]
        shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        ours = [line for line in shown.splitlines() if f"pid={self.running.process.pid}," in line]
        return [line.split()[2].rpartition(":")[2] for line in ours]

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
