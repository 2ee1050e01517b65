"""Redeploy: a pushed release, blue-green, beside the sum of its parts done by hand."""

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from application import TAGS, application, forget, pinned, settle
from figures import Figure, Measure, Target, medians
from lab import Ssh, lab, last_host
from processes import python, timed
from router import Runtime, Watcher
from timeline import phases

from tests.lab.project import SECRET, Project

THERE, NEW, WARM = "image there", "image new", "old slot still warm"
PARTS = ("pull", "create, start, healthy", "switch")
# Started like a slot's container, and asked directly until it answers 200.
START = """
set -e
docker rm -f bench-part >/dev/null 2>&1 || :
docker create --name bench-part --network {network} -e REDIS_URL=redis://redis:6379/0 \
  -e SECRET_KEY={secret} -e GREETING=hello {image} >/dev/null
docker start bench-part >/dev/null
address=$(docker inspect bench-part \
  --format '{{{{range .NetworkSettings.Networks}}}}{{{{.IPAddress}}}}{{{{end}}}}')
exec perl -MIO::Socket::INET -e '
  for (1 .. 6000) {{
    my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => 8000, Timeout => 1);
    if ($s) {{
      print $s "GET /health HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n";
      my $line = <$s> // "";
      exit 0 if $line =~ m( 200 );
    }}
    select undef, undef, undef, 0.005;
  }}
  exit 1' "$address"
"""
# What a team writes itself with the libraries we use, and nothing that makes it safe.
FABRIC = """
from fabric import Connection
login = {"key_filename": key, "look_for_keys": False, "allow_agent": False}
with Connection(address, user="deploy", connect_kwargs=login) as connection:
    connection.run(pull, hide=True)
    connection.run(start, hide=True)
"""


@dataclass
class Bench:
    """A project, the tools to do its deploy by hand, and what was seen so far."""

    project: Project
    ssh: Ssh
    images: dict[str, str]
    runtime: Runtime
    seconds: dict[str, list[float]] = field(default_factory=dict)
    rows: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    round_trips: int = 0

    def note(self, name: str, seconds: float) -> None:
        self.seconds.setdefault(name, []).append(seconds)

    def by_hand(self, tag: str, kind: str) -> None:
        """Pull, create and start to healthy, switch: plain docker over an open connection."""
        host = self.project.hosts[0]
        pull, start = self._scripts(tag)
        parts = (
            self.ssh.timed(host, pull)(),
            self.ssh.timed(host, start)(),
            self._switch(),
        )
        self.ssh.run(host, "docker rm -f bench-part >/dev/null")
        for name, seconds in zip(PARTS, parts, strict=True):
            self.note(f"{name} ({kind})", seconds)
        self.note(f"sum of parts, {kind}", sum(parts))

    def in_one_process(self, tag: str, kind: str) -> None:
        """The same in one script of one ssh process, which has to start and to log in as we do."""
        host = self.project.hosts[0]
        whole = timed(self.ssh.argv(host, "\n".join(self._scripts(tag))))
        self.note(f"one ssh process, {kind}", whole() + self._switch())
        self.ssh.run(host, "docker rm -f bench-part >/dev/null")

    def with_fabric(self, tag: str, kind: str) -> None:
        """The same, in two commands of a small Fabric program."""
        host = self.project.hosts[0]
        pull, start = self._scripts(tag)
        whole = timed(python(FABRIC, {**self.ssh.facts(host), "pull": pull, "start": start}))
        self.note(f"a Fabric program, {kind}", whole() + self._switch())
        self.ssh.run(host, "docker rm -f bench-part >/dev/null")

    def _scripts(self, tag: str) -> tuple[str, str]:
        image, network = self.images[tag], f"{self.project.key}-{self._live()}"
        start = START.format(network=network, secret=SECRET, image=image)
        return f"docker pull -q {image} >/dev/null", start

    def deploy(self, tag: str, kind: str) -> None:
        watcher = Watcher(self.project, tag)
        began, started = time.perf_counter(), time.time()
        run = self.project.deploy(tag).ok()
        ended = time.time()
        self.note(f"inv deploy, {kind}", ended - started)
        self.note(f"new release served, {kind}", watcher.end() - began)
        self.rows.setdefault(kind, []).append(phases(run.lines, started, ended))
        self.round_trips = run.result["round_trips"]

    def _live(self) -> str:
        return str(self.project.live())

    def _switch(self) -> float:
        """One map entry, there and back: the other slot is warm, so nobody is refused."""
        entry = f"set map /fairlead/maps/live.map {self.project.key}"
        live = self._live()
        other = {"blue": "green", "green": "blue"}[live]
        started = time.perf_counter()
        self.runtime.say(f"{entry} {other}")
        seconds = time.perf_counter() - started
        self.runtime.say(f"{entry} {live}")
        return seconds


