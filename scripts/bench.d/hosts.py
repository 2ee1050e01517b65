"""Hosts: one command on ten at once, from nothing."""

import shlex

from figures import Figure, Measure, Target, alternate
from lab import Ssh, lab
from processes import python, timed

HOSTS = 10
OURS = """
from fairlead.model import Command, Host
from fairlead.transport.fanout import fan_out
from fairlead.transport.ssh import SshSettings, SshTransport
settings = SshSettings(key, known_hosts)
transports = {
    f"host{n}": SshTransport(Host(f"host{n}", address, "deploy"), settings)
    for n, address in enumerate(addresses.split())
}
outcomes = fan_out(transports, lambda name: transports[name].run(Command(("true",))))
for name, outcome in outcomes.items():
    assert outcome.ok, (name, outcome)
for transport in transports.values():
    transport.close()
"""


def measure(runs: int | None, host: str) -> Measure:
    found = lab()
    ssh = Ssh(found)
    targets = [found.hosts[n % len(found.hosts)] for n in range(HOSTS)]
    facts = ssh.facts(targets[0]) | {"addresses": " ".join(one.address for one in targets)}
    calls = " & ".join(shlex.join(ssh.argv(one, "true")) for one in targets)
    # The key exchange that Paramiko uses too; a newer ssh prefers one that costs 60 ms of CPU more.
    curve = " & ".join(
        shlex.join(ssh.argv(one, "true", "KexAlgorithms=curve25519-sha256")) for one in targets
    )
    seconds = alternate(
        runs or 9,
        {
            "ours, 10 hosts": timed(python(OURS, facts)),
            "ssh, 10 side by side": timed(["sh", "-c", f"{calls} & wait"]),
            "ssh, curve25519": timed(["sh", "-c", f"{curve} & wait"]),
        },
    )
    roles = ("ours", "peer", "limit")
    return Measure(
        "hosts",
        "`true` on 10 hosts, whole process",
        tuple(Figure(n, s, r) for (n, s), r in zip(seconds.items(), roles, strict=True)),
        (Target("ours, 10 hosts", 0.45),),
        (f"10 connections to the {len(set(targets))} hosts of the lab, on this machine's own CPU",),
    )
