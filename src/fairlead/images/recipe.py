"""What there is to build: one recipe an image, whichever services run it."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from fairlead.config.build import ImageSmoke, Recipe
from fairlead.config.building import Building
from fairlead.config.local import BASE
from fairlead.config.redaction import Redactor, says_secret
from fairlead.engines.compose import source
from fairlead.errors import ConfigError, Problem
from fairlead.images.reference import parse
from fairlead.model import Secret

DOCKERFILE = "Dockerfile"
READ = frozenset({"context", "dockerfile", "target", "args", "platforms"})
NEEDLESS = frozenset({"cache_from", "cache_to", "no_cache", "pull", "tags", "provenance", "sbom"})
"""Keys of a compose file's `build` that shape no image, or say what we say otherwise."""
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")  # looks random, and hides nothing


class SourceFolder(Protocol):
    """A service whose source is declared: its folder and Dockerfile, from the repository's root."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def dockerfile(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Buildable:
    """One image and how it is made.

    name: of the first service that runs it. image: its repository, empty when it is pushed
    nowhere. context, dockerfile: absolute. generated: in the context, though git ignores it.
    port, health: what the roll-out says of the service.
    """

    name: str
    services: tuple[str, ...]
    image: str
    context: Path
    dockerfile: Path
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    cross: bool = False
    generated: tuple[str, ...] = ()
    smoke: ImageSmoke = field(default_factory=ImageSmoke)
    port: int | None = None
    health: str = ""


def buildables(
    building: Building, sources: Iterable[SourceFolder], tag: str
) -> tuple[Buildable, ...]:
    """The images of a repository, by name: of declared sources and of the compose file's `build`.

    Where the compose file says how a service is built, that holds: a declared path is for what
    changed. [build.services.<name>] has the last word on each. tag: what `${TAG}` stands for in the
    compose file's build arguments. A source without a Dockerfile, such as a library, is no image.
    Raises ConfigError: a Dockerfile that is named and not there, an argument that looks like a
    secret, one image made in two ways.
    """
    found = _from_compose(building, tag)
    problems = []
    for one in sources:
        if one.name in found:
            continue
        if (
            one.dockerfile != DOCKERFILE
            and not (building.root / one.path / one.dockerfile).is_file()
        ):
            where = f"services.{one.name}.dockerfile"
            problems.append(Problem(BASE, where, f"no such file: {one.path}/{one.dockerfile}"))
        if (building.root / one.path / one.dockerfile).is_file():
            folder = building.root / one.path
            found[one.name] = Buildable(
                name=one.name,
                services=(one.name,),
                image="",
                context=folder,
                dockerfile=folder / one.dockerfile,
            )
    for name, recipe in building.build.services.items():
        if name not in found and (recipe.context or recipe.dockerfile):
            found[name] = Buildable(
                name=name, services=(name,), image="", context=building.root, dockerfile=Path()
            )
    whole = [_completed(building, one, found) for _, one in sorted(found.items())]
    known = Redactor(building.variables, extra=(building.registry.password,)).redact
    problems += [problem for one in whole for problem in _faults(building.root, one, known)]
    problems += _unknown(building.build.services, found)
    grouped = _grouped(whole, problems)
    if problems:
        raise ConfigError(problems, state="nothing was built")
    return grouped


def _from_compose(building: Building, tag: str) -> dict[str, Buildable]:
    file = building.compose_file
    if not file.is_file():
        return {}
    variables = {**building.variables, "TAG": Secret(tag), "FAIRLEAD_VERSION": Secret(tag)}
    seen = source.survey(file, variables)
    found = {}
    for name, body in seen.project.get("services", {}).items():
        if not body.get("build"):
            continue
        unset = set(seen.unset) & seen.declared.image_variables.get(name, set())
        if unset:
            listed = ", ".join(sorted(unset))
            message = f"refers to {listed}, which .env does not set; or write ${{NAME:-default}}"
            path = f"services.{name}.build"
            raise ConfigError([Problem(file.name, path, message)], state="nothing was built")
        _refuse_unread(building, file, name, body["build"])
        found[name] = _composed(name, body, file.parent)
    return found


def _refuse_unread(building: Building, file: Path, name: str, build: Mapping[str, Any]) -> None:
    """Raise ConfigError for keys of `build` that would be missing in the image."""
    recipe = building.build.services.get(name)
    here = {"secrets"} if recipe and recipe.secrets else set()
    unread = {key for key in build if not key.startswith("x-")} - READ - NEEDLESS - here
    instead = {"secrets": f"; [build.services.{name}] secrets says where each is"}
    problems = [
        Problem(
            file.name,
            f"services.{name}.build.{key}",
            f"is not taken into account by fairlead{instead.get(key, '')}",
        )
        for key in sorted(unread)
    ]
    if problems:
        raise ConfigError(problems, state="nothing was built")


def _composed(name: str, body: Mapping[str, Any], folder: Path) -> Buildable:
    build = body["build"]
    context = (folder / str(build.get("context", "."))).resolve()
    image = str(body.get("image") or "")
    args = build.get("args") or {}
    return Buildable(
        name=name,
        services=(name,),
        image=parse(image).name if "/" in image else "",
        context=context,
        dockerfile=context / str(build.get("dockerfile") or DOCKERFILE),
        target=str(build.get("target") or ""),
        args={key: str(value).replace("$$", "$") for key, value in args.items()},
        platforms=tuple(build.get("platforms") or ()),
    )


def _completed(building: Building, one: Buildable, found: Mapping[str, Buildable]) -> Buildable:
    """With what [services.<name>] and [build.services.<name>] say of it.

    A recipe of one service is the recipe of its image, so it is also that of the others which
    run it and have none of their own.
    """
    recipes = building.build.services
    same = [other for other in found if _image(building, found[other]) == _image(building, one)]
    named = building.services.get(one.name)
    recipe = recipes.get(one.name) or next(
        (recipes[other] for other in same if other in recipes and _image(building, one)),
        Recipe(name=one.name),
    )
    context = building.root / recipe.context if recipe.context else one.context
    return replace(
        one,
        image=_image(building, one),
        context=context,
        dockerfile=_dockerfile(one, recipe, context),
        target=recipe.target or one.target,
        args={**one.args, **recipe.args},
        secrets=recipe.secrets,
        platforms=recipe.platforms or one.platforms or building.build.platforms,
        cross=recipe.cross,
        generated=recipe.generated,
        smoke=recipe.smoke,
        port=recipe.smoke.port or (named.port if named else None),
        health=recipe.smoke.path or (named.health.path if named and named.health else ""),
    )


def _image(building: Building, one: Buildable) -> str:
    """The repository of its image: [build.services.<name>], [services.<name>], the compose file."""
    recipe = building.build.services.get(one.name)
    named = building.services.get(one.name)
    return (recipe.image if recipe else "") or (named.image if named else "") or one.image


def _dockerfile(one: Buildable, recipe: Recipe, context: Path) -> Path:
    if recipe.dockerfile:
        return context / recipe.dockerfile
    if recipe.context or one.dockerfile == Path():
        return context / DOCKERFILE
    return one.dockerfile


def _faults(root: Path, one: Buildable, redact: Callable[[str], str]) -> list[Problem]:
    path = f"build.services.{one.name}"
    problems = []
    if not one.dockerfile.is_file():
        where = one.dockerfile
        shown = where.relative_to(root) if where.is_relative_to(root) else where
        problems.append(Problem(BASE, f"{path}.dockerfile", f"no such file: {shown}"))
    problems += [
        Problem(
            BASE,
            f"{path}.args.{name}",
            "looks like a secret, and build arguments stay readable in the image's history; "
            f'write it as a secret, {name.lower()} = "env:{name}" under {path}.secrets, and mount '
            f"it: RUN --mount=type=secret,id={name.lower()}",
        )
        for name, value in one.args.items()
        if says_secret(name) or redact(plain := _DIGEST.sub("", value)) != plain
    ]
    return problems


def _unknown(recipes: Iterable[str], found: Mapping[str, Buildable]) -> list[Problem]:
    known = ", ".join(sorted(found)) or "none"
    return [
        Problem(BASE, f"build.services.{name}", f"names nothing that is built; there are: {known}")
        for name in recipes
        if name not in found
    ]


def _grouped(whole: Iterable[Buildable], problems: list[Problem]) -> tuple[Buildable, ...]:
    """One for each image. Services of one image are built once, so they must agree on how."""
    images: dict[str, Buildable] = {}
    for one in whole:
        key = one.image or one.name
        first = images.setdefault(key, one)
        if first is one:
            continue
        if _way(first) != _way(one):
            message = f"makes {one.image} in another way than {first.name}; give it another image"
            problems.append(Problem(BASE, f"services.{one.name}.image", message))
        images[key] = replace(first, services=(*first.services, *one.services))
    return tuple(images.values())


def _way(one: Buildable) -> tuple[object, ...]:
    return one.context, one.dockerfile, one.target, dict(one.args)
