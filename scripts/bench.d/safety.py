"""What lock, journal and audit add to a redeploy."""

import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

from application import TAGS, application, settle
from figures import Figure, Measure, Target, alternate
from lab import Ssh, lab, last_host

from tests.lab.project import Project

SAFE, UNSAFE = "inv deploy", "without lock, journal, audit"


def measure(runs: int | None, host: str) -> Measure:
    found = lab()
    ssh, target = Ssh(found), last_host(found, host)
    turn = itertools.cycle((TAGS[1], TAGS[0]))
    with application(found, target, keep_warm="1s") as project:
        project.deploy(TAGS[1]).ok()
        project.deploy(TAGS[0]).ok()

        def safe() -> float:
            settle(ssh, target, project)
            return project.deploy(next(turn)).ok().seconds

        def unsafe() -> float:
            settle(ssh, target, project)
            return _unsafe(project, next(turn))

        seconds = alternate(runs or 9, {SAFE: safe, UNSAFE: unsafe})
    return Measure(
        "safety",
        "what lock, journal and audit add to a redeploy, whole process, image there",
        (Figure(SAFE, seconds[SAFE], "ours"), Figure(UNSAFE, seconds[UNSAFE], "limit")),
        (Target(SAFE, 1.1, UNSAFE),),
        (
            "without: the same program with those three taken out, so that each step is a plain "
            "script; the second look under the lock is part of the lock",
        ),
    )


def _unsafe(project: Project, tag: str) -> float:
    """Seconds of the same deploy by the program without its safety."""
    words = [sys.executable, str(Path(__file__).with_name("unsafe.py"))]
    words += ["deploy", f"--env={project.environment}", f"--tag={tag}", "--json"]
    began = time.monotonic()
    done = subprocess.run(
        words,
        cwd=project.folder,
        env={**project.clean_environment(), "PYTHONPATH": os.environ["PYTHONPATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return time.monotonic() - began
