"""What can happen to a deploy. Each fault strikes when a phase has begun, or the test fails.

Each says with which exit codes a deploy may end that it met, by how far that deploy was.
"""

import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults import network
from tests.faults.ends import CUT, DONE, FAILS, KILLED, Ends
from tests.faults.network import RESET, lost
from tests.faults.phases import AFTER, BEFORE, LOOK, PULL, RESOLVE, USUAL
from tests.faults.recovery import finished
from tests.faults.scene import LEASE, Scene
from tests.faults.turns import Turns
from tests.lab.hosts import wait_for
from tests.lab.project import Project

ROUTER = "docker inspect --format '{{.State.Pid}}' fairlead-router"


@dataclass(frozen=True)
class Fault:
    """name: as the table has it. strike: does it, and heals what nobody else would heal.

    ends: how a deploy may end then. phases: those in which it can matter at all. excused: the
    fault takes the host's traffic with it for a while, so failed requests there are no fault of the
    program's. cramped: it needs the application that has disks of its own. prepare: what has to
    be so before the deploy begins.
    """

    name: str
    strike: Callable[[Scene], None]
    ends: Ends
    phases: tuple[str, ...] = USUAL
    excused: bool = False
    cramped: bool = False
    prepare: Callable[[Project], None] = lambda app: None


def _signal(number: int) -> Callable[[Scene], None]:
    return lambda scene: scene.signal(number)


def _paused(scene: Scene) -> None:
    """Stopped for longer than its lease. Somebody else takes the lock, and goes on from what the
    hosts show; then it wakes up, and changes nothing on any host."""
    scene.signal(signal.SIGSTOP)
    time.sleep(LEASE + 1)
    scene.settled = _taken_over(scene)
    before = _hosts(scene)
    scene.signal(signal.SIGCONT)
    scene.end()
    if scene.phase != LOOK:  # else it has not begun, and may do so now
        assert _hosts(scene) == before, "it changed a host after it had lost its lock"


def _taken_over(scene: Scene) -> tuple[str, str]:
    """Finish or take back what is unfinished; where nothing is, deploy the same release."""

    def free() -> bool:
        return scene.app.inv("lock.status", "--json").code == 0

    wait_for(free, 60, "the lease has ended, and the step")
    said = len(scene.said)
    settled = finished(scene)
    if not settled:
        other = scene.inv("deploy", f"--tag={scene.tag}", "--json")
        assert other.code == 0, other.text
        settled = scene.tag, "deploy"
    if scene.phase != LOOK:
        assert any("took over the lock" in text for text in scene.said[said:]), scene.said
    return settled[0], f"{settled[1]} by another"


def _hosts(scene: Scene) -> list[dict[str, str]]:
    return [host.snapshot() for host in scene.app.hosts]


def _reset(scene: Scene) -> None:
    network.strike(1.0, *network.to_sshd(scene.host.address), *RESET)


def _swallowed(scene: Scene) -> None:
    network.strike(4.0, *network.to_sshd(scene.host.address), "-j", "DROP")


def _lossy(scene: Scene) -> None:
    with network.rule(*network.to_sshd(scene.host.address), *lost(0.3)) as hits:
        scene.end()
        assert hits(), "nothing is struck: no packet was lost"


def _session_killed(scene: Scene) -> None:
    """The server's end of the client's connection dies, and whatever sshd kills with it."""
    ports = scene.ports()
    assert ports, f"nothing is struck: it has no connection: {scene.running.text}"
    for port in ports:
        theirs = f"ss -Htnp state established dport = :{port} | grep -o 'pid=[0-9]*' | cut -d= -f2"
        killed = scene.host.must(f'set -- $({theirs}); kill -9 "$@" && echo "$@"', user="root")
        assert killed, f"nothing is struck: no sshd has the connection from port {port}"


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
        return all(
            int(host.must(f"echo $(( $(date +%s) - $(date -d $({began}) +%s) ))")) > 11
            for host in app.hosts
        )

    wait_for(long_enough, 90, "the router has run for a while")


