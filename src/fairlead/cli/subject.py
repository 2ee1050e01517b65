"""Which files of the repository a command is about: all, those that changed, or those named."""

import os
from collections.abc import Sequence
from pathlib import Path

from fairlead.checks.tree import Tree, read_tree
from fairlead.cli.run import Run
from fairlead.errors import UsageError


def subject(run: Run, *, changed: bool, exclude: Sequence[str]) -> tuple[Tree, str]:
    """The tree, narrowed to what is asked for, and a sentence that says how; empty for all.

    --service narrows it to the folders of those services, beside what else narrows it. Files and
    folders after `--` are those a person, or a git hook, names; what of them git ignores or
    `exclude` leaves out is left out. Raises UsageError for one that does not exist.
    """
    root = run.repository().root
    whole = read_tree(root)
    told = ""
    if run.options.service:
        whole, told = _of_services(run, whole)
    if run.remainder:
        tree, told = whole.only(_named(run, whole)), "only the files that are named"
    elif changed:
        from fairlead.checks.changed import changed_files

        found = changed_files(root, os.environ)
        tree, told = whole.only(found.files), f"only what changed since {found.since}"
    else:
        tree = whole
    return tree.without(exclude), told


def _of_services(run: Run, tree: Tree) -> tuple[Tree, str]:
    from fairlead.cli.scope import repository_services

    services = repository_services(run)
    folders = tuple(f"{one.path}/" for one in services)
    every = any(one.path == "." for one in services)
    files = (file for file in tree.files if every or file.startswith(folders))
    names = ", ".join(one.name for one in services) or "no service"
    return tree.only(files), f"only files of {names}"


def _named(run: Run, tree: Tree) -> list[str]:
    names: list[str] = []
    for word in run.remainder:
        path = Path(word) if Path(word).is_absolute() else run.cwd / word
        if not path.exists():
            raise UsageError(
                f"there is no file {word}",
                state="nothing was run",
                next_step="name files that are there, after `--`",
            )
        if not path.resolve().is_relative_to(tree.root):
            raise UsageError(
                f"{word} is outside of {tree.root}",
                state="nothing was run",
                next_step="name files inside of it",
            )
        name = path.resolve().relative_to(tree.root).as_posix()
        inside = name + "/"
        names += [file for file in tree.files if file == name or file.startswith(inside)]
        names += tree.files if name == "." else []
    return names
