"""Programs of this machine, timed from start to end."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYTHON = sys.executable


def program(name: str) -> str:
    """A program of our own Python environment."""
    return str(Path(PYTHON).with_name(name))


def clean_environment() -> dict[str, str]:
    """What a fresh shell has, and no more."""
    kept = {name: os.environ[name] for name in ("DOCKER_CONFIG", "HOME") if name in os.environ}
    return {"PATH": f"{Path(PYTHON).parent}:{os.environ['PATH']}", "LANG": "C.UTF-8", **kept}


def run(argv: Sequence[str], folder: Path = ROOT, stdin: bytes = b"", code: int = 0) -> str:
    """Its stdout. Raises RuntimeError with what it said unless it ends with `code`."""
    done = subprocess.run(
        argv, cwd=folder, env=clean_environment(), input=stdin, capture_output=True, timeout=300
    )
    if done.returncode != code:
        said = (done.stdout + done.stderr).decode(errors="replace")
        raise RuntimeError(f"{argv[0]} ended with {done.returncode}: {said[-2000:]}")
    return done.stdout.decode(errors="replace")


def timed(argv: Sequence[str], folder: Path = ROOT, code: int = 0) -> Callable[[], float]:
    """Something to time: the whole process, from before its start to its end."""

    def once() -> float:
        started = time.perf_counter()
        run(argv, folder, code=code)
        return time.perf_counter() - started

    return once


def python(code: str, facts: Mapping[str, str]) -> list[str]:
    """argv of a small Python program; `facts` become its arguments, which it knows as names."""
    names = ", ".join(facts)
    return [PYTHON, "-c", f"import sys\n{names}, = sys.argv[1:]\n{code}", *facts.values()]
