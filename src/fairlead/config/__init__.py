"""What a project declares: deploy/*.toml and .env files → frozen, validated values."""

from fairlead.config.backup import Backup, BackupData
from fairlead.config.environment import Environment
from fairlead.config.load import load
from fairlead.config.local import Repository, load_repository
from fairlead.config.names import validate_release_reference, validate_tag
from fairlead.config.project import environment_names, find_root
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
