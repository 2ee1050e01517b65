"""What the lab hands to a person's shell."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def activated(folder: Path, **environ: str) -> list[str]:
    """What a shell that read it knows: a variable of .env, the program, Docker's folder."""
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/activate").write_text("PATH=/the/program:$PATH\n")
    (folder / ".env").write_text("LAB_HOST1=172.30.77.11\n")
    script = (
        f"set -euo pipefail; root='{folder}'; state='{folder}';"
        f" . '{ROOT}/scripts/lab.d/handover.sh'; write_activate; unset DOCKER_CONFIG;"
        ' . "$state/activate"; echo "$LAB_HOST1"; echo "${PATH%%:*}"; echo "${DOCKER_CONFIG-none}"'
    )
    told = subprocess.run(
        ["bash", "-c", script],
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.splitlines()


def test_one_file_sets_a_shell_up_for_the_lab(tmp_path):
    folder = tmp_path / "a project"
    folder.mkdir()
    known = activated(folder, DOCKER_CONFIG="/opt/the plugins")
    assert known == ["172.30.77.11", "/the/program", "/opt/the plugins"]


def test_where_docker_has_compose_nothing_is_said_of_its_plugins(tmp_path):
    assert activated(tmp_path)[-1] == "none"
