"""`.fairlead`, as the checks know it."""

from fairlead.config.folder import FOLDER, own_folder

__all__ = ["FOLDER", "own_folder"]