def measure(runs: int | None, host: str) -> Measure:
    found = lab()
    ssh, target = Ssh(found), last_host(found, host)
    with application(found, target, keep_warm="1s") as project:
        images = {tag: pinned(ssh, tag) for tag in TAGS}
        project.deploy(TAGS[1]).ok()
        bench = Bench(project, ssh, images, Runtime(ssh, target))
        try:
            _rounds(bench, runs or 7)
        finally:
            bench.runtime.close()
    return _measure(bench)


def _rounds(bench: Bench, runs: int) -> None:
    """Round and round three releases: two are in the slots, so the third one's image can go."""
    host = bench.project.hosts[0]
    turn: Iterator[str] = itertools.cycle((TAGS[2], TAGS[0], TAGS[1]))
    for tag in itertools.islice(turn, runs):
        settle(bench.ssh, host, bench.project)
        bench.by_hand(tag, THERE)
        bench.in_one_process(tag, THERE)
        bench.with_fabric(tag, THERE)
        bench.deploy(tag, THERE)
    for tag in itertools.islice(turn, runs):
        settle(bench.ssh, host, bench.project)
        forget(bench.ssh, host, bench.images[tag])
        bench.by_hand(tag, NEW)
        forget(bench.ssh, host, bench.images[tag])
        bench.in_one_process(tag, NEW)
        forget(bench.ssh, host, bench.images[tag])
        bench.deploy(tag, NEW)
    bench.project.keep_warm = "10m"
    bench.project.write()
    bench.project.deploy(next(turn)).ok()
    for tag in itertools.islice(turn, runs):
        bench.deploy(tag, WARM)


def _measure(bench: Bench) -> Measure:
    figures = tuple(
        Figure(name, tuple(seconds), _role(name)) for name, seconds in bench.seconds.items()
    )
    targets = tuple(
        Target(f"inv deploy, {kind}", 1.5, f"sum of parts, {by_hand}")
        for kind, by_hand in ((THERE, THERE), (NEW, NEW), (WARM, THERE))
    )
    return Measure(
        "redeploy",
        "redeploy of a pushed release, blue-green, one host, one replica, no load, whole process",
        figures,
        targets,
        (
            "parts: plain docker over an ssh connection that is open already, on the same host",
            "one ssh process: the parts in one script, with the start of ssh and its login; no "
            "lock, no look, no backup, no router's word, no smoke checks, nothing tidied up",
            "a Fabric program: the parts again, in Python; what it leaves out is the same",
            "the idle slot is stopped before, as when keep_warm is over, but for the last two rows",
            f"{bench.round_trips} round trips besides the lock's; a new image has a layer of 5 MB",
            "Kamal 2.96 s, 3.3 times the sum of its parts: measured elsewhere, not here",
        ),
        {kind: medians(rows) for kind, rows in bench.rows.items()},
    )


def _role(name: str) -> str:
    if name.startswith(("inv", "new")):
        return "ours"
    return "limit" if name.startswith("sum") else "part"
