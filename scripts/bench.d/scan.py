"""Scan: the scanners run side by side, and an unchanged tree is not scanned again."""

import json
import os
import tempfile
from pathlib import Path

from figures import Figure, Measure, Target, alternate
from processes import ROOT, program, run, timed

SCANNERS = "bandit,semgrep,gitleaks,trivy:config,syft"  # what needs neither network nor database
AGAIN = "inv scan, unchanged tree"
FIRST = "inv scan --no-cache"
SLOWEST = "its slowest scanner, alone"
TOGETHER = 1.15  # of the slowest scanner, given a core for each


def measure(runs: int | None, host: str) -> Measure:
    os.environ["PATH"] = f"{ROOT / '.lab/tools/bin'}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name)
        run(["sh", "-c", f"git archive HEAD | tar -x -C {tree}"], ROOT)
        run(["git", "init", "-q"], tree)
        slowest = _slowest(tree)
        base = [program("fairlead"), "scan", f"--only={SCANNERS}"]
        alone = [program("fairlead"), "scan", f"--only={slowest}", "--no-cache"]
        work = {
            FIRST: timed([*base, "--no-cache"], tree),
            SLOWEST: timed(alone, tree),
            AGAIN: timed(base, tree),
        }
        seconds = alternate(runs or 5, work)
    cores = os.cpu_count() or 1
    enough = cores >= len(SCANNERS.split(","))
    return Measure(
        "scan",
        f"scan of this repository with {SCANNERS}",
        tuple(Figure(n, s, "ours") for n, s in seconds.items()),
        (Target(AGAIN, 1.0), *((Target(FIRST, TOGETHER, SLOWEST),) if enough else ())),
        (
            f"the slowest is {slowest}; {cores} cores for {SCANNERS.count(',') + 1} scanners"
            + ("" if enough else f", too few to hold {TOGETHER} × the slowest"),
        ),
    )


def _slowest(tree: Path) -> str:
    """The scanner that takes longest when each runs alone; the cache is filled on the way."""
    took: dict[str, float] = {}
    for name in SCANNERS.split(","):
        told = run([program("fairlead"), "scan", f"--only={name}", "--json"], tree)
        took[name] = json.loads(told.splitlines()[-1])["tools"][0]["seconds"]
    return max(took, key=lambda name: took[name])
