"""Rollback: from the command to the first answer of the old release."""

import time
from collections.abc import Callable

from application import TAGS, application
from figures import Figure, Measure, Target, medians
from lab import Ssh, lab, last_host
from router import Watcher
from timeline import phases

from tests.lab.project import Project


def measure(runs: int | None, host: str) -> Measure:
    found = lab()
    ssh, target = Ssh(found), last_host(found, host)
    with application(found, target) as project:
        project.deploy(TAGS[1]).ok()
        releases = _releases(project)
        warm, warm_rows = _roll(project, releases, runs or 7, lambda: None)
        stop = f"docker ps -q --filter label=com.docker.compose.project={project.key}"
        cold, cold_rows = _roll(
            project,
            releases,
            runs or 7,
            lambda: ssh.run(target, f"docker stop $({stop}-{_idle(project)}) >/dev/null"),
        )
    return Measure(
        "rollback",
        "rollback: from the command's start to the first answer of the old release",
        (
            *(Figure(f"{name}, kept warm", values, "ours") for name, values in warm.items()),
            *(Figure(f"{name}, stopped slot", values, "ours") for name, values in cold.items()),
        ),
        (
            Target("old release served, kept warm", 1.0),
            Target("old release served, stopped slot", 1.0),
        ),
        (
            "inv rollback --to=RELEASE, back and forth between two: the road of --quick, which "
            "never returns to what was rolled back",
            "Kamal 1.4 s, and the version has to be typed: measured elsewhere, not here",
        ),
        {"kept warm": warm_rows, "stopped slot": cold_rows},
    )


def _roll(
    project: Project, releases: dict[str, str], runs: int, prepare: Callable[[], object]
) -> tuple[dict[str, tuple[float, ...]], dict[str, float]]:
    """Roll back and forth; seconds to the first old answer and of the whole process, by run."""
    served, whole, rows = [], [], []
    for _ in range(runs):
        prepare()
        live = project.serving()
        tag = next(tag for tag in releases if tag != live)
        watcher = Watcher(project, tag)
        began, started = time.perf_counter(), time.time()
        words = ("rollback", f"--to={releases[tag]}", f"--env={project.environment}", "--json")
        run = project.inv(*words).ok()
        ended = time.time()
        served.append(watcher.end() - began)
        whole.append(ended - started)
        rows.append(phases(run.lines, started, ended))
    return {"old release served": tuple(served), "whole process": tuple(whole)}, medians(rows)


def _releases(project: Project) -> dict[str, str]:
    """The two newest releases that are kept, by tag."""
    listed = project.inv("rollback", "--list", f"--env={project.environment}", "--json").ok()
    return {name.partition("-")[2]: name for name in listed.result["releases"][:2]}


def _idle(project: Project) -> str:
    return {"blue": "green", "green": "blue"}[str(project.live())]
