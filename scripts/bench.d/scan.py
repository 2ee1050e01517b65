"""Scan: the scanners run side by side, and an unchanged tree is not scanned again."""

import json
import os
import tempfile
from pathlib import Path

from figures import Figure, Measure, Target, alternate
from processes import ROOT, program, run, timed

SCANNERS = "bandit,semgrep,gitleaks,trivy:config,syft"  # what needs neither network nor database
AGAIN = "inv scan, unchanged tree"
TOGETHER = "as many of them as there are cores, --no-cache"
SLOWEST = "the slowest scanner, alone"
AT_MOST = 1.15  # of the slowest scanner, given a core for each


def measure(runs: int | None, host: str) -> Measure:
    os.environ["PATH"] = f"{ROOT / '.lab/tools/bin'}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name)
        run(["sh", "-c", f"git archive HEAD | tar -x -C {tree}"], ROOT)
        run(["git", "init", "-q"], tree)
        beside = _slowest_first(tree)[: os.cpu_count() or 1]
        work = {
            TOGETHER: timed(_scan(",".join(beside), "--no-cache"), tree),
            SLOWEST: timed(_scan(beside[0], "--no-cache"), tree),
            AGAIN: timed(_scan(SCANNERS), tree),
        }
        seconds = alternate(runs or 5, work)
    return Measure(
        "scan",
        f"scan of this repository with {SCANNERS}",
        tuple(Figure(n, s, "ours") for n, s in seconds.items()),
        (Target(AGAIN, 1.0), Target(TOGETHER, AT_MOST, SLOWEST)),
        (
            f"side by side: {', '.join(beside)}, a core for each, as far as one keeps to one",
            f"the unchanged tree: {SCANNERS}, which need neither network nor database",
        ),
    )


def _scan(only: str, *flags: str) -> list[str]:
    return [program("fairlead"), "scan", f"--only={only}", *flags]


def _slowest_first(tree: Path) -> list[str]:
    """The scanners, by how long each takes alone; the cache is filled on the way."""
    took: dict[str, float] = {}
    for name in SCANNERS.split(","):
        told = run(_scan(name, "--json"), tree)
        took[name] = json.loads(told.splitlines()[-1])["tools"][0]["seconds"]
    return sorted(took, key=lambda name: -took[name])
