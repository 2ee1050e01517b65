"""Verdicts put on record, for the gates of a later deploy."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairlead.checks.verdict import Verdict
    from fairlead.tasks.run import Run


def put_on_record(
    run: "Run",
    verb: str,
    verdicts: "Iterable[Verdict]",
    *,
    partial: bool = False,
    coverage: float | None = None,
    image: str = "",
    commit: str = "",
) -> None:
    """Keep what was found out about the commit that is checked out; outside git, nothing.

    commit: the one an image says it was built from, in place of the tree's. A record that cannot
    be written is told, and changes no outcome.
    """
    from fairlead.checks.records import keep, record
    from fairlead.events import Notice
    from fairlead.transport.git import Head, read_head

    repository = run.repository()
    head = Head(commit, True) if commit else read_head(repository.root)
    if not head.commit:
        return
    one = record(
        verb,
        head.commit,
        head.clean,
        repository.checks_hash,
        verdicts,
        image=image,
        coverage=coverage,
        partial=partial,
    )
    try:
        keep(repository.root, one)
    except OSError as error:
        run.reporter.event(Notice(f"the verdict could not be recorded: {error}", "warning"))
