"""What can happen to a deploy. Each fault strikes when a phase has begun."""

import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults import network
from tests.faults.scene import LEASE, Scene
from tests.lab.hosts import wait_for
from tests.lab.project import Project

ROUTER = "docker inspect --format '{{.State.Pid}}' fairlead-router"


@dataclass(frozen=True)
class Fault:
    """name: as the table has it. strike: does it, and heals what nobody else would heal.

    excused: the fault takes the host's traffic with it for a while, so failed requests are no
    fault of the program's. cramped: it needs the application that has a disk of its own.
    prepare: what has to be so before the deploy begins.
    """

    name: str
    strike: Callable[[Scene], None]
    excused: bool = False
    cramped: bool = False
    prepare: Callable[[Project], None] = lambda app: None


def _signal(number: int) -> Callable[[Scene], None]:
    return lambda scene: scene.running.signal(number)


def _paused(scene: Scene) -> None:
    """Stopped for longer than its lease; somebody else takes the lock meanwhile and lets it go."""
    scene.running.signal(signal.SIGSTOP)
    time.sleep(LEASE + 1)
    scene.running.signal(signal.SIGCONT)


def _cut(scene: Scene) -> None:
    network.reset(scene.host.address)


def _swallowed(scene: Scene) -> None:
    network.swallow(scene.host.address, 4.0)


def _lossy(scene: Scene) -> None:
    with network.lossy(scene.host.address):
        scene.end()


def _session_killed(scene: Scene) -> None:
    """The server's end of the connection dies, and whatever sshd kills with it."""
    scene.host.run("pkill -9 -u root -f 'sshd: deploy' || :", user="root")


def _host_restarted(scene: Scene) -> None:
    _docker("kill", f"fairlead-{scene.host.name}")
    _docker("start", f"fairlead-{scene.host.name}")
    _engine_answers(scene)


def _engine_killed(scene: Scene) -> None:
    scene.host.must("kill -9 $(cat /run/docker.pid)", user="root")
    _engine_answers(scene)


def _router_killed(scene: Scene) -> None:
    """Docker restarts it; at growing intervals if it is killed again before it ran for 10 s."""
    scene.host.must(f"kill -9 $({ROUTER})", user="root")


def _router_has_run(app: Project) -> None:
    """For longer than Docker counts it as restarted in vain."""
    began = "docker inspect --format '{{.State.StartedAt}}' fairlead-router"

    def long_enough() -> bool:
        age = app.hosts[-1].must(f"echo $(( $(date +%s) - $(date -d $({began}) +%s) ))")
        return int(age) > 11

    wait_for(long_enough, 90, "the router has run for a while")


def _registry_down(scene: Scene) -> None:
    """Nothing reaches the registry from the host for three seconds."""
    cut = f"-p tcp -d {scene.app.lab.registry.split(':')[0]} -j REJECT --reject-with tcp-reset"
    scene.host.must(f"iptables -I OUTPUT {cut}", user="root")
    time.sleep(3)
    scene.host.must(f"iptables -D OUTPUT {cut}", user="root")


def _registry_slow(scene: Scene) -> None:
    """Half of what the host sends to the registry is lost, until the deploy has ended."""
    lost = (
        f"-p tcp -d {scene.app.lab.registry.split(':')[0]} "
        "-m statistic --mode random --probability 0.5 -j DROP"
    )
    scene.host.must(f"iptables -I OUTPUT {lost}", user="root")
    try:
        scene.end()
    finally:
        scene.host.must(f"iptables -D OUTPUT {lost}", user="root")


def _disk_full(scene: Scene) -> None:
    """The file system of /opt/<app> is full for three seconds."""
    filler = f"/opt/{scene.app.app}/filler"
    scene.host.run(f"cat /dev/zero >{filler}", user="root", timeout=60)
    time.sleep(3)
    scene.host.must(f"rm -f {filler}", user="root")


def _second_deployer(scene: Scene) -> None:
    """Another deploy begins; it is refused, or comes after this one, never between."""
    other = scene.app.deploy(scene.tag)
    assert other.code in (0, 3, 1), other.text
    scene.notes.append(f"the second one ended with {other.code}")


def _docker(*words: str) -> None:
    subprocess.run(["docker", *words], check=True, capture_output=True, timeout=90)


def _engine_answers(scene: Scene) -> None:
    def answers() -> bool:
        return scene.host.run("docker ps -q").code == 0

    wait_for(answers, 60, f"dockerd of {scene.host.name} answers")


FAULTS = (
    Fault("client: SIGINT", _signal(signal.SIGINT)),
    Fault("client: SIGTERM", _signal(signal.SIGTERM)),
    Fault("client: SIGKILL", _signal(signal.SIGKILL)),
    Fault("client: stopped past its lease, then continued", _paused),
    Fault("connection: reset", _cut),
    Fault("connection: swallowed for 4 s", _swallowed),
    Fault("connection: 30 % of the packets lost", _lossy),
    Fault("connection: sshd's session killed", _session_killed),
    Fault("host: killed and restarted", _host_restarted, excused=True),
    Fault("host: dockerd killed", _engine_killed, excused=True),
    Fault("host: router killed", _router_killed, excused=True, prepare=_router_has_run),
    Fault("registry: unreachable for 3 s", _registry_down),
    Fault("registry: slow, half of the packets lost", _registry_slow),
    Fault("host: disk full for 3 s", _disk_full, cramped=True),
    Fault("a second deployer", _second_deployer),
)
BY_NAME = {fault.name: fault for fault in FAULTS}
