"""`.fairlead`: what is kept on this machine about a repository, out of git's sight."""

from pathlib import Path

FOLDER = ".fairlead"


def own_folder(root: Path, name: str) -> Path:
    """The folder `.fairlead/<name>` of a repository, made if need be, private to its user.

    `.fairlead` ignores itself, so that no repository has to. Raises OSError where nothing can
    be written.
    """
    top = root / FOLDER
    top.mkdir(mode=0o700, exist_ok=True)
    ignore = top / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", "utf-8")
    folder = top / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
