"""inv services.…"""

from typing import TYPE_CHECKING

from fairlead.cli.run import Run
from fairlead.cli.verb import verb

if TYPE_CHECKING:
    from fairlead.services.changed import Changes
    from fairlead.services.declared import RepositoryService

BASE = "Compare with this commit, or with where this branch left another; no host is asked"


@verb(refuses={"hosts": "it asks no host"}, name="list", mutates=False)
def list_(run: Run) -> None:
    """List the services of this repository: folder, language, what each is built from"""
    from fairlead.cli.scope import repository_services

    services = repository_services(run)
    rows = [(one.name, one.path, one.language, ", ".join(one.depends_on)) for one in services]
    run.reporter.table("", ("service", "path", "language", "depends on"), rows)
    run.reporter.result({"outcome": "done", "services": [one.listed() for one in services]})


@verb(
    mutates=False,
    help={"base": BASE, "why": "Show for each service what changed, and how that reaches it"},
)
def changed(run: Run, base: str | None = None, why: bool = False) -> None:
    """Show which services differ from what is live in --env, or from --base"""
    from dataclasses import replace

    from fairlead.cli.scope import base_of, changes, compare

    comparison = compare(run, base_of(base))
    names = {one.name for one in _asked(run)}
    found = changes(run, comparison)
    found = replace(found, services=tuple(one for one in found.services if one.name in names))
    if why:
        rows = [(one.name, cause) for one in found.services for cause in one.why]
    else:
        rows = [(one.name, one.reason) for one in found.services]
    if rows:
        run.reporter.table("", ("service", "why" if why else "reason"), rows)
    run.reporter.result(_told(found), _summary(found))


@verb(mutates=False, help={"base": BASE, "all": "Every service, changed or not"})
def matrix(run: Run, base: str | None = None, all: bool = False) -> None:
    """Print the services that changed as the matrix of a CI job, and nothing else"""
    from json import dumps

    from fairlead.cli.scope import ALL_CHANGED, base_of, compare, differing

    only_changed = not all or ALL_CHANGED in run.options.service
    comparison = compare(run, base_of(base)) if only_changed else None
    services = _asked(run)
    if comparison:
        names = differing(run, comparison)
        services = tuple(one for one in services if one.name in names)
    include = {"include": [service.listed() for service in services]}
    if not run.options.json:
        run.reporter.text([dumps(include)])
    run.reporter.result({"outcome": "done", "matrix": include, "any": bool(services)})


def _asked(run: Run) -> "tuple[RepositoryService, ...]":
    """The services of --service; all, for `all-changed`: what changed is told by --base here.

    Raises UsageError for an unknown one.
    """
    from fairlead.cli.scope import ALL_CHANGED, repository_services

    if ALL_CHANGED in run.options.service:
        return run.declaration().services
    return repository_services(run)


def _told(found: "Changes") -> dict[str, object]:
    services = [{"name": one.name, "reason": one.reason, "why": one.why} for one in found.services]
    outcome = "changed" if services else "unchanged"
    return {"outcome": outcome, "services": services, "unowned": found.unowned}


def _summary(found: "Changes") -> list[str]:
    none = [] if found.services else ["no service changed"]
    return [*none, *filter(None, [found.left_out])]
