"""Commands: twenty in a row on one host, and what one costs on an open connection."""

import shlex
import time
from collections.abc import Callable
from typing import Any

from figures import Figure, Measure, Target, alternate
from lab import Host, Ssh, lab, last_host
from processes import python, timed

from fairlead.model import Command
from fairlead.model import Host as Address
from fairlead.transport.ssh import SshSettings, SshTransport, connect

COMMANDS = 20
OURS = f"""
from fairlead.model import Command, Host
from fairlead.transport.ssh import SshSettings, SshTransport
transport = SshTransport(Host("host", address, "deploy"), SshSettings(key, known_hosts))
for _ in range({COMMANDS}):
    assert transport.run(Command(("true",))).ok
transport.close()
"""
FABRIC = f"""
from fabric import Connection
login = {{"key_filename": key, "look_for_keys": False, "allow_agent": False}}
with Connection(address, user="deploy", connect_kwargs=login) as connection:
    for _ in range({COMMANDS}):
        connection.run("true", hide=True)
"""


def measure(runs: int | None, host: str) -> Measure:
    found = lab()
    ssh, target = Ssh(found), last_host(found, host)
    facts = ssh.facts(target)
    seconds = alternate(
        runs or 9,
        {
            "ours, 20 commands": timed(python(OURS, facts)),
            "Fabric, 20 commands": timed(python(FABRIC, facts)),
            "ssh ControlMaster, 20 commands": timed(["sh", "-c", _multiplexed(ssh, target)]),
        },
    )
    each = _on_open_connection(ssh, target, runs or 9)
    roles = {"ours, 20 commands": "ours", "ours, a command": "ours", "raw channel": "limit"}
    return Measure(
        "commands",
        "20 commands one after another on one host, whole process; one on an open connection",
        tuple(Figure(n, s, roles.get(n, "peer")) for n, s in {**seconds, **each}.items()),
        (Target("ours, 20 commands", 0.40), Target("ours, a command", 0.006)),
        ("raw channel: Paramiko's own, on a socket with TCP_NODELAY, in the same process",),
    )


def _multiplexed(ssh: Ssh, host: Host) -> str:
    """A shell loop whose first call opens the connection and whose end closes it."""
    call = shlex.join(ssh.argv(host, "true", *ssh.shared()))
    end = shlex.join(["ssh", "-O", "exit", *ssh.argv(host, "", *ssh.shared())[1:-1]])
    return (
        f"{end} 2>/dev/null; set -e; for n in $(seq {COMMANDS}); do {call}; done; {end} 2>/dev/null"
    )


def _on_open_connection(ssh: Ssh, host: Host, runs: int) -> dict[str, tuple[float, ...]]:
    address = Address(host.name, host.address, "deploy")
    settings = SshSettings(str(ssh.lab.key), str(ssh.lab.known_hosts))
    transport = SshTransport(address, settings)
    connection = connect(address, settings)
    try:
        return alternate(
            runs,
            {
                "ours, a command": _mean(lambda: transport.run(Command(("true",)))),
                "raw channel": _mean(lambda: _raw(connection)),
            },
        )
    finally:
        transport.close()
        connection.close()


def _raw(connection: Any) -> None:
    channel = connection.transport.open_session()
    channel.exec_command("exec true")
    while channel.recv(4096):
        pass
    channel.recv_exit_status()
    channel.close()


def _mean(once: Callable[[], object]) -> Callable[[], float]:
    """Seconds of one call, as the mean of many: one is too short to be timed by itself."""

    def many() -> float:
        started = time.perf_counter()
        for _ in range(COMMANDS):
            once()
        return (time.perf_counter() - started) / COMMANDS

    return many
