"""inv init"""

from pathlib import Path

from fairlead.cli.run import Run
from fairlead.cli.verb import verb

COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")


@verb(
    refuses={"service": "it writes for all that the compose file has", "hosts": "it asks no host"},
    help={
        "compose": "The compose file (default: compose.yaml or docker-compose.yml here)",
        "reference": "Print the annotated reference of every key, and write nothing",
    },
)
def init(run: Run, compose: str = "", reference: bool = False) -> None:
    """Write deploy/*.toml for the compose file in this folder, and say what was guessed

    Also .env.example (the variables that need values), .pre-commit-config.yaml (hooks that lint
    before a commit) and lines of .gitignore that keep values out of git. What exists is kept.
    """
    from fairlead.config.reference import reference as annotated
    from fairlead.config.starter import render, to_write, write
    from fairlead.engines.compose.guess import guess
    from fairlead.engines.compose.source import survey

    if reference:
        run.reporter.text(annotated().splitlines())
        return
    file = _compose_file(run.cwd, compose)
    found = survey(file, {})
    guessed = guess(found.project, run.cwd.name)
    unset = found.required(guessed.images)
    files = render(guessed, compose=_from_deploy(run.cwd, file), unset=unset)
    if run.options.plan:
        run.reporter.result(
            {"outcome": "planned", "files": sorted(files)},
            [f"would write {name}" for name in to_write(run.cwd, files)] or ["all is there"],
        )
        return
    created = write(run.cwd, files)
    rows = [(name, "written" if new else "kept as it was") for name, new in created.items()]
    run.reporter.table("Files", ("file", "outcome"), rows, guessed.reasons)
    lines = [f"check: {question}" for question in guessed.questions]
    lines.append("then: write the server's address into deploy/staging.toml")
    if unset:
        lines.append(f"then: write values into .env.staging: {', '.join(unset)}")
    lines.append("next: inv doctor --env=staging")
    outcome = "written" if any(created.values()) else "unchanged"
    payload = {"outcome": outcome, "files": created, "questions": list(guessed.questions)}
    run.reporter.result(payload, lines)


def _compose_file(folder: Path, named: str) -> Path:
    """The compose file, named or found. Raises UsageError when there is none."""
    from fairlead.errors import UsageError

    names = (named,) if named else COMPOSE_NAMES
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise UsageError(
        f"no compose file here: {', '.join(names)}",
        state="nothing was written",
        next_step="change to the folder that has it, or name it: inv init --compose=<file>",
    )


def _from_deploy(folder: Path, file: Path) -> str:
    """The compose file's path as deploy/fairlead.toml writes it."""
    import os

    return os.path.relpath(file, folder / "deploy")
