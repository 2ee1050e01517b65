"""What BuildKit gets to see: a copy of the files that git knows, the same from every clone.

A working copy has more than the commit: `.fairlead`, `.env`, what was built there before. Its files
have the times and the modes of whoever checked them out. And it is edited while images are built.
A copy settles all three. It is made of the working copy, not by `git archive`, which knows neither
submodules nor files that are not committed yet, and leaves out what is `export-ignore`.

Times: BuildKit brings a file that is newer than the commit down to the commit's time, and leaves
older ones (its docs/build-repro.md); so here none is older. A newer one keeps its own, for BuildKit
takes a file whose size and time are as before for unchanged.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fairlead.config.folder import FOLDER, own_folder
from fairlead.errors import PreconditionError
from fairlead.images.disk import on_disk
from fairlead.images.recipe import Buildable
from fairlead.model import Command
from fairlead.transport.local import run_local

TIMEOUT = 120.0
COPIES = "context"


@dataclass(frozen=True)
class Place:
    """Where the copy of a recipe's context and its Dockerfile are while it is built."""

    context: Path
    dockerfile: Path


def place(root: Path, one: Buildable) -> Place:
    """A Dockerfile outside the context lies beside the copy, with its own name's ignore file."""
    top = root / FOLDER / COPIES
    told = os.path.relpath(one.context, root.resolve())
    context = top / f"{one.context.name}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"
    if one.dockerfile.is_relative_to(one.context):
        return Place(context, context / one.dockerfile.relative_to(one.context))
    return Place(context, top / f"{one.name}.Dockerfile")


@contextmanager
def copied(root: Path, wanted: Iterable[Buildable], when: int) -> Iterator[None]:
    """The copies of these recipes' contexts are there while the block runs.

    when: the commit's time. Raises PreconditionError for a context that git does not know.
    """
    top = root / FOLDER / COPIES
    try:
        with on_disk("the build contexts cannot be copied", "nothing was built"):
            shutil.rmtree(own_folder(root, COPIES))  # of one that was killed
            for one in wanted:
                _copy_context(one, place(root, one), when)
            _settle_folders(top, when)
        yield
    finally:
        shutil.rmtree(top, ignore_errors=True)


def _copy_context(one: Buildable, to: Place, when: int) -> None:
    if not to.context.is_dir():
        to.context.mkdir(parents=True)
        for name in _known(one):
            _copy(one.context / name, to.context / name, when)
    for name in one.generated:
        for file in _below(one.context / name):
            _copy(file, to.context / file.relative_to(one.context), when)
    ignore = ".dockerignore"
    _copy(one.context / ignore, to.context / ignore, when)  # these three need not be git's
    for suffix in ("", ignore):
        _copy(
            one.dockerfile.with_name(one.dockerfile.name + suffix),
            to.dockerfile.with_name(to.dockerfile.name + suffix),
            when,
        )


def _known(one: Buildable) -> list[str]:
    """What is tracked in the context, submodules too, and what is neither that nor ignored.

    A new file called .env is nobody's wish in an image; one that is committed is.
    """
    tracked = _listed(one, "--cached", "--recurse-submodules")
    new = _listed(one, "--others", "--exclude-standard")
    found = tracked + [name for name in new if not PurePosixPath(name).name.startswith(".env")]
    if not found and not one.generated:
        raise PreconditionError(
            f"{one.name}: git knows no file of its build context {one.context}",
            state="nothing was built",
            next_step="commit them; or say which ignored ones are meant: "
            f'[build.services.{one.name}] generated = ["."]',
            docs="how-to/build-and-push.md#what-the-builder-sees",
        )
    return [name for name in found if FOLDER not in PurePosixPath(name).parts]


def _listed(one: Buildable, *which: str) -> list[str]:
    argv = ("git", "ls-files", "-z", *which)
    said = run_local(Command(argv, timeout=TIMEOUT), cwd=one.context, odd_bytes="surrogateescape")
    if not said.ok:
        raise PreconditionError(
            f"{one.name}: git does not tell what is in its build context {one.context}",
            why=said.err.strip().splitlines()[-3:],
            state="nothing was built",
            next_step="an image is made of what a commit holds; move the context into a repository",
            docs="how-to/build-and-push.md#what-the-builder-sees",
        )
    return [name for name in said.out.split("\0") if name]


def _below(path: Path) -> Iterator[Path]:
    if path.is_symlink() or not path.is_dir():
        yield path
        return
    for folder, folders, files in os.walk(path):
        folders[:] = [name for name in folders if name != FOLDER]
        links = [name for name in folders if Path(folder, name).is_symlink()]
        yield from (Path(folder, name) for name in (*files, *links))


def _copy(file: Path, to: Path, when: int) -> None:
    """A file or a link; a mode of which only "may be run" is left, as git keeps it."""
    if to.is_symlink() or to.exists() or not (file.is_symlink() or file.is_file()):
        return  # one that is tracked may have been deleted; a submodule need not be there
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, to, follow_symlinks=False)
    there = file.lstat()
    if not to.is_symlink():
        to.chmod(0o755 if there.st_mode & 0o100 else 0o644)
    moment = max(there.st_mtime_ns, when * 10**9)
    os.utime(to, ns=(moment, moment), follow_symlinks=False)


def _settle_folders(top: Path, when: int) -> None:
    for folder, _, _ in os.walk(top):
        Path(folder).chmod(0o755)
        os.utime(folder, (when, when))
