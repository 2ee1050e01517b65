"""Test suites: what `test` adds to bare pytest, and how equal two shards are."""

import tempfile
from pathlib import Path

from figures import Figure, Measure, Target, alternate
from processes import PYTHON, program, run, timed

OVER = 0.3  # s over bare pytest
UNEQUAL = 1.15  # the longer shard, as a multiple of the shorter
FILES = 12
SHARD_RUNS = 5
OURS, PEER, ADDED = "fairlead test --suite=unit", "pytest tests/unit", "added to pytest"
LONGER, SHORTER = "longer shard of two", "shorter shard of two"


def measure(runs: int | None, host: str) -> Measure:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        _project(root)
        test = [program("fairlead"), "test", "--suite=unit"]
        bare = [PYTHON, "-m", "pytest", "tests/unit"]
        seconds = alternate(runs or 9, {OURS: timed(test, root), PEER: timed(bare, root)})
        slow = [program("fairlead"), "test", "--suite=slow"]
        run(slow, root)  # whole: it records how long each test takes
        parts = {f"{n}/2": timed([*slow, f"--shard={n}/2"], root) for n in (1, 2)}
        shards = alternate(runs or SHARD_RUNS, parts)
    added = tuple(mine - theirs for mine, theirs in zip(*seconds.values(), strict=True))
    pairs = tuple(zip(*shards.values(), strict=True))
    return Measure(
        "suites",
        "test suites, whole process",
        (
            Figure(OURS, seconds[OURS], "ours"),
            Figure(PEER, seconds[PEER], "peer"),
            Figure(ADDED, added, "ours"),
            Figure(LONGER, tuple(max(pair) for pair in pairs), "ours"),
            Figure(SHORTER, tuple(min(pair) for pair in pairs), "limit"),
        ),
        (Target(ADDED, OVER), Target(LONGER, UNEQUAL, SHORTER)),
        (f"shards: {FILES} files, of which the longest takes twelve times the shortest",),
    )


def _project(root: Path) -> None:
    """`unit`: forty quick tests. `slow`: files, each a little longer than the last."""
    for suite, files in {"unit": 4, "slow": FILES}.items():
        folder = root / "tests" / suite
        folder.mkdir(parents=True)
        for number in range(files):
            nap = f"time.sleep({0.01 + 0.01 * number:.2f})" if suite == "slow" else "pass"
            test = f"@pytest.mark.parametrize('n', range(10))\ndef test_it(n):\n    {nap}\n"
            (folder / f"test_{suite}_{number}.py").write_text(f"import time\nimport pytest\n{test}")
    (root / "deploy").mkdir()
    (root / "deploy/fairlead.toml").write_text(
        '[test.suites.unit]\npath = "tests/unit"\n[test.suites.slow]\npath = "tests/slow"\n'
    )
    (root / "pytest.ini").write_text("[pytest]\n")
