"""The lab's hosts, over plain ssh: how the peers of a figure reach them."""

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass

from processes import ROOT, run

from tests.lab.hosts import Host, Lab, read_lab

__all__ = ["Host", "Lab", "Ssh", "lab", "last_host"]


def lab() -> Lab:
    """The lab that is up."""
    if not (ROOT / ".lab/lab.json").exists():
        raise SystemExit("bench: the lab is not up\nStart it: ./scripts/lab up")
    return read_lab()


def last_host(found: Lab, name: str = "") -> Host:
    """The host to measure on: the one named, or the last, on which the least else runs."""
    return found.host(name) if name else found.hosts[-1]


@dataclass(frozen=True)
class Ssh:
    """OpenSSH's client as a person would set it up: one key, known hosts, nothing else."""

    lab: Lab

    def options(self, *more: str) -> list[str]:
        given = ("BatchMode=yes", f"UserKnownHostsFile={self.lab.known_hosts}", "LogLevel=ERROR")
        words = ["-F", "/dev/null", "-i", str(self.lab.key)]
        for option in (*given, *more):
            words += ["-o", option]
        return words

    def argv(self, host: Host, command: str, *more: str) -> list[str]:
        return ["ssh", *self.options(*more), f"deploy@{host.address}", command]

    def shared(self) -> tuple[str, ...]:
        """Options by which later calls use the connection of the first: ControlMaster."""
        path = f"{tempfile.gettempdir()}/fairlead-bench-{os.getpid()}-%h"
        return ("ControlMaster=auto", f"ControlPath={path}", "ControlPersist=60")

    def run(self, host: Host, command: str, stdin: bytes = b"") -> str:
        """A shell line over the shared connection; its stdout."""
        return run(self.argv(host, command, *self.shared()), stdin=stdin)

    def timed(self, host: Host, command: str) -> Callable[[], float]:
        """The same, as something to time."""

        def once() -> float:
            started = time.perf_counter()
            self.run(host, command)
            return time.perf_counter() - started

        return once

    def facts(self, host: Host) -> dict[str, str]:
        """What a Python program needs to log in."""
        known = str(self.lab.known_hosts)
        return {"address": host.address, "key": str(self.lab.key), "known_hosts": known}
