"""Builds side by side: each to an OCI layout, finished, tried, and then on record."""

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from fairlead.commands import buildx
from fairlead.config.building import Building
from fairlead.config.folder import own_folder
from fairlead.errors import FairleadError
from fairlead.events import (
    HostFinished,
    HostProgress,
    Listener,
    Notice,
    PhaseFinished,
    PhaseStarted,
)
from fairlead.images.build_secrets import secret_file
from fairlead.images.builder import Able
from fairlead.images.context import place
from fairlead.images.disk import on_disk
from fairlead.images.docker_config import logged_in
from fairlead.images.finish import finish
from fairlead.images.layout import Layout
from fairlead.images.recipe import Buildable
from fairlead.images.record import Built
from fairlead.images.revision import Revision
from fairlead.images.sbom import list_parts, sbom_available
from fairlead.images.side_by_side import side_by_side
from fairlead.images.smoke import PASSED, in_engine, try_image
from fairlead.images.stages import Stages
from fairlead.images.tags import tags
from fairlead.model import Command
from fairlead.transport.local import Ran, run_local

STEP = "build"
RECORDS = 100  # commits
LABEL = "org.opencontainers.image."


class BuildFailed(FairleadError):
    """A build ended without an image; the others went on."""

    kind = "build"


@dataclass(frozen=True)
class Job:
    """What all builds of one run share.

    redact: takes secrets out of what a build says. scan: looks at the images of a digest, one a
    platform, given their names in this machine's engine; "passed", or why not run. It raises for
    what must not be pushed. environ: what builds are run with.
    """

    building: Building
    revision: Revision
    able: Able
    tell: Listener
    scan: Callable[[Sequence[str], str], str]
    redact: Callable[[str], str] = str
    cancel: threading.Event = field(default_factory=threading.Event)
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    @property
    def tags(self) -> tuple[str, ...]:
        return tags(self.revision.standing)

    def layout(self, one: Buildable) -> Layout:
        folder = self.building.root / ".fairlead/images" / self.revision.key / one.name
        return Layout(folder)


@dataclass(frozen=True)
class Outcome:
    """What came of one build: the image that passed, or the error; seconds; stages from cache."""

    name: str
    built: Built | None
    error: Exception | None
    seconds: float
    cached: str = ""


def command(job: Job, one: Buildable) -> Command:
    """The build as it would run. No secret is in it: only where each is to be read."""
    layout = job.layout(one)
    places = {"env": "id={},env={}", "file": "id={},src={}"}
    secrets = []
    for name, source in one.secrets.items():
        kind, _, where = source.partition(":")
        path = str(secret_file(job.building, where)) if kind == "file" else where
        secrets.append(places[kind].format(name, path))
    there = place(job.building.root, one)
    request = buildx.Request(
        context=str(there.context),
        dockerfile=str(there.dockerfile),
        layout=str(layout.folder),
        metadata=f"{layout.folder}.json",
        target=one.target,
        platforms=one.platforms,
        args=one.args,
        secrets=tuple(secrets),
        labels=labels(job.revision, one),
        cache_from=tuple(_cache_from(job, one)),
        cache_to=tuple(_cache_to(job, one)),
        epoch=job.revision.when,
    )
    return Command(buildx.build(job.able.builder, request), timeout=job.building.build.timeout)


def labels(revision: Revision, one: Buildable) -> dict[str, str]:
    """The OCI annotations of an image (image specification, annotations.md)."""
    found = {
        "title": one.name,
        "source": revision.source,
        "revision": revision.label,
        "version": tags(revision.standing)[0].removeprefix(revision.standing.prefix),
        "created": revision.created,
    }
    return {LABEL + key: value for key, value in found.items() if value}


def build_all(job: Job, wanted: Sequence[Buildable]) -> list[Outcome]:
    """Build each, so many at a time; what one meets stops none of the others."""
    began = time.monotonic()
    job.tell(PhaseStarted(STEP, "build images", tuple(one.name for one in wanted)))
    with on_disk("nothing can be kept in .fairlead", "nothing was built"):
        own_folder(job.building.root, "images")
    note = "no image was recorded; containers of smoke tests are removed"
    parallel = job.building.build.parallel
    with logged_in(job.building.registry, job.environ) as environ:
        work = partial(_outcome, replace(job, environ=environ))
        found = side_by_side(work, wanted, parallel, job.cancel, note)
    _prune(job)
    ok = all(one.built for one in found)
    job.tell(PhaseFinished(STEP, ok, time.monotonic() - began))
    return found


def _outcome(job: Job, one: Buildable) -> Outcome:
    began = time.monotonic()
    stages = Stages(one.name)
    built, error = None, None
    try:
        with on_disk(f"{one.name}: its image cannot be kept", "no image of it was recorded"):
            built = _build(job, one, stages)
    except Exception as fault:
        error = fault
    seconds = time.monotonic() - began
    cached = f"{stages.cached} of {stages.steps}" if stages.steps else ""
    note = "" if built is None else f"{built.digest[:19]}, cached {cached or 'nothing'}"
    job.tell(HostFinished(STEP, one.name, built is not None, seconds, note))
    return Outcome(one.name, built, error, seconds, cached)


