"""What of a service's image lies outside its folder: its Dockerfile, its build context."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from fairlead.config import Repository
from fairlead.services.composed import built_services, compose_file

if TYPE_CHECKING:
    from fairlead.services.declared import RepositoryService

DOCKERFILE = "Dockerfile"
Place = tuple[str, str]  # context and Dockerfile, from the repository's root


def outside(
    repository: Repository, services: "Sequence[RepositoryService]"
) -> Mapping[str, tuple[str, ...]]:
    """Service → paths that its image is made from besides its folder, each a file or a folder.

    A build context is all that the image may see, so all of it counts; not the repository as a
    whole, for then every file would be every service's: of that the Dockerfile counts alone.
    """
    composed = _composed(repository, services)
    elsewhere = {*composed, *repository.build.services}
    return {
        service.name: tuple(_paths(*_place(repository, service, composed)))
        for service in services
        if service.name in elsewhere
    }


def _composed(
    repository: Repository, services: "Sequence[RepositoryService]"
) -> Mapping[str, Place]:
    """Where the compose file builds them."""
    path = compose_file(repository.root)
    try:
        text = (repository.root / path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return {}
    built = built_services(text) if "build" in text else {}
    folder = os.path.dirname(path)
    return {
        one.name: _of_compose(built[one.name]["build"], folder)
        for one in services
        if one.name in built
    }


def _of_compose(build: object, folder: str) -> Place:
    """What holds a variable may be anything; so it is taken for the whole repository."""
    body = build if isinstance(build, dict) else {"context": build}
    context, dockerfile = str(body.get("context", ".")), str(body.get("dockerfile") or DOCKERFILE)
    return "." if "$" in context else _joined(folder, context), dockerfile


def _place(
    repository: Repository, service: "RepositoryService", composed: Mapping[str, Place]
) -> Place:
    """As `build` finds it: the compose file's `build`, else the folder's own Dockerfile, else the
    whole repository; [build.services.<name>] has the last word."""
    context, dockerfile = composed.get(service.name, (".", DOCKERFILE))
    if service.name not in composed and _has_own(repository, service):
        context, dockerfile = service.path, service.dockerfile
    recipe = repository.build.services.get(service.name)
    if recipe and recipe.context:
        context, dockerfile = recipe.context, DOCKERFILE
    if recipe and recipe.dockerfile:
        dockerfile = recipe.dockerfile
    return context, _joined(context, dockerfile)


def _has_own(repository: Repository, service: "RepositoryService") -> bool:
    return os.path.isfile(os.path.join(repository.root, service.path, service.dockerfile))


def _paths(context: str, dockerfile: str) -> Iterator[str]:
    """A .dockerignore says what of a context is seen, so it belongs to it."""
    yield from (dockerfile, f"{dockerfile}.dockerignore")
    yield ".dockerignore" if context == "." else context


def _joined(folder: str, path: str) -> str:
    return os.path.normpath(os.path.join(folder, path))
