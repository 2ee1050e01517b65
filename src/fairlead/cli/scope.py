"""From flags to hosts: the session of a task, narrowed by --hosts."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairlead.cli.run import Run
    from fairlead.config import Environment
    from fairlead.rollout.session import Session
    from fairlead.services.changed import Changes, Since
    from fairlead.services.comparison import Comparison
    from fairlead.services.declared import Declaration, RepositoryService

ALL, ALL_CHANGED = "all", "all-changed"


@contextmanager
def session(run: "Run") -> "Iterator[Session]":
    """The environment's hosts at hand, those of --hosts only."""
    from fairlead.rollout.session import open_session

    environment = narrowed(run.environment(), run.options.hosts)
    with open_session(environment, run.reporter.event, run.redact) as opened:
        yield opened


def narrowed(environment: "Environment", wanted: tuple[str, ...]) -> "Environment":
    """The environment with the hosts named, by name or role. Raises UsageError for an unknown."""
    from difflib import get_close_matches

    from fairlead.errors import UsageError

    if not wanted:
        return environment
    known = {host.name for host in environment.hosts}
    known |= {role for host in environment.hosts for role in host.roles}
    for name in wanted:
        if name not in known:
            near = get_close_matches(name, sorted(known), 1)
            meant = f" (did you mean `{near[0]}`?)" if near else ""
            raise UsageError(
                f"no host or role `{name}` in {environment.name}{meant}",
                why=[f"there are: {', '.join(sorted(known))}"],
                state="no host was contacted",
                next_step=f"--hosts={near[0] if near else '<one of these>'}",
            )
    chosen = tuple(host for host in environment.hosts if {host.name, *host.roles} & set(wanted))
    return replace(environment, hosts=chosen)


def tell_unmasked(run: "Run") -> None:
    """Warn before an application's own words: what has no value here cannot be masked in them."""
    from fairlead.events import Notice

    if missing := run.environment().missing:
        names = ", ".join(one.path for one in missing)
        text = f"no value on this machine, so not masked in what follows: {names}"
        run.reporter.event(Notice(text, "warning"))