def _build(job: Job, one: Buildable, stages: Stages) -> Built:
    layout = job.layout(one)
    shutil.rmtree(layout.folder, ignore_errors=True)
    layout.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def on_line(line: str) -> None:
        if progress := stages.feed(job.redact(line)):
            job.tell(progress)

    said = run_local(command(job, one), environ=job.environ, on_line=on_line, cancel=job.cancel)
    if not said.ok:
        for left in (layout.folder, _new_cache(job, one)):
            shutil.rmtree(left, ignore_errors=True)
        raise _failed(one, said, stages)
    _keep_cache(job, one)
    if stages.uncached:
        text = f"{one.name}: its layers are kept in no cache: {stages.uncached[:200]}"
        job.tell(Notice(text, "warning"))
    return _passed(job, one, layout)


def _passed(job: Job, one: Buildable, layout: Layout) -> Built:
    """Finish the layout and try the image; what there is to record of it."""

    def tell(what: str) -> None:
        if job.cancel.is_set():
            raise BuildFailed(
                f"{one.name}: interrupted before: {what}",
                state="no image of it was recorded or pushed",
                next_step=f"inv build --service={one.name}",
            )
        job.tell(HostProgress(STEP, one.name, what, 0, 0))

    folder = own_folder(job.building.root, f"sbom/{job.revision.key}")
    sboms: Mapping[str, dict[str, dict[str, object]]] = {}
    sbom = "not run: syft is not installed"
    if sbom_available():
        tell("list its parts")
        sboms, sbom = list_parts(layout, folder, one.name, job.revision), "passed"
    digest = finish(layout, sboms, labels(job.revision, one))
    with in_engine(layout, one) as loaded:
        tell("smoke test")
        smoke = try_image(loaded, one, job.cancel)
        tell("scan")
        scan = loaded.why or job.scan(tuple(loaded.names.values()), digest)
    images = layout.images()
    sizes = (sum(part.size for part in layout.parts(image)) for image in images)
    return Built(
        name=one.name,
        services=one.services,
        image=one.image,
        digest=digest,
        platforms={image.platform: image.digest for image in images},
        tags=job.tags,
        layout=str(layout.folder.relative_to(job.building.root)),
        size=max(sizes, default=0),
        smoke=smoke,
        tried=(loaded.native,) if smoke == PASSED else (),
        sbom=sbom,
        scan=scan,
    )


def _failed(one: Buildable, said: Ran, stages: Stages) -> BuildFailed:
    reason = {"timeout": "took too long", "interrupted": "was interrupted"}.get(said.stopped, "")
    why = stages.failure()
    told = next((re.sub(r"^ERROR: ", "", line) for line in why if line.startswith("ERROR: ")), "")
    again = f"fix what the last lines name, then inv build --service={one.name}"
    lacking = re.search(r'"/([^"]+)": not found', told)
    if lacking and (one.context / lacking[1]).exists():
        again = (
            f"git ignores {lacking[1]}, so it is not sent to the builder; if the image needs it: "
            f'[build.services.{one.name}] generated = ["{lacking[1]}"]'
        )
    return BuildFailed(
        f"{one.name}: the build {reason or 'failed'}" + (f": {told[:200]}" if told else ""),
        why=why,
        state="no image of it was recorded or pushed",
        next_step=again,
        docs="how-to/build-and-push.md",
    )


def _cache_from(job: Job, one: Buildable) -> list[str]:
    found = []
    for kind in job.building.build.caches:
        if kind == "local" and _cache_folder(job, one).is_dir():
            found.append(f"type=local,src={_cache_folder(job, one)}")
        elif kind == "gha":
            found.append(f"type=gha,scope={one.name}")
        elif kind == "inline" and one.image:
            found.append(f"type=registry,ref={one.image}:latest")
        elif kind == "registry" and one.image:
            found.append(f"type=registry,ref={one.image}:buildcache")
    return found


def _cache_to(job: Job, one: Buildable) -> list[str]:
    to = {
        "local": f"type=local,mode=max,ignore-error=true,dest={_new_cache(job, one)}",
        "inline": "type=inline",
        "registry": f"type=registry,mode=max,ignore-error=true,ref={one.image}:buildcache",
        "gha": f"type=gha,mode=max,ignore-error=true,scope={one.name}",
    }
    return [to[kind] for kind in job.building.build.caches if one.image or kind != "registry"]


def _cache_folder(job: Job, one: Buildable) -> Path:
    return job.building.root / ".fairlead/cache" / one.name


def _new_cache(job: Job, one: Buildable) -> Path:
    folder = _cache_folder(job, one)
    return folder.with_name(folder.name + ".new")


def _keep_cache(job: Job, one: Buildable) -> None:
    """A local cache is written anew each time, so that what nothing uses goes away."""
    folder, written = _cache_folder(job, one), _new_cache(job, one)
    if (written / "index.json").is_file():  # its last file: an export that failed has none
        shutil.rmtree(folder, ignore_errors=True)
        written.rename(folder)


def _prune(job: Job) -> None:
    """Keep the images and parts lists of so many commits, the newest, and more of the records:
    they are small, and tell what a tag of a delivered image means."""
    keep = job.building.build.keep
    for name, count in (("images", keep), ("sbom", keep), ("builds", max(keep, RECORDS))):
        folder = job.building.root / ".fairlead" / name
        kept = [
            one for one in folder.glob("[!.]*") if one.name.partition(".")[0] != job.revision.key
        ]
        kept.sort(key=lambda one: one.stat().st_mtime, reverse=True)
        for old in kept[count - 1 :]:
            if old.is_dir():
                shutil.rmtree(old, ignore_errors=True)
            elif old.suffix == ".json":
                old.unlink(missing_ok=True)


def with_platforms(one: Buildable, platforms: tuple[str, ...], able: Able) -> Buildable:
    """For the platforms asked for, else those declared, else the builder's own."""
    return replace(one, platforms=platforms or one.platforms or (able.native,))
