"""Files of the project that a compose file mounts (`./redis.conf:/etc/redis.conf:ro`).

They travel with the release, to a folder on the host that is named by their content: what did not
change stays where it is, so a database whose configuration is the same is not re-created.
"""

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairlead.errors import Problem

Project = Mapping[str, Any]


@dataclass(frozen=True)
class ProjectFile:
    """A file or folder as the compose file names it, and the digest (hex, 16) of its content."""

    source: str
    path: Path
    digest: str

    @property
    def place(self) -> str:
        """Where it lies below the environment's folder on a host."""
        return f"files/{self.digest}/{self.path.name}"


def project_files(project: Project, folder: Path) -> tuple[dict[str, ProjectFile], list[Problem]]:
    """What the services mount from the project's own folder, by source; and what cannot travel."""
    found: dict[str, ProjectFile] = {}
    problems: list[Problem] = []
    for where, source, read_only in _mounted(project):
        path = (folder / source).resolve()
        if not read_only:
            message = (
                f"`{source}` would be written into a release's copy of it and lost with it; "
                "mount it read-only (:ro), or use a named volume or an absolute path of the host"
            )
            problems.append(Problem("compose file", where, message))
        elif not path.exists():
            problems.append(Problem("compose file", where, f"`{source}` does not exist"))
        else:
            found[source] = ProjectFile(source, path, _digest(path))
    return found, problems


def placed(project: Project, files: Mapping[str, ProjectFile], directory: str) -> dict[str, Any]:
    """The project with every such source replaced by its place on the host."""
    from copy import deepcopy

    copy: dict[str, Any] = deepcopy(dict(project))
    for body in copy["services"].values():
        for volume in body.get("volumes") or ():
            if volume.get("source") in files and volume.get("type") == "bind":
                volume["source"] = f"{directory}/{files[volume['source']].place}"
    for section in ("configs", "secrets"):
        for body in (copy.get(section) or {}).values():
            if body.get("file") in files:
                body["file"] = f"{directory}/{files[body['file']].place}"
    return copy


def add_to(archive: tarfile.TarFile, file: ProjectFile) -> None:
    """Put a file or folder into an archive, readable for containers, without owner or time."""
    for path in _tree(file.path):
        below = path.relative_to(file.path.parent)
        entry = tarfile.TarInfo(f"files/{file.digest}/{below}")
        if path.is_dir():
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
            continue
        content = path.read_bytes()
        entry.size = len(content)
        entry.mode = _mode(path)
        archive.addfile(entry, io.BytesIO(content))


def _mounted(project: Project) -> Iterator[tuple[str, str, bool]]:
    for name, body in sorted(project["services"].items()):
        for index, volume in enumerate(body.get("volumes") or ()):
            source = volume.get("source") or ""
            if volume.get("type") == "bind" and not source.startswith(("/", "~")):
                key = f"services.{name}.volumes[{index}]"
                yield key, source, bool(volume.get("read_only"))
    for section in ("configs", "secrets"):
        for name, body in (project.get(section) or {}).items():
            if body.get("file") and not str(body["file"]).startswith("/"):
                yield f"{section}.{name}.file", body["file"], True


def _tree(path: Path) -> Iterator[Path]:
    yield path
    if path.is_dir():
        for child in sorted(path.iterdir()):
            if not child.is_symlink():
                yield from _tree(child)


def _mode(path: Path) -> int:
    """Readable for any container's user, and executable where it is so here."""
    return 0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    for one in _tree(path):
        digest.update(f"{one.relative_to(path.parent)}\0{_mode(one):o}\0".encode())
        if one.is_file():
            digest.update(one.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
