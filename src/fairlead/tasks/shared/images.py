"""What `build` and `push` begin with: the configuration, the commit, the images meant."""

import os
from typing import TYPE_CHECKING

from fairlead.cli.run import Run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fairlead.config.building import Building
    from fairlead.images.recipe import Buildable
    from fairlead.images.revision import Revision


def opened(run: Run) -> "tuple[Building, Revision]":
    """The project's [build], its secrets masked from now on, and the commit it is at."""
    from fairlead.config import find_root
    from fairlead.config.building import load_building
    from fairlead.images.build_secrets import build_secrets
    from fairlead.images.revision import read_revision
    from fairlead.model import Secret

    building = load_building(find_root(run.cwd), run.options.env, os.environ)
    run.mask(building.variables, building.registry.password, *build_secrets(building, os.environ))
    for recipe in building.build.services.values():
        run.mask({key: Secret(value) for key, value in recipe.smoke.variables.items()})
    main, prefix = building.build.main_branch, building.tag_prefix
    return building, read_revision(building.root, main, os.environ, prefix)


def chosen(run: Run, building: "Building", tag: str, changed: bool) -> "tuple[Buildable, ...]":
    """The images of --service, of what changed, or all. Raises UsageError for an unknown one.

    Of what only the compose file builds nobody can tell whether it changed: it is always taken.
    """
    from difflib import get_close_matches

    from fairlead.cli.scope import ALL, ALL_CHANGED
    from fairlead.errors import UsageError
    from fairlead.images.recipe import buildables

    found = buildables(building, run.declaration().services, tag)
    if not found:
        raise UsageError(
            "there is nothing to build here",
            why=["no service of the compose file has `build`, and no declared one a Dockerfile"],
            state="nothing was built",
            next_step="docs/how-to/build-and-push.md",
        )
    if ALL in run.options.service:
        return found
    wanted = {name for name in run.options.service if name != ALL_CHANGED}
    known = {name for one in found for name in one.services}
    for name in sorted(wanted - known):
        near = get_close_matches(name, sorted(known), 1)
        meant = f" (did you mean `{near[0]}`?)" if near else ""
        raise UsageError(
            f"no image is built for a service `{name}`{meant}",
            why=[f"there are: {', '.join(sorted(known))}"],
            state="nothing was built",
            next_step="--service=<one of these>",
        )
    if changed or ALL_CHANGED in run.options.service:
        wanted |= _differing(run, known)
    elif not run.options.service:
        wanted = known
    return tuple(one for one in found if wanted & set(one.services))


def _differing(run: Run, built: "set[str]") -> "set[str]":
    """The services that changed, and those of which nothing tells; it is said what is left out."""
    from fairlead.cli.scope import base_of, compare, differing
    from fairlead.events import Notice

    known = {one.name for one in run.declaration().services}
    changed, undeclared = differing(run, compare(run, base_of())) & known, built - known
    for names, text in (
        (changed - built, "changed, but no image is built for it (no Dockerfile): {}"),
        (undeclared, "taken whether changed or not, since no source is declared for it: {}"),
    ):
        if names:
            run.reporter.event(Notice(text.format(", ".join(sorted(names)))))
    return changed | undeclared


def tell_errors(run: Run, errors: "Iterable[Exception | None]") -> None:
    """Tell every error; what nobody expected is raised after them, so that it hides none."""
    from fairlead.errors import FairleadError

    unexpected = []
    for error in errors:
        if isinstance(error, FairleadError):
            run.reporter.error(error)
        elif error:
            unexpected.append(error)
    for error in unexpected:
        raise error
