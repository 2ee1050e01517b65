"""Builds: six services of one repository, side by side and one after another."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from figures import Figure, Measure, Target, alternate
from lab import lab

from tests.lab.builder import BASE, CONTEXT, Sources, own_docker_config, running_builder

NAMES = tuple(f"service{number}" for number in range(6))
SIDE_BY_SIDE, IN_TURN = "six side by side", "six one after another"


def measure(runs: int | None, host: str) -> Measure:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "docker").mkdir()
        (folder / "engine").mkdir()
        config = own_docker_config(folder / "docker")
        with running_builder(lab(), folder / "engine", config):
            seconds = alternate(
                runs or 3,
                {
                    SIDE_BY_SIDE: _build(folder / "many", config, parallel=6),
                    IN_TURN: _build(folder / "one", config, parallel=1),
                },
            )
    roles = ("ours", "peer")
    return Measure(
        "builds",
        "inv build of six services without any cache, whole process, smoke tests left out",
        tuple(Figure(n, s, r) for (n, s), r in zip(seconds.items(), roles, strict=True)),
        (Target(SIDE_BY_SIDE, 1.0, IN_TURN),),
        ("each runs a program that waits 2 s and packs 4 MB; [build] parallel is 6 or 1",),
    )


def _build(folder: Path, config: Path, *, parallel: int) -> Callable[[], float]:
    folder.mkdir()
    sources = Sources(folder, lab(), CONTEXT, config, f"bench{parallel}", files=_files(parallel))
    sources.write()

    def once() -> float:
        prune = ["docker", "--config", str(config), "--context", CONTEXT, "builder", "prune", "-af"]
        subprocess.run(prune, check=True, capture_output=True)
        shutil.rmtree(folder / ".fairlead", ignore_errors=True)
        return sources.inv("build").ok().seconds

    return once


def _files(parallel: int) -> dict[str, str]:
    base = f"{lab().registry}/{BASE}"
    recipe = f"FROM {base}\nRUN sleep 2 && head -c 4000000 /dev/urandom >/data\n"
    files = {f"{name}/Dockerfile": recipe for name in NAMES}
    files["compose.yaml"] = "services:\n" + "".join(
        f"  {name}: {{image: {name}, build: {name}}}\n" for name in NAMES
    )
    skipped = "".join(f"[build.services.{name}.smoke]\nskip = true\n" for name in NAMES)
    files["deploy/fairlead.toml"] = (
        f'app = "bench"\ncompose = "../compose.yaml"\n[build]\nbuilder = "{CONTEXT}"\n'
        f"parallel = {parallel}\n{skipped}"
    )
    return files