def _registry_down(scene: Scene) -> None:
    """Nothing reaches the registry for three seconds, from whoever asks it in this phase."""
    if scene.phase == PULL:
        network.strike(3.0, *network.to_registry(scene.app.lab), *RESET, on=scene.host)
    else:
        network.strike(3.0, *network.of_client(scene.app.lab), *RESET)


def _registry_slow(scene: Scene) -> None:
    """Half of what is sent to the registry is lost, until the deploy has ended."""
    asks, on = network.of_client(scene.app.lab), None
    if scene.phase == PULL:
        asks, on = network.to_registry(scene.app.lab), scene.host
    with network.rule(*asks, *lost(0.5), on=on) as hits:
        scene.end()
        assert hits(), "nothing is struck: no packet to the registry was lost"


def _disk_full(*folders: str) -> Callable[[Scene], None]:
    """The file systems of these folders are full for three seconds."""

    def strike(scene: Scene) -> None:
        for folder in folders:
            left = scene.host.must(
                f"cat /dev/zero >{folder}/filler 2>/dev/null || :; "
                f"df --output=avail {folder} | tail -n 1",
                user="root",
            )
            assert int(left) == 0, f"nothing is struck: {folder} has {left} KiB left"
        time.sleep(3)
        scene.host.must(f"rm -f {' '.join(f'{one}/filler' for one in folders)}", user="root")

    return strike


def _second_deployer(scene: Scene) -> None:
    """Another deploy begins; it is refused, or comes before or after this one, never between."""
    with Turns(scene.app) as turns:
        other = scene.inv("deploy", f"--tag={scene.tag}", "--json")
        scene.end()
    allowed = (3,) if scene.phase in BEFORE else (0, 1, 3)  # later, this one may be done by then
    assert other.code in allowed, other.text
    turns.one_at_a_time()
    if scene.phase == LOOK and other.code == 0:  # it was the first, or the second of two
        scene.settled = scene.tag, "the second deployer"


def _docker(*words: str) -> None:
    subprocess.run(["docker", *words], check=True, capture_output=True, timeout=90)


def _engine_answers(scene: Scene) -> None:
    def answers() -> bool:
        return scene.host.run("docker ps -q").code == 0

    wait_for(answers, 60, f"dockerd of {scene.host.name} answers")


STOPPED = Ends(look=(1,), before=(1,), after=(5,))
# Before it has a lock it may begin or not; what it sent in `tidy` is carried out, and is the end.
OVERTAKEN = Ends(look=(0, 1), before=(3,), after=(3,), verify=(3,), tidy=(0, 3))
ASKED = (RESOLVE, PULL)  # when the registry is asked at all: by the client, then by each host

FAULTS = (
    Fault("client: SIGINT", _signal(signal.SIGINT), STOPPED),
    Fault("client: SIGTERM", _signal(signal.SIGTERM), STOPPED),
    Fault("client: SIGKILL", _signal(signal.SIGKILL), KILLED),
    Fault("client: stopped past its lease, another takes over, continued", _paused, OVERTAKEN),
    Fault("connection: reset", _reset, CUT),
    Fault("connection: swallowed for 4 s", _swallowed, CUT),
    Fault("connection: 30 % of the packets lost", _lossy, CUT),
    Fault("connection: sshd's session killed", _session_killed, CUT),
    Fault("host: killed and restarted", _host_restarted, FAILS, excused=True),
    Fault("host: dockerd killed", _engine_killed, FAILS, excused=True),
    Fault("host: router killed", _router_killed, FAILS, excused=True, prepare=_router_has_run),
    Fault("registry: unreachable for 3 s", _registry_down, FAILS, ASKED),
    Fault("registry: slow, half of the packets lost", _registry_slow, DONE, ASKED),
    Fault("host: disk of the application full for 3 s", _disk_full("/opt"), FAILS, cramped=True),
    Fault(
        "host: disk of the router full for 3 s", _disk_full("/opt/fairlead"), FAILS, cramped=True
    ),
    Fault(
        "host: disks of application, router and /tmp full for 3 s",
        _disk_full("/opt", "/opt/fairlead", "/tmp"),
        FAILS,
        cramped=True,
    ),
    Fault("a second deployer", _second_deployer, Ends(look=(0, 1, 3)), (LOOK, *BEFORE, *AFTER)),
)
