"""inv release.…"""

import os

from fairlead.cli.run import Run
from fairlead.cli.verb import verb

TAG = "The release, by its git tag (default: the newest one before what is checked out)"


@verb(
    refuses={"service": "a version is of the whole repository", "hosts": "it asks no host"},
    help={"part": "patch, minor, major, or auto: what the commits since the last tag demand"},
)
def bump(run: Run, part: str = "auto") -> None:
    """Raise the version: its file, its changelog section, a commit and an annotated tag"""
    from datetime import UTC, datetime

    from fairlead.versions.bump import carry_out, plan_bump

    root, release = run.repository().root, run.repository().release
    planned = plan_bump(root, release, part, datetime.now(UTC).strftime("%Y-%m-%d"))
    told = {"version": str(planned.new), "previous": str(planned.old), "tag": planned.tag}
    lines = [
        f"{planned.old} → {planned.new} ({planned.why})",
        *(f"  {name}" for name in planned.files),
    ]
    if run.options.plan:
        run.reporter.text(planned.notes.splitlines())
        run.reporter.result({"outcome": "planned", **told}, ["planned: " + lines[0], *lines[1:]])
        return
    commit = carry_out(root, planned)
    push = f"next: git push --follow-tags publishes {planned.tag}"
    run.reporter.result({"outcome": "done", "commit": commit, **told}, [*lines, push])


@verb(
    refuses={"service": "a version is of the whole repository", "hosts": "it asks no host"},
    mutates=False,
    help={"tag": TAG},
)
def notes(run: Run, tag: str = "") -> None:
    """Print what is new in a release: its changelog section, else its commits"""
    from fairlead.versions.notes import release_notes

    told = release_notes(run.repository().root, run.repository().release, tag)
    run.reporter.text(told.body.splitlines())
    run.reporter.result({"outcome": "done", "tag": told.tag, "notes": told.body})


@verb(
    refuses={"service": "a version is of the whole repository", "hosts": "it asks no host"},
    help={"tag": TAG},
)
def publish(run: Run, tag: str = "") -> None:
    """Publish a release with its notes on GitHub; one that is there is brought up to date"""
    from fairlead.errors import UsageError
    from fairlead.model import Secret
    from fairlead.versions.github import API, GitHub, repository_name
    from fairlead.versions.notes import release_notes

    root, release = run.repository().root, run.repository().release
    draft = release_notes(root, release, tag)
    name = repository_name(root, release.github, os.environ)
    base = os.environ.get("GITHUB_API_URL") or API
    token = os.environ.get("GITHUB_TOKEN", "")
    if run.options.plan:
        run.reporter.text(draft.body.splitlines())
        run.reporter.result({"outcome": "planned", "tag": draft.tag}, [f"{draft.tag} → {name}"])
        return
    if not token:
        raise UsageError(
            "GITHUB_TOKEN is not set",
            state="nothing was published",
            next_step="give it a token with the permission `contents: write`",
        )
    told = GitHub(name, Secret(token), base).publish(draft)
    payload = {"outcome": told.what, "tag": draft.tag, "url": told.url}
    run.reporter.result(payload, [f"{draft.tag} {told.what} on GitHub", f"  {told.url}"])