def chosen_services(environment: "Environment", wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The services of --service. Raises UsageError for one that is not declared."""
    rolled_out = [name for name, one in environment.services.items() if one.rolled_out]
    return _known(wanted, sorted(rolled_out))


def repository_services(run: "Run") -> "tuple[RepositoryService, ...]":
    """What `lint`, `test`, `scan`, `build`, `push` are to work on, with its source here.

    Without --service, or with `all`, all of them; `all-changed` stands for those that differ from
    FAIRLEAD_BASE, or from what is live in --env. Raises UsageError for an unknown name, and in a
    repository that declares no services.
    """
    services = _declaration(run).services
    names, all_changed = _asked(run)
    chosen = set(_known(names, [one.name for one in services]))
    if all_changed:
        chosen |= differing(run, compare(run, base_of()))
    elif not names:
        return services
    return tuple(service for service in services if service.name in chosen)


def services_to_deploy(run: "Run", tag: str) -> tuple[str, ...] | None:
    """The services of --service that this environment deploys; () for all.

    `all-changed` stands for those whose source at `tag` differs from what is live, with those that
    run the same image, those of which nothing tells whether they do, and all that a host lacks
    which runs nothing yet; None when there is none.
    """
    from fairlead.events import Notice

    environment = run.environment()
    names, all_changed = _asked(run)
    named = chosen_services(environment, names)
    if not all_changed:
        return named
    from fairlead.services.deployed import same_image, undeclared

    images = {name: one.image for name, one in environment.services.items() if one.image}
    untold = undeclared(images, {one.name for one in _declaration(run).services})
    if untold:
        listed = ", ".join(sorted(untold))
        text = f"taken whether changed or not, since no source is declared for it: {listed}"
        run.reporter.event(Notice(text))
    changed = differing(run, compare(run, until=_commit_to_deploy(run, tag)))
    without_image = changed & (environment.services.keys() - images.keys())
    taken = same_image(images, changed) | without_image | untold | set(named)
    return tuple(sorted(taken)) or None


def _commit_to_deploy(run: "Run", tag: str) -> str:
    """The commit that a tag names; empty, which is told, when what is here stands for it."""
    from fairlead.events import Notice
    from fairlead.rollout.sources import named_commit

    commit = named_commit(run.environment().root, tag)
    if not commit:
        text = f"git knows no commit by the name {tag}; the files as they are here stand for it"
        run.reporter.event(Notice(text))
    return commit


def _asked(run: "Run") -> tuple[tuple[str, ...], bool]:
    """The names in --service, none for all of them; and whether `all-changed` is among them."""
    wanted = run.options.service
    if ALL in wanted:
        return (), False
    return tuple(one for one in wanted if one != ALL_CHANGED), ALL_CHANGED in wanted


def base_of(given: str | None = None) -> str | None:
    """The commit to compare with: --base, else FAIRLEAD_BASE; None for what is live."""
    return os.environ.get("FAIRLEAD_BASE") if given is None else given


def differing(run: "Run", comparison: "Comparison") -> set[str]:
    """The names of `changes`; it is told which changed files select nothing."""
    from fairlead.events import Notice

    found = changes(run, comparison)
    if found.left_out:
        run.reporter.event(Notice(found.left_out))
    return {one.name for one in found.services}


def compare(run: "Run", base: str | None = None, until: str = "") -> "Comparison":
    """What is here, or was at the commit `until`, beside `base`; for None, beside what is live.

    Git looks from now on, while the rest of the program is loaded and the services are read.
    """
    from fairlead.config.project import repository_root
    from fairlead.services.comparison import Comparison

    return Comparison(repository_root(run.cwd, os.environ), base, until)


def changes(run: "Run", comparison: "Comparison") -> "Changes":
    """The services that differ from what a comparison is with.

    An empty base is what CI gives for a branch that is new: everything differs from it.
    """
    from fairlead.services.changed import changed, compared_with

    declaration, base = _declaration(run), comparison.base
    services = declaration.services
    since = _since_live(run, services) if base is None else compared_with(services, base)
    return changed(declaration, since, comparison)


def _since_live(run: "Run", services: "tuple[RepositoryService, ...]") -> "Since":
    from fairlead.rollout.absent import absent
    from fairlead.rollout.sources import live_commits
    from fairlead.services.live import compared_with_live

    with session(run) as opened:
        environment = opened.environment
        observed = opened.fleet.observe()
    seen = live_commits(observed)
    rolled_out = [name for name, one in environment.services.items() if one.image]
    live = {name: seen[name] for name in rolled_out if name in seen}
    missing = absent(environment, observed)
    return compared_with_live(services, live, rolled_out, environment.name, missing)


def _declaration(run: "Run") -> "Declaration":
    from fairlead.errors import UsageError

    declaration = run.declaration()
    if declaration.services:
        return declaration
    raise UsageError(
        "this repository declares no services",
        why=["neither services.json nor a `path` under [services.<name>] in deploy/fairlead.toml"],
        state="nothing was run",
        next_step='write `path = "services/api"` under [services.api] in deploy/fairlead.toml',
    )


def _known(wanted: tuple[str, ...], names: "Sequence[str]") -> tuple[str, ...]:
    from difflib import get_close_matches

    from fairlead.errors import UsageError

    for name in wanted:
        if name not in names:
            near = get_close_matches(name, names, 1)
            meant = f" (did you mean `{near[0]}`?)" if near else ""
            raise UsageError(
                f"no service `{name}`{meant}",
                why=[f"there are: {', '.join(names)}"],
                state="no host was contacted",
                next_step=f"--service={near[0] if near else '<one of these>'}",
            )
    return wanted
