"""What makes a fresh server ready: calls of the functions in setup.sh, as argv. All need root."""

from fairlead.model import Command


def docker(compose: str, repository: str) -> Command:
    """Docker, and a Compose at least as new as that version, installed where they are missing.

    repository: where Docker's own packages are, for a distribution whose packages are too old.
    """
    return Command(("fl_setup_docker", compose, repository), timeout=1200)


def service() -> Command:
    return Command(("fl_setup_service",))


def user(name: str) -> Command:
    return Command(("fl_setup_user", name))


def key(user: str, key: str, name: str) -> Command:
    """The public key `key` may log in as `user`; `name` is how people are told of it."""
    return Command(("fl_setup_key", user, key, name))


def directory(path: str, user: str, mode: str) -> Command:
    return Command(("fl_setup_directory", path, user, mode))


def proof(user: str) -> Command:
    return Command(("fl_setup_proof", user))
