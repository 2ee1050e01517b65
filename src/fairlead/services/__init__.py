"""A repository of many services: which there are, and which of them a change reaches."""

from fairlead.services.changed import Changed, Changes, changed, compared_with
from fairlead.services.declared import (
    Declaration,
    RepositoryService,
    declared,
    read_declaration,
)
from fairlead.services.live import compared_with_live

__all__ = [
    "Changed",
    "Changes",
    "Declaration",
    "RepositoryService",
    "changed",
    "compared_with",
    "compared_with_live",
    "declared",
    "read_declaration",
]
