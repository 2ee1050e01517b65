"""Faults of a line, by iptables on this machine or on a host; each tells how often it struck."""

import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.lab.hosts import Host, Lab, wait_for

SSH = "22"
CLIENT = 4242  # the group that deploys run in: what they send can be told from all else here
RESET = ("-j", "REJECT", "--reject-with", "tcp-reset")
STRIKES = 15.0  # seconds within which something is sent, whatever the phase

Hits = Callable[[], int]


def lost(share: float) -> tuple[str, ...]:
    """The verdict that loses a share of the packets."""
    return ("-m", "statistic", "--mode", "random", "--probability", str(share), "-j", "DROP")


def to_sshd(address: str) -> tuple[str, ...]:
    """What goes from here to a host's sshd; so that the load goes on."""
    return ("-d", address, "--dport", SSH)


def to_registry(lab: Lab) -> tuple[str, ...]:
    return ("-d", lab.registry.partition(":")[0])


def of_client(lab: Lab) -> tuple[str, ...]:
    """What a deploy itself sends to the registry: it asks for digests."""
    return (*to_registry(lab), "-m", "owner", "--gid-owner", str(CLIENT))


@contextmanager
def rule(*words: str, on: Host | None = None) -> Iterator[Hits]:
    """A rule on what goes out of this machine, or of a host, as long as the block lasts.

    Yields what tells how many packets it has met.
    """
    name = f"fault-{secrets.token_hex(4)}"
    whole = ("OUTPUT", "-p", "tcp", "-m", "comment", "--comment", name, *words)

    def hits() -> int:
        listed = _iptables(on, "-nvxL", "OUTPUT").splitlines()
        return sum(int(line.split()[0]) for line in listed if name in line)

    _iptables(on, "-I", *whole)
    try:
        yield hits
    finally:
        _iptables(on, "-D", *whole)


def strike(seconds: float, *words: str, on: Host | None = None) -> None:
    """A rule for so many seconds, and on until it has met something; or the test fails."""
    with rule(*words, on=on) as hits:
        time.sleep(seconds)
        wait_for(lambda: hits() > 0, STRIKES, f"something is struck by {words}")


def _iptables(on: Host | None, *words: str) -> str:
    whole = ["iptables", "-w", "10", *words]
    if on:
        return str(on.must(" ".join(whole), user="root"))
    return subprocess.run(whole, check=True, capture_output=True, text=True, timeout=30).stdout
