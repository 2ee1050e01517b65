"""What `secrets` of [build.services.*] stand for, so that no log shows it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from fairlead.config.building import Building
from fairlead.model import Secret

LONGEST = 1 << 16  # bytes of a file that are a secret; a longer one is data


def build_secrets(building: Building, environ: Mapping[str, str]) -> Iterator[Secret]:
    """The values that a build can read here now; one that is not there is left to BuildKit."""
    for recipe in building.build.services.values():
        for place in recipe.secrets.values():
            kind, _, where = place.partition(":")
            if kind == "env" and environ.get(where):
                yield Secret(environ[where])
            elif kind == "file" and (text := _content(secret_file(building, where))):
                yield Secret(text)


def secret_file(building: Building, where: str) -> Path:
    """The file that `file:WHERE` means, from the repository's root."""
    return building.root / Path(where).expanduser()


def _content(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(LONGEST).decode("utf-8", "replace").strip()
    except OSError:
        return ""
