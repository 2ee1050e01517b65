"""`.fairlead`, as the checks know it."""

from pathlib import Path

from fairlead.config.folder import FOLDER, own_folder
from fairlead.errors import FairleadError

__all__ = ["FOLDER", "needed_folder", "own_folder"]


def needed_folder(root: Path, name: str) -> Path:
    """`own_folder`, where nothing can be done without. Raises FairleadError if there is none."""
    try:
        return own_folder(root, name)
    except OSError as error:
        raise FairleadError(
            f"{root / FOLDER / name} cannot be made: {error.strerror}",
            why=["reports and files that tools share are kept there"],
            state="nothing was run",
            next_step=f"see to it that {root / FOLDER} is a folder of yours, with space left",
        ) from error
