"""Lint: an unchanged tree is not looked at again, and looking costs what the linters cost."""

import json
import os
import shlex

from figures import Figure, Measure, Target, alternate
from processes import ROOT, program, run, timed

WARM = "inv lint, unchanged tree"
AGAIN = "inv lint --no-cache"
BY_HAND = "the same linters by hand, one after another"


def measure(runs: int | None, host: str) -> Measure:
    os.environ["PATH"] = f"{ROOT / '.lab/tools/bin'}{os.pathsep}{os.environ['PATH']}"
    lint = [program("inv"), "lint", "--skip=imports"]  # which is nobody's program but ours
    commands = _commands([*lint, "--plan", "--json"])
    by_hand = " && ".join(f"{shlex.join(argv)} >/dev/null 2>&1" for argv in commands.values())
    work = {
        WARM: timed(lint, ROOT),
        AGAIN: timed([*lint, "--no-cache"], ROOT),
        BY_HAND: timed(["sh", "-c", by_hand], ROOT),
    }
    seconds = alternate(runs or 9, work)
    roles = ("ours", "ours", "peer")
    files = len(run(["git", "ls-files", "*.py"], ROOT).splitlines())
    return Measure(
        "lint",
        f"lint of this repository, {files} Python files",
        tuple(Figure(n, s, r) for (n, s), r in zip(seconds.items(), roles, strict=True)),
        (Target(WARM, 1.0), Target(AGAIN, 1.5, BY_HAND)),
        (f"{', '.join(commands)}; their own caches are warm, ours is used by the first line only",),
    )


def _commands(plan: list[str]) -> dict[str, list[str]]:
    """How each linter that this repository calls for, and that is here, is called."""
    lines = map(json.loads, run(plan).splitlines())
    steps = next(line["steps"] for line in lines if line["type"] == "plan")
    return {step["name"]: step["commands"]["here"][0]["argv"] for step in steps}
