"""The packaged artifact, for systems without images: pinned requirements and a tar.gz of a commit.

Its bytes depend on the commit alone: files as git has them, sorted, dated by the commit, owned by
nobody, and a gzip header without a time.
"""

import gzip
import hashlib
import io
import os
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from fairlead.config.build import Artifact
from fairlead.config.folder import own_folder
from fairlead.config.source import tree_regex
from fairlead.errors import PreconditionError
from fairlead.images.disk import on_disk
from fairlead.images.revision import Revision
from fairlead.model import Command
from fairlead.transport.local import run_local

VERSION = "VERSION"
REQUIREMENTS = "requirements.txt"
TIMEOUT = 120.0
LOCKS = {
    "uv.lock": ("uv", "export", "--frozen", "--no-dev", "--no-emit-project", "--quiet"),
    "poetry.lock": ("poetry", "export", "--format=requirements.txt"),
    "pdm.lock": ("pdm", "export", "--prod", "--format=requirements"),
}
"""Lock file → what exports it as pinned requirements."""
_PINNED = re.compile(
    r"[A-Za-z0-9._-]+\s*(\[[^\]]*\])?\s*(===?\s*[^\s*,;]+|@\s*\S+)\s*(;.*|--hash.*|$)"
)
_OPTION = re.compile(
    r"(-i|-f|--(index-url|extra-index-url|find-links|no-index|trusted-host|prefer-binary"
    r"|only-binary|no-binary|require-hashes))\b"
)
"""Options that install nothing themselves, as `-e folder` and `-r file` do."""


@dataclass(frozen=True)
class Made:
    """The artifact: its file, the sum beside it, sha256 (hex), files in it, requirements pinned."""

    file: Path
    sum_file: Path
    sha256: str
    files: int
    requirements: int


def make(root: Path, app: str, revision: Revision, settings: Artifact) -> Made:
    """Write `.fairlead/artifacts/<app>-<version>.tar.gz` and its `.sha256`.

    Raises PreconditionError: uncommitted changes, or requirements that are not pinned.
    """
    if revision.standing.dirty:
        raise PreconditionError(
            "there are uncommitted changes, and an artifact is what a commit holds",
            state="nothing was written",
            next_step="git commit, or git stash",
        )
    files = _committed(root)
    version = _version(files, revision.commit)
    pins = _requirements(root, files, settings)
    kept = {name: entry for name, entry in files.items() if not _excluded(name, settings.exclude)}
    kept[VERSION] = (f"{version}\n".encode(), 0o644)
    kept[REQUIREMENTS] = (pins.encode(), 0o644)
    name = f"{app}-{version}"
    content = _packed(name, kept, revision.when)
    total = hashlib.sha256(content).hexdigest()
    with on_disk("the artifact cannot be written", "what was there is as it was"):
        file = own_folder(root, "artifacts") / f"{name}.tar.gz"
        sum_file = file.with_name(file.name + ".sha256")
        _write(file, content)
        _write(sum_file, f"{total}  {file.name}\n".encode())
    return Made(file, sum_file, total, len(kept), len(_lines(pins)))


def _write(file: Path, content: bytes) -> None:
    """Beside, then renamed into place: nobody sees half of it."""
    beside = file.with_name(f".{file.name}.new")
    beside.write_bytes(content)
    os.replace(beside, file)


Files = dict[str, tuple[bytes, int]]
"""Path in the repository → content (of a link: where it leads) and mode; a link's is 0."""


def _committed(root: Path) -> Files:
    """The files of the commit, as `git archive` gives them (export-ignore is honoured)."""
    with TemporaryDirectory(prefix="fairlead-") as folder:
        file = Path(folder, "tree.tar")
        argv = ("git", "archive", "--format=tar", f"--output={file}", "HEAD")
        said = run_local(Command(argv, timeout=TIMEOUT), cwd=root)
        if not said.ok:
            raise PreconditionError(
                "git archive failed",
                why=said.err.splitlines()[-3:],
                state="nothing was written",
                next_step="git status; then inv build --artifact again",
            )
        found: Files = {}
        with tarfile.open(file) as archive:
            for entry in archive:
                if entry.issym():
                    found[entry.name] = (entry.linkname.encode(), 0)
                elif entry.isfile() and (content := archive.extractfile(entry)):
                    found[entry.name] = (content.read(), 0o755 if entry.mode & 0o100 else 0o644)
    return found


def _version(files: Files, commit: str) -> str:
    """What the file VERSION says; without one, a number that says which commit it is."""
    said = files.get(VERSION, (b"", 0))[0].decode("utf-8", "replace").strip()
    return said if re.fullmatch(r"[A-Za-z0-9][\w.+-]*", said) else f"0.0.0+g{commit[:12]}"


def _excluded(name: str, patterns: tuple[str, ...]) -> bool:
    return any(re.fullmatch(tree_regex(pattern), name) for pattern in patterns)


def _requirements(root: Path, files: Files, settings: Artifact) -> str:
    """The pinned requirements: of the file named, of a lock file, of requirements.txt."""
    lock = next((name for name in LOCKS if name in files), "")
    if settings.requirements is None and lock:
        text, source = _exported(root, lock), lock
    else:
        source = settings.requirements or REQUIREMENTS
        if source not in files:
            raise _unpinned(f"the commit has no {source}, and no lock file that can be read here")
        text = files[source][0].decode("utf-8", "replace")
    loose = [line for line in _lines(text) if not _OPTION.match(line) and not _is_pinned(line)]
    if loose:
        raise _unpinned(f"{source} does not pin {', '.join(loose[:5])}")
    return text if text.endswith("\n") else text + "\n"


def _exported(root: Path, lock: str) -> str:
    if not which(LOCKS[lock][0]):
        raise PreconditionError(
            f"{lock} says what is pinned, and {LOCKS[lock][0]}, which reads it, is not installed",
            state="nothing was written",
            next_step=f"install {LOCKS[lock][0]}, or name a file of pins: "
            "[build.artifact] requirements",
            docs="how-to/build-and-push.md#the-packaged-artifact",
        )
    said = run_local(Command(LOCKS[lock], timeout=TIMEOUT), cwd=root)
    if not said.ok:
        raise PreconditionError(
            f"{LOCKS[lock][0]} cannot export {lock}",
            why=said.err.strip().splitlines()[-5:],
            state="nothing was written",
            next_step=f"{' '.join(LOCKS[lock])} shows it; fix {lock}, then inv build --artifact",
        )
    return said.out


def _lines(text: str) -> list[str]:
    """Requirements, one each, without comments; an option such as --index-url is one too."""
    joined = re.sub(r"\\\n", " ", text)
    stripped = (re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines())
    return [line for line in stripped if line]


def _is_pinned(line: str) -> bool:
    return bool(_PINNED.match(line))


def _unpinned(what: str) -> PreconditionError:
    return PreconditionError(
        what,
        state="nothing was written",
        next_step="pin them: pip-compile, or uv pip compile pyproject.toml -o requirements.txt; "
        "[build.artifact] requirements names another file",
        docs="how-to/build-and-push.md#the-packaged-artifact",
    )


def _packed(top: str, files: Files, when: int) -> bytes:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, (content, mode) in sorted(files.items()):
            entry = tarfile.TarInfo(f"{top}/{name}")
            entry.mtime = when
            entry.mode = mode or 0o777
            if mode == 0:
                entry.type, entry.linkname = tarfile.SYMTYPE, content.decode()
                archive.addfile(entry)
            else:
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(tar.getvalue(), 9, mtime=0)
