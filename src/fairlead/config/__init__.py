"""What a project declares: deploy/*.toml and .env files → frozen, validated values.

A name is imported when it is first asked for: a command pays for what it reads, and for no more.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairlead.config.backup import Backup, BackupData
    from fairlead.config.environment import Environment
    from fairlead.config.local import Repository, load_repository
    from fairlead.config.names import validate_release_reference, validate_tag
    from fairlead.config.project import environment_names, find_root
    from fairlead.config.reading import load
    from fairlead.config.redaction import Redactor
    from fairlead.config.service import Health, Service
    from fairlead.config.smoke_check import SmokeCheck
    from fairlead.config.source import Source

__all__ = [
    "Backup",
    "BackupData",
    "Environment",
    "Health",
    "Redactor",
    "Repository",
    "Service",
    "SmokeCheck",
    "Source",
    "environment_names",
    "find_root",
    "load",
    "load_repository",
    "validate_release_reference",
    "validate_tag",
]
_MODULES = {
    "backup": ("Backup", "BackupData"),
    "environment": ("Environment",),
    "local": ("Repository", "load_repository"),
    "names": ("validate_release_reference", "validate_tag"),
    "project": ("environment_names", "find_root"),
    "reading": ("load",),
    "redaction": ("Redactor",),
    "service": ("Health", "Service"),
    "smoke_check": ("SmokeCheck",),
    "source": ("Source",),
}


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            value: object = getattr(import_module(f"{__name__}.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
