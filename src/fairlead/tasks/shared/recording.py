"""Verdicts put on record, for the gates of a later deploy."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairlead.checks.records import Record
    from fairlead.checks.verdict import Verdict
    from fairlead.cli.run import Run
    from fairlead.images.identity import Identity
    from fairlead.transport.git import Head


def head(run: "Run") -> "Head":
    """The commit that is about to be looked at; none outside git."""
    from fairlead.checks.folder import FOLDER, own_folder
    from fairlead.transport.git import read_head

    root = run.repository().root
    if (root / FOLDER).is_dir():  # handed on by a CI job, it may not ignore itself yet
        with suppress(OSError):
            own_folder(root, "")
    return read_head(root)


def put_on_record(
    run: "Run",
    verb: str,
    verdicts: "Iterable[Verdict]",
    before: "Head",
    *,
    partial: bool = False,
    coverage: float | None = None,
    until: str = "",
    shard: str = "",
) -> None:
    """Keep what was found out about the commit that is checked out; outside git, nothing.

    Where git does not read the repository that is there, that is told.

    before: `head` as it was when the run began. A tree that was another one in the meantime was
    not looked at as that commit.
    """
    from fairlead.checks.records import record
    from fairlead.events import Notice

    if before.trouble:
        run.reporter.event(Notice(f"not on record: {before.trouble}", "warning"))
    if before.commit:
        after = head(run)
        clean = before.clean and after == before
        config = run.repository().checks_hash
        one = record(verb, before.commit, clean, config, verdicts, coverage=coverage, until=until)
        _keep(run, replace(one, partial=partial, shard=shard))
        if not (clean or partial) and (said := opens_nothing(run, before, after)):
            run.reporter.event(Notice(said))


def opens_nothing(run: "Run", *seen: "Head") -> str:
    """That changes which are in no commit keep gates closed, and which those are; empty where no
    environment has gates."""
    from fairlead.checks.scan.judging import listed
    from fairlead.config.gated import gated_environments

    if not (gated := gated_environments(run.repository().root)):
        return ""
    changed = next((one.changed for one in seen if one.changed), ())
    why = f"not committed: {listed(changed)}" if changed else "the commit changed meanwhile"
    return f"this opens no gate of {listed(gated)}; {why}"


def put_image_on_record(
    run: "Run",
    verdicts: "Iterable[Verdict]",
    image: "Identity",
    *,
    partial: bool = False,
    until: str = "",
) -> str:
    """Keep what was found out about an image, under the commit it says it was built from.

    Configuration and exclusions that are not committed steered it by nobody's leave: such a record
    is not clean. The sentence that says why it opens no gate; empty when it may.
    """
    from fairlead.checks.records import SCAN_IMAGE, record
    from fairlead.config.project import FOLDER
    from fairlead.model import REVISION
    from fairlead.transport.git import read_head

    if not image.digest:
        return "not on record: the image was in no registry yet, so it has no digest"
    if not image.commit:
        return f"not on record: the image does not say its commit (label {REVISION})"
    steered = read_head(run.repository().root, FOLDER)
    clean = steered.clean and not image.commit.endswith("-dirty")
    config = run.repository().checks_hash
    one = record(SCAN_IMAGE, image.commit, clean, config, verdicts, image=image.digest, until=until)
    _keep(run, replace(one, partial=partial))
    return opens_nothing(run, steered) if not (steered.clean or partial) else ""


def _keep(run: "Run", one: "Record") -> None:
    """A record that cannot be written is told, and changes no outcome."""
    from fairlead.checks.records import keep
    from fairlead.events import Notice

    try:
        keep(run.repository().root, one)
    except OSError as error:
        run.reporter.event(Notice(f"the verdict could not be recorded: {error}", "warning"))
