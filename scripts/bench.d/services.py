"""Which services changed: the whole command beside the one question to git it cannot do without."""

import json
import subprocess
import tempfile
from pathlib import Path

from figures import Figure, Measure, Target, alternate
from processes import program, timed

FILES = 20_000
GIT = ["git", "diff", "--name-only"]
BOUND = 0.150  # s over the peer


def measure(runs: int | None, host: str) -> Measure:
    figures: list[Figure] = []
    targets: list[Target] = []
    for count in (45, 500):
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            _repository(root, count)
            ours, peer = f"services.changed, {count} services", f"git diff, {count} services"
            command = [program("fairlead"), "services.changed", "--base=HEAD~1"]
            work = {ours: timed(command, root), peer: timed(GIT, root)}
            seconds = alternate(runs or 21, work)
        over = tuple(mine - bare for mine, bare in zip(*seconds.values(), strict=True))
        added = f"added to git diff, {count} services"
        figures += [Figure(ours, seconds[ours], "ours"), Figure(peer, seconds[peer], "peer")]
        figures.append(Figure(added, over, "ours"))
        targets.append(Target(added, BOUND))
    title = f"services.changed in a repository of {FILES} files, whole process"
    return Measure("services", title, tuple(figures), tuple(targets))


def _repository(root: Path, count: int) -> None:
    """A tree of services in git: two commits, the second changes one file of each tenth service."""
    services = [
        {
            "name": f"s{number}",
            "path": f"services/group{number % 9}/s{number}",
            "dockerfile": "Dockerfile",
            "language": "python",
            "test_command": "pytest tests",
            "depends_on": [f"s{number // 2}"] if number > 1 else [],
        }
        for number in range(count)
    ]
    for service in services:
        folder = root / service["path"]
        for number in range(FILES // count):
            file = folder / f"part{number % 8}/m{number}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{number}\n")
    (root / "services.json").write_text(json.dumps(services))
    _git(root, "init", "-q", "-b", "main")
    _commit(root)
    for service in services[::10]:
        (root / service["path"] / "part0/m0.py").write_text("changed\n")
    _commit(root)
    _git(root, "status")  # so that the index is not asked to look again


def _commit(root: Path) -> None:
    _git(root, "add", "-A")
    _git(root, "-c", "user.name=b", "-c", "user.email=b@example.com", "commit", "-qm", "bench")


def _git(root: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=root, check=True, stdout=subprocess.DEVNULL)
