"""One environment with its hosts at hand: what every verb of the roll-out starts from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fairlead.config import Environment
from fairlead.engines.compose.layout import Layout
from fairlead.events import Listener
from fairlead.model import Host
from fairlead.rollout.fleet import Fleet, Redact
from fairlead.transport.connection import SshSettings
from fairlead.transport.protocol import Transport
from fairlead.transport.ssh import SshTransport


@dataclass(frozen=True)
class Session:
    """environment: what is declared. fleet: its hosts. listen: who is told of progress."""

    environment: Environment
    layout: Layout
    fleet: Fleet
    listen: Listener
    redact: Redact


@contextmanager
def open_session(
    environment: Environment, listen: Listener, redact: Redact = str
) -> Iterator[Session]:
    """The hosts of an environment; connections are made at the first command and closed here."""
    layout = Layout.of(environment)
    transports = {host.name: connect(environment, host) for host in environment.hosts}
    fleet = Fleet(transports, layout.variables, listen, redact)
    try:
        yield Session(environment, layout, fleet, listen, redact)
    finally:
        fleet.close()


def connect(environment: Environment, host: Host) -> Transport:
    """The transport to a host, as [ssh] says."""
    return ssh_transport(environment, host)


def ssh_transport(environment: Environment, host: Host) -> SshTransport:
    """The same, for what only SSH can do."""
    ssh = environment.ssh
    return SshTransport(host, SshSettings(ssh.key, ssh.known_hosts, ssh.connect_timeout))
