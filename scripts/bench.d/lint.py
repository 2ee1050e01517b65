"""Lint: an unchanged tree is not looked at again, and looking costs what the linters cost."""

from figures import Figure, Measure, Target, alternate
from processes import ROOT, program, run, timed

LINTERS = "ruff,ruff-format,mypy"
WARM = "inv lint, unchanged tree"
AGAIN = "inv lint --no-cache"
BY_HAND = "the same linters by hand, one after another"


def measure(runs: int | None, host: str) -> Measure:
    lint = [program("inv"), "lint", f"--only={LINTERS}"]
    by_hand = " && ".join(
        f"{program(tool)} {words} >/dev/null"
        for tool, words in (("ruff", "check ."), ("ruff", "format --check ."), ("mypy", ""))
    )
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
        (f"{LINTERS}; their own caches are warm, ours is used by the first line only",),
    )
