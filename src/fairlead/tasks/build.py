"""inv build"""

import os
from typing import TYPE_CHECKING

from fairlead.cli.run import Run
from fairlead.cli.verb import HOSTS, verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.config.building import Building
    from fairlead.images.build import Job, Outcome
    from fairlead.images.recipe import Buildable
    from fairlead.images.revision import Revision


@verb(
    refuses={"hosts": HOSTS},
    help={
        "platforms": "Build for these: --platforms=linux/amd64,linux/arm64",
        "changed": "Only what differs from what is live in --env, or from FAIRLEAD_BASE",
        "artifact": "Make the packaged artifact instead: pinned requirements and a tar.gz",
    },
)
def build(
    run: Run, platforms: tuple[str, ...] = (), changed: bool = False, artifact: bool = False
) -> None:
    """Build the images of this commit, try each, keep what passed for `push`"""
    from fairlead.images.build import Job, with_platforms
    from fairlead.images.builder import find_builder
    from fairlead.images.tags import tags
    from fairlead.tasks.shared.image_scan import image_scan
    from fairlead.tasks.shared.images import chosen, opened

    if artifact:
        _refuse_narrowed(run, platforms=bool(platforms), changed=changed)
    building, revision = opened(run)
    if artifact:
        return _package(run, building, revision)
    _tell_withheld(run, revision)
    recipes = chosen(run, building, tags(revision.standing)[0], changed)
    if not recipes:
        run.reporter.result({"outcome": "done", "images": []}, ["no image differs; nothing built"])
        return None
    able = find_builder(building.build.builder)
    wanted = [with_platforms(one, platforms, able) for one in recipes]
    able.require(wanted)
    job = Job(
        building, revision, able, run.reporter.event, image_scan(run, revision.label), run.redact
    )
    if run.options.plan:
        return _plan(run, job, wanted)
    return _build(run, job, wanted)


def _tell_withheld(run: Run, revision: "Revision") -> None:
    from fairlead.events import Notice
    from fairlead.images.tags import withheld

    if names := withheld(revision.standing):
        text = (
            f"not tagged {', '.join(names)}: this clone may lack the tag of a newer version"
            " (git fetch --unshallow --tags; in GitHub Actions, checkout with fetch-depth: 0)"
        )
        run.reporter.event(Notice(text, "warning"))


def _plan(run: Run, job: "Job", wanted: "Sequence[Buildable]") -> None:
    from fairlead.images.build import command
    from fairlead.model import Step

    commands = {one.name: (command(job, one),) for one in wanted}
    header = {"commit": job.revision.key, "tags": ", ".join(job.tags)}
    run.reporter.plan(
        [Step("build", "build images", commands)], header, verbose=run.options.verbose
    )


def _build(run: Run, job: "Job", wanted: "Sequence[Buildable]") -> None:
    from fairlead.images.alone import alone
    from fairlead.images.build import build_all
    from fairlead.images.context import copied
    from fairlead.images.record import keep
    from fairlead.images.revision import require_unchanged
    from fairlead.tasks.shared.images import tell_errors

    root, revision = job.building.root, job.revision
    with alone(root), copied(root, wanted, revision.when):
        require_unchanged(revision, root, os.environ)
        outcomes = build_all(job, wanted)
        passed = [one.built for one in outcomes if one.built]
        failed = [one.name for one in outcomes if not one.built]
        keep(root, revision, job.building.config_hash, passed, failed)
    columns = ("image", "result", "platforms", "digest", "smoke test", "scan", "sbom", "cached")
    run.reporter.table(
        "", columns, [_row(one) for one in outcomes], [f"tags: {', '.join(job.tags)}"]
    )
    tell_errors(run, (one.error for one in outcomes))
    payload = {
        "outcome": "done" if len(passed) == len(outcomes) else "failed",
        "commit": job.revision.key,
        "tags": list(job.tags),
        "digests": {one.name: one.digest for one in passed},
        "images": [
            {
                "name": one.name,
                "services": list(one.services),
                "repository": one.image,
                "digest": one.digest,
                "platforms": dict(one.platforms),
                "smoke": one.smoke,
                "smoke_platforms": list(one.tried),
                "sbom": one.sbom,
                "scan": one.scan,
            }
            for one in passed
        ],
    }
    summary = [f"built {len(passed)} of {len(outcomes)}; inv push sends them to the registry"]
    run.reporter.result(payload, summary, ok=len(passed) == len(outcomes))


def _row(one: "Outcome") -> tuple[object, ...]:
    if one.built is None:
        return (one.name, "failed", None, None, None, None, None, one.cached)
    built = one.built
    platforms = ", ".join(built.platforms)
    smoke = f"{built.smoke} on {', '.join(built.tried)}" if built.untried else built.smoke
    verdicts = (smoke, built.scan, built.sbom)
    return (one.name, "passed", platforms, built.digest[:19], *verdicts, one.cached)


def _refuse_narrowed(run: Run, **given: bool) -> None:
    """What would be ignored is refused, as `verb` does with common flags."""
    from fairlead.errors import UsageError

    for flag, there in {**given, "service": bool(run.options.service)}.items():
        if there:
            raise UsageError(
                f"build --artifact takes no --{flag}: an artifact is the whole commit",
                state="nothing was changed",
                next_step=f"repeat it without --{flag}, if that is what you want",
            )


def _package(run: Run, building: "Building", revision: "Revision") -> None:
    """Make the packaged artifact."""
    from fairlead.images.artifact import make

    if run.options.plan:
        summary = ["would export the pinned requirements and pack the commit without its tests"]
        return run.reporter.result({"outcome": "planned", "commit": revision.commit}, summary)
    made = make(building.root, building.app, revision, building.build.artifact)
    shown = made.file.relative_to(building.root)
    payload = {
        "outcome": "done",
        "commit": revision.commit,
        "artifact": str(shown),
        "sha256": made.sha256,
        "files": made.files,
    }
    summary = [
        f"{shown}: {made.files} files, {made.requirements} requirements pinned",
        f"sha256 {made.sha256}, also in {made.sum_file.name}",
    ]
    return run.reporter.result(payload, summary)
