"""Pushing what was built: several images side by side, all checked before any is sent."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fairlead.config.building import Building
from fairlead.errors import PreconditionError
from fairlead.events import (
    HostFinished,
    HostProgress,
    Listener,
    Notice,
    PhaseFinished,
    PhaseStarted,
)
from fairlead.images.disk import on_disk
from fairlead.images.earlier import Earlier, earlier, is_newer
from fairlead.images.exchange import Exchange
from fairlead.images.recipe import Buildable
from fairlead.images.record import Built, Record, layout_of, read_record
from fairlead.images.reference import Reference, parse
from fairlead.images.revision import Revision
from fairlead.images.side_by_side import side_by_side
from fairlead.images.smoke import PASSED
from fairlead.images.tags import LATEST, SHORT, is_moving, tags
from fairlead.images.upload import PushRefused, Sent, Upload

STEP = "push"
PARALLEL = 3  # images at a time: more only share the same uplink
MB = 1_000_000
TIMEOUT = 60.0  # s for one answer of the registry, a whole piece of a layer included


@dataclass(frozen=True)
class Sending:
    """root: the project's. connect: opens an exchange with a server. forced: tags to replace.

    prefix: what a version's tag begins with, so that `vX` and `vX.Y` are known to move. revision:
    what is pushed, so that an image of the same commit or of a later one is known for that. keep:
    what is there of the same commit is taken instead of ours.
    """

    root: Path
    connect: Callable[[str], Exchange]
    tell: Listener
    forced: frozenset[str] = frozenset()
    prefix: str = "v"
    revision: Revision | None = None
    keep: bool = False
    cancel: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Pushed:
    """What came of one image. kept: that of `built.digest` was there before; nothing was sent."""

    built: Built
    sent: Sent | None
    error: Exception | None
    seconds: float
    kept: bool = False

    @property
    def ok(self) -> bool:
        return self.kept or self.sent is not None


def built_of(building: Building, revision: Revision, wanted: Iterable[Buildable]) -> list[Built]:
    """What passed of these images, ready to be sent.

    Raises PreconditionError: not built, changed since, built when the configuration, repository or
    tags were others, gone from .fairlead, or no repository.
    """
    record = read_record(building.root, revision.key)
    return [_ready(building, record, revision, one) for one in wanted]


def _ready(building: Building, record: Record | None, revision: Revision, one: Buildable) -> Built:
    commit, again = revision.commit[:SHORT], f"inv build --service={one.name}"
    if not one.image:
        raise _refused(
            f"{one.name}: no repository to push it to",
            f'[services.{one.name}] image = "registry.example.com/team/{one.name}"',
        )
    built = record.of(one.name) if record else None
    if record is None or built is None:
        state = " with the changes that are here now" if revision.change else ""
        what = f"{one.name}: no image of commit {commit}{state} was built here and passed"
        raise _refused(what, "inv build")
    if stale := _stale(building, record, built, revision, one):
        raise _refused(f"{one.name}: its image was built with {stale}", "inv build")
    if lacking := _unproven(building, built, one):
        raise _refused(
            f"{one.name}: it was built, but not tried: {lacking}",
            "give this machine what is missing, and inv build; or say what has to do: "
            '[build] require = ["smoke", "scan"] names what an image must have passed',
            docs="how-to/build-and-push.md#the-smoke-test",
        )
    if not (building.root / built.layout / "index.json").is_file():
        gone = f"{one.name}: its image of commit {commit} was removed from .fairlead/images"
        raise _refused(gone, again)
    there = layout_of(building.root, built).root.digest
    if there != built.digest:
        why = (f"passed: {built.digest}", f"there:  {there}")
        raise _refused(f"{one.name}: {built.layout} is not the image that passed", again, why)
    return built


def _stale(
    building: Building, record: Record, built: Built, revision: Revision, one: Buildable
) -> str:
    """What is not as it was when the image was built; empty when all is."""
    wanted = tags(revision.standing)
    if record.config != building.config_hash:
        return "another configuration (deploy/*.toml, .env, or another --env) than it has now"
    if built.image != one.image:
        return f"another repository: {built.image or 'none'}, now {one.image}"
    if built.tags != wanted:
        return f"other tags: {', '.join(built.tags)}, now {', '.join(wanted)}"
    return ""


def _unproven(building: Building, built: Built, one: Buildable) -> str:
    """What [build] require asks for and was not run; empty when all passed."""
    verdicts = {"smoke": PASSED if one.smoke.skip else built.smoke, "scan": built.scan}
    required = {kind: verdicts[kind] for kind in building.build.require}
    return "; ".join(f"{kind} {said}" for kind, said in required.items() if said != PASSED)


def _refused(
    what: str, next_step: str, why: Sequence[str] = (), docs: str = ""
) -> PreconditionError:
    state = "nothing was pushed"
    return PreconditionError(what, why=why, state=state, next_step=next_step, docs=docs)


def push_all(sending: Sending, wanted: Sequence[Built]) -> list[Pushed]:
    """Send each. Raises PushRefused before anything is sent when a tag is taken."""
    mounts: dict[str, dict[str, str]] = {}
    began = time.monotonic()
    sending.tell(PhaseStarted(STEP, "push images", tuple(one.name for one in wanted)))
    try:
        kept, pairs = [], []
        for one in wanted:
            upload = _upload(sending, one, mounts)
            if there := _there_before(sending, one, upload):
                kept.append(Pushed(replace(one, digest=there.digest), None, None, 0.0, kept=True))
            else:
                pairs.append((_forward(sending, one, upload), upload))
    except Exception:
        sending.tell(PhaseFinished(STEP, False, time.monotonic() - began))
        raise
    note = "tags are set last, so none names half an image; inv push sends the rest"
    found = side_by_side(lambda pair: _push(sending, *pair), pairs, PARALLEL, sending.cancel, note)
    ok = all(one.ok for one in found)
    sending.tell(PhaseFinished(STEP, ok, time.monotonic() - began))
    return [*kept, *found]


def _there_before(sending: Sending, one: Built, upload: Upload) -> Earlier | None:
    """The image of the same commit that is to be kept; None when ours can be pushed.

    Raises PushRefused when another image has one of the tags that never move.
    """
    fixed = [tag for tag in one.tags if not is_moving(tag, sending.prefix)]
    fixed = [tag for tag in fixed if tag not in sending.forced]
    try:
        upload.check_tags(fixed)
        return None
    except PushRefused as refused:
        there = earlier(upload, fixed[0])
        if not (there and _is_same(sending, one, there)):
            raise
        if any(upload.digest_of(tag) != there.digest for tag in fixed):
            raise
        if not sending.keep:
            raise PushRefused(
                f"{refused.what}, of this very commit",
                why=refused.why,
                state=refused.state,
                next_step="--keep-pushed takes that one; its Dockerfile does not give the same "
                f"twice, or it was built with other settings: {refused.next_step}",
                docs="how-to/build-and-push.md#a-job-that-is-run-again",
            ) from None
    text = f"{one.name}: {fixed[0]} of this commit was pushed before, and is kept: {there.digest}"
    sending.tell(Notice(text))
    return there


def _is_same(sending: Sending, one: Built, there: Earlier) -> bool:
    """Whether it was built from our commit, and runs wherever ours would."""
    ours = sending.revision.label if sending.revision else ""
    return bool(ours) and there.commit == ours and set(one.platforms) <= set(there.platforms)


def _forward(sending: Sending, one: Built, upload: Upload) -> Built:
    """Without `latest` where that is an image of a later commit already, as when an old job is run
    again."""
    if LATEST not in one.tags or LATEST in sending.forced or sending.revision is None:
        return one
    there = earlier(upload, LATEST)
    if there is None or not is_newer(there, sending.revision, sending.root):
        return one
    text = f"{one.name}: {LATEST} stays at commit {there.commit[:SHORT]}, which is newer than this"
    sending.tell(Notice(f"{text}; --force-tag={LATEST} moves it", "warning"))
    return replace(one, tags=tuple(tag for tag in one.tags if tag != LATEST))


def _upload(sending: Sending, one: Built, mounts: dict[str, dict[str, str]]) -> Upload:
    reference = parse(one.image)
    target = Reference(reference.server, reference.repository, "")

    told = -1

    def progress(done: int, total: int, note: str) -> None:
        nonlocal told
        tenth = 10 * done // max(1, total)
        if tenth != told:  # a log gets ten lines of it, not one for each piece
            told = tenth
            sending.tell(HostProgress(STEP, one.name, "MB", done // MB, total // MB, note))

    return Upload(
        sending.connect(target.server),
        target,
        layout_of(sending.root, one),
        progress,
        mounts.setdefault(target.server, {}),
        sending.cancel,
    )


def _push(sending: Sending, one: Built, upload: Upload) -> Pushed:
    began = time.monotonic()
    sent, error = None, None
    try:
        with on_disk(f"{one.name}: its image cannot be read", upload.state):
            sent = upload.run(one.tags)
    except Exception as fault:
        error = fault
    finally:
        upload.exchange.close()
    seconds = time.monotonic() - began
    note = f"{sent.bytes / 1e6:.1f} MB sent, {sent.there / 1e6:.1f} MB there" if sent else ""
    sending.tell(HostFinished(STEP, one.name, error is None, seconds, note))
    return Pushed(one, sent, error, seconds)
