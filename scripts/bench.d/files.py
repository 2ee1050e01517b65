"""Files: a release with 500 small files, sent for the first time and once more."""

import itertools
import random
import shlex
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from figures import Figure, Measure, Target, alternate
from lab import Host, Ssh, lab, last_host
from processes import python, run

FILES = 500
SIZE = 4200
BASE = "/opt/bench-files"
OURS = """
from pathlib import Path
from fairlead.commands import host
from fairlead.commands.script import script
from fairlead.engines.compose.project_files import project_files
from fairlead.model import Command, Host
from fairlead.rollout.strategies.preparation import _archive
from fairlead.transport.ssh import SshSettings, SshTransport
transport = SshTransport(Host("host", address, "deploy"), SshSettings(key, known_hosts))
variables = {"FL_KEY": "bench-files", "FL_BASE": base, "FL_ROUTER": base, "FL_TOKEN": ""}
ask = lambda *words: transport.run(script(words, variables))
there = ask(Command(("fl_observe_records",))).out
volume = {"type": "bind", "source": "./tree", "read_only": True}
files, problems = project_files({"services": {"api": {"volumes": [volume]}}}, Path(folder))
missing = [file for file in files.values() if file.digest not in there]
release = {"manifest.json": b"{}", "rollback.sh": b"", "smoke_tests.sh": b""}
archive = _archive(release, missing)
result = ask(host.receive("0001-v1", archive, ""))
assert result.ok and not problems, (result, problems)
transport.close()
"""


def measure(runs: int | None, host: str) -> Measure:
    found = lab()
    ssh, target = Ssh(found), last_host(found, host)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_tree(folder / "tree")
        try:
            seconds = alternate(
                runs or 9,
                {
                    "ours, 500 files": _ours(ssh, target, folder, fresh=True),
                    "ours, unchanged": _ours(ssh, target, folder, fresh=False),
                    "tar | ssh tar": _tar(ssh, target, folder),
                    "ssh true": _handshake(ssh, target),
                },
            )
        finally:
            ssh.run(target, f"rm -rf {BASE}")
    roles = ("ours", "ours", "peer", "limit")
    return Measure(
        "files",
        f"upload of {FILES} small files ({FILES * SIZE / 1e6:.1f} MB), whole process",
        tuple(Figure(n, s, r) for (n, s), r in zip(seconds.items(), roles, strict=True)),
        (Target("ours, 500 files", 0.40), Target("ours, unchanged", 0.20)),
        ("ours asks first what is there, by digest, then sends one tar: two round trips",),
    )


def _write_tree(folder: Path) -> None:
    """The same files in every run: bytes that do not compress, in ten folders."""
    chance = random.Random(20)
    for number in range(FILES):
        file = folder / f"part{number % 10}" / f"{number}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(chance.randbytes(SIZE))


def _ours(ssh: Ssh, host: Host, folder: Path, *, fresh: bool) -> Callable[[], float]:
    facts = ssh.facts(host) | {"folder": str(folder), "base": f"{BASE}/ours"}
    argv = python(OURS, facts)
    prepare = f"mkdir -p {BASE}/ours/releases {BASE}/ours/deploy"
    if fresh:
        prepare = f"rm -rf {BASE}/ours; {prepare}"

    def once() -> float:
        ssh.run(host, prepare)
        started = time.perf_counter()
        run(argv)
        return time.perf_counter() - started

    return once


def _tar(ssh: Ssh, host: Host, folder: Path) -> Callable[[], float]:
    numbers = itertools.count()

    def once() -> float:
        there = f"{BASE}/tar{next(numbers)}"
        call = shlex.join(ssh.argv(host, f"mkdir -p {there} && tar -xf - -C {there}"))
        started = time.perf_counter()
        run(["sh", "-c", f"tar -cf - tree | {call}"], folder)
        return time.perf_counter() - started

    return once


def _handshake(ssh: Ssh, host: Host) -> Callable[[], float]:
    def once() -> float:
        started = time.perf_counter()
        run(ssh.argv(host, "true"))
        return time.perf_counter() - started

    return once
