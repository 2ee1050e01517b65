"""The registries images come from, with whom they know us as."""

from fairlead.config.connection import Registry as Settings
from fairlead.images.login import login_for
from fairlead.images.registry import Registry


def registry_for(settings: Settings, server: str) -> Registry:
    """A registry by its server, asked with the login that a push has, and [registry]'s scheme."""
    insecure = settings.server == server and settings.insecure
    return Registry(server, login_for(server, settings), insecure=insecure)
