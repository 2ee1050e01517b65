"""Services of test suites as containers of this machine's engine, and the example's own suites."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction
from math import floor
from pathlib import Path

import pytest

from tests.lab.hosts import ROOT, Lab

PROGRAM = (sys.executable, "-m", "fairlead", "test")
PING = """\
import os, socket, time
def test_it():
    with socket.create_connection((os.environ["REDIS_HOST"], int(os.environ["REDIS_PORT"]))) as one:
        one.sendall(b"PING\\r\\n")
        assert one.recv(16) == b"+PONG\\r\\n"
    time.sleep(float(os.environ.get("NAP", "0")))
"""


def containers() -> list[str]:
    """Those of suites' services that run now."""
    words = ["docker", "ps", "--all", "--filter", "label=fairlead.test", "--format", "{{.Names}}"]
    told = subprocess.run(words, capture_output=True, text=True, check=True)
    return told.stdout.split()


@pytest.fixture
def project(tmp_path: Path, lab: Lab) -> Path:
    """A suite that needs Redis."""
    files = {
        "deploy/fairlead.toml": '[test.suites.unit]\npath = "tests"\nservices = ["redis"]\n'
        f'[test.services.redis]\nimage = "{lab.push}/redis:8"\n',
        "pytest.ini": "[pytest]\n",
        "tests/test_redis.py": PING,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def run(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (*PROGRAM, *words),
        cwd=folder,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=240,
    )


def mine(before: list[str]) -> list[str]:
    return [name for name in containers() if name not in before]


def test_a_container_is_ready_before_the_suite_and_gone_after_it(project: Path) -> None:
    before = containers()
    told = run(project)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "starting redis" in told.stderr
    assert mine(before) == []


def test_a_container_is_gone_after_a_suite_that_failed(project: Path) -> None:
    before = containers()
    (project / "tests/test_redis.py").write_text("def test_it(): assert False\n")
    assert run(project).returncode == 1
    assert mine(before) == []


def begun(project: Path, before: list[str], nap: str) -> subprocess.Popen[str]:
    """A run whose container is there."""
    started = subprocess.Popen(
        PROGRAM,
        cwd=project,
        env={**os.environ, "NAP": nap},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not mine(before):
        assert started.poll() is None
        time.sleep(0.1)
    return started


def test_the_next_run_removes_what_a_killed_one_left(project: Path) -> None:
    before = containers()
    with begun(project, before, nap="10") as started:
        started.kill()
    assert mine(before)
    assert run(project).returncode == 0
    assert mine(before) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_container_is_gone_after_an_interrupt(project: Path, number: int) -> None:
    before = containers()
    started = begun(project, before, nap="120")
    started.send_signal(number)
    _, err = started.communicate(timeout=60)
    assert started.returncode == 1
    assert "test was interrupted" in err
    assert mine(before) == []


def test_a_container_that_does_not_get_ready_leaves_the_suite_not_run(project: Path) -> None:
    """And nothing is left of it. `redis-server` of this machine would do instead: not here."""
    before = containers()
    with (project / "deploy/fairlead.toml").open("a") as file:
        file.write('command = "redis-server --port 1"\ntimeout = "3s"\n')
    folder = project / "bin"
    folder.mkdir()
    (folder / "docker").symlink_to(str(shutil.which("docker")))
    told = run(project, PATH=str(folder))
    assert told.returncode == 1
    assert "unit   not-run" in told.stdout
    assert "was not ready after 3 s" in told.stdout
    assert mine(before) == []


@pytest.mark.timeout(600)
def test_the_example_s_suites_pass_and_too_little_coverage_still_fails(lab: Lab) -> None:
    """One table, a real Redis for each suite. What is covered is enough; a hair more is not."""
    example, redis = ROOT / "examples/agentic", f"{lab.push}/redis:8"
    enough = run(example, "--coverage", "--json", REDIS_IMAGE=redis)
    assert enough.returncode == 0, enough.stdout + enough.stderr
    measured = json.loads(enough.stdout.splitlines()[-1])["coverage"]
    share = Fraction(100 * (measured["lines"] - measured["missing"]), measured["lines"])
    above = f"{(floor(share * 10000) + 1) / 10000:.4f}"
    missed = run(example, f"--threshold={above}", REDIS_IMAGE=redis)
    assert missed.returncode == 1, missed.stdout + missed.stderr
    rows = [line.split() for line in missed.stdout.splitlines()]
    outcomes = {row[0]: row[1] for row in rows if len(row) > 6 and row[1] in ("passed", "findings")}
    names = ("unit", "integration", "http-api", "security", "property")
    assert outcomes == dict.fromkeys(names, "passed"), missed.stdout
    assert f"points below the threshold of {float(above):g} %" in missed.stdout
    at = f"--threshold={floor(share * 10000) / 10000:.4f}"
    assert run(example, at, REDIS_IMAGE=redis).returncode == 0
