"""The registries images come from, with whom they know us as."""

from fairlead.config.connection import Registry as Settings
from fairlead.images.credentials import Credentials, docker_login
from fairlead.images.registry import Registry


def registry_for(settings: Settings, server: str) -> Registry:
    """A registry by its server: [registry]'s login and scheme for ours, Docker's login else."""
    ours = settings.server == server
    credentials = (
        Credentials(settings.username, settings.password)
        if ours and settings.username
        else docker_login(server)
    )
    return Registry(server, credentials, insecure=ours and settings.insecure)
