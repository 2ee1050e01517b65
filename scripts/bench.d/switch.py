"""Switch: from one command on an open connection to the first answer of the other slot."""

import time
from collections.abc import Callable

from application import TAGS, application
from figures import Figure, Measure, Target, alternate
from lab import Host, Ssh, lab, last_host
from router import Client, Runtime

from fairlead.commands import host as phrases
from fairlead.commands import router
from fairlead.commands.script import script
from fairlead.model import Command
from fairlead.model import Host as Address
from fairlead.transport.ssh import SshSettings, SshTransport
from tests.lab.project import Project

ROUTER = "/opt/fairlead/router"


def measure(runs: int | None, host: str) -> Measure:
    found = lab()
    ssh, target = Ssh(found), last_host(found, host)
    with application(found, target) as project:
        project.deploy(TAGS[1]).ok()
        runtime, client = Runtime(ssh, target), Client(project)
        transport = _transport(ssh, target)
        versions = _versions(project, client, runtime)
        try:
            seconds = alternate(
                runs or 21,
                {
                    "runtime API": _seen(
                        client, versions, lambda slot: _set(runtime, project, slot)
                    ),
                    "the switch step": _seen(
                        client, versions, lambda slot: _step(transport, project, slot)
                    ),
                    "a request": lambda: _request(client),
                },
            )
        finally:
            transport.close()
            client.close()
            runtime.close()
    roles = {"runtime API": "limit", "the switch step": "ours", "a request": "limit"}
    return Measure(
        "switch",
        "switch on an open connection, to the first answer of the other release",
        tuple(Figure(name, values, roles[name]) for name, values in seconds.items()),
        (Target("runtime API", 0.005),),
        (
            "runtime API: `set map` alone. The switch step: the fence of the lock, the map's file "
            "and its rename, the runtime, and the answer read back, in one script",
            "each contains one request through the router, whose time is the last row",
        ),
    )


def _transport(ssh: Ssh, host: Host) -> SshTransport:
    settings = SshSettings(str(ssh.lab.key), str(ssh.lab.known_hosts))
    return SshTransport(Address(host.name, host.address, "deploy"), settings)


def _versions(project: Project, client: Client, runtime: Runtime) -> dict[str, str]:
    """Which version each slot holds; asked of both, as both are warm."""
    found = {}
    for slot in ("blue", "green"):
        _set(runtime, project, slot)
        found[client.version()] = slot
    runtime.say(f"set map /fairlead/maps/live.map {project.key} {project.live()}")
    return found


def _set(runtime: Runtime, project: Project, slot: str) -> None:
    answer = runtime.say(f"set map /fairlead/maps/live.map {project.key} {slot}")
    assert not answer.strip(), answer


def _step(transport: SshTransport, project: Project, slot: str) -> None:
    variables = {
        "FL_KEY": project.key,
        "FL_BASE": project.base,
        "FL_ROUTER": ROUTER,
        "FL_TOKEN": "",
    }
    words: tuple[Command, ...] = (phrases.fence(), router.switch(slot))
    result = transport.run(script(words, variables))
    assert result.ok, result


def _seen(
    client: Client, versions: dict[str, str], switch: Callable[[str], None]
) -> Callable[[], float]:
    """Seconds from the command to the first answer of the version that is not live now."""

    def once() -> float:
        live = client.version()
        version = next(one for one in versions if one != live)
        started = time.perf_counter()
        switch(versions[version])
        return client.wait_for(version) - started

    return once


def _request(client: Client) -> float:
    started = time.perf_counter()
    client.version()
    return time.perf_counter() - started
