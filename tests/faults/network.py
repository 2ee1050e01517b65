"""Faults of the line between this machine and a host: only SSH, so that the load goes on."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

SSH = "22"


@contextmanager
def rule(address: str, *verdict: str) -> Iterator[None]:
    """An iptables rule on what goes to a host's sshd, as long as the block lasts."""
    words = ["OUTPUT", "-p", "tcp", "-d", address, "--dport", SSH, *verdict]
    _iptables("-I", *words)
    try:
        yield
    finally:
        _iptables("-D", *words)


def reset(address: str) -> None:
    """Every connection is reset; the next one, a second later, goes through."""
    with rule(address, "-j", "REJECT", "--reject-with", "tcp-reset"):
        time.sleep(1.0)


def swallow(address: str, seconds: float) -> None:
    """Nothing arrives for a while, and nobody says so."""
    with rule(address, "-j", "DROP"):
        time.sleep(seconds)


def lossy(address: str, share: float = 0.3):
    """A share of the packets is lost, as long as the block lasts."""
    return rule(
        address, "-m", "statistic", "--mode", "random", "--probability", str(share), "-j", "DROP"
    )


def _iptables(*words: str) -> None:
    subprocess.run(["iptables", "-w", "10", *words], check=True, capture_output=True, timeout=30)
