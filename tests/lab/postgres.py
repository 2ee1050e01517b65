"""The Postgres image that only the tests of backups need: built when they run, then kept."""

import hashlib
import subprocess

from tests.lab.hosts import ROOT, Lab

RECIPE = ROOT / "scripts/lab.d/images/postgres"
BASE = "fairlead-lab/debian:trixie"


def provide(lab: Lab) -> str:
    """Its name for the lab's hosts. Built by Docker only once for a recipe."""
    inputs = b"".join(file.read_bytes() for file in sorted(RECIPE.iterdir()))
    local = f"fairlead-lab/postgres:{hashlib.sha256(inputs).hexdigest()[:12]}"
    if subprocess.run(["docker", "image", "inspect", local], capture_output=True).returncode:
        _must("docker", "build", "-q", "-t", local, "--build-arg", f"BASE={BASE}", str(RECIPE))
    _must(str(ROOT / "scripts/lab"), "push", local, "postgres:17")
    return f"{lab.registry}/postgres:17"


def _must(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
