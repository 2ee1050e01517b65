"""inv push"""

import sys
from typing import TYPE_CHECKING

from fairlead.cli.run import Run
from fairlead.cli.verb import verb

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fairlead.config.building import Building
    from fairlead.images.deliver import Delivered
    from fairlead.images.exchange import Exchange
    from fairlead.images.push import Pushed
    from fairlead.images.recipe import Buildable
    from fairlead.images.record import Built
    from fairlead.model import Secret


@verb(
    help={
        "changed": "Only what differs from what is live in --env, or from FAIRLEAD_BASE",
        "username": "Account at the registry, instead of [registry] username",
        "password_stdin": "Read the registry's password from stdin",
        "force_tag": "Replace these tags although they are another image",
        "keep_pushed": "Where a tag of this very commit is there already, take what is there",
        "via_ssh": "Without a registry: straight to the hosts of --env, only the layers they lack",
    }
)
def push(
    run: Run,
    changed: bool = False,
    username: str = "",
    password_stdin: bool = False,
    force_tag: tuple[str, ...] = (),
    keep_pushed: bool = False,
    via_ssh: bool = False,
) -> None:
    """Push the images that `build` made of this commit, under its tags"""
    from fairlead.errors import UsageError
    from fairlead.images.alone import while_nobody_builds
    from fairlead.images.push import Sending, built_of, push_all
    from fairlead.images.tags import tags
    from fairlead.tasks.shared.images import chosen, opened

    if username and not password_stdin:
        raise UsageError(
            "--username needs a password",
            state="nothing was pushed",
            next_step="give it on stdin, with --password-stdin; or docker login",
        )
    if run.options.hosts and not via_ssh:
        raise UsageError(
            "push takes no --hosts: without --via-ssh it goes to a registry",
            state="nothing was pushed",
            next_step="repeat it without --hosts; or with --via-ssh, straight to these hosts",
        )
    if via_ssh and (force_tag or keep_pushed):
        flag = "--force-tag" if force_tag else "--keep-pushed"
        raise UsageError(
            f"push --via-ssh takes no {flag}: on a host a tag is the image that was sent last",
            state="nothing was pushed",
            next_step=f"repeat it without {flag}",
        )
    building, revision = opened(run)
    found = chosen(run, building, tags(revision.standing)[0], changed)
    recipes = _with_repository(run, found, changed)
    if not recipes:
        run.reporter.result({"outcome": "done", "images": []}, ["no image differs; nothing pushed"])
        return None
    if run.options.plan:
        return _plan(run, built_of(building, revision, recipes))
    with while_nobody_builds(building.root):
        wanted = built_of(building, revision, recipes)
        _tell_untried(run, wanted)
        if via_ssh:
            return _over_ssh(run, building, wanted)
        password = _given(run, wanted) if password_stdin else None
        sending = Sending(
            building.root,
            _connecting(building, username, password),
            run.reporter.event,
            frozenset(force_tag),
            building.tag_prefix,
            revision,
            keep_pushed,
        )
        return _report(run, push_all(sending, wanted))


def _with_repository(
    run: Run, recipes: "Sequence[Buildable]", changed: bool
) -> "Sequence[Buildable]":
    """Those that are pushed somewhere; it is told what is left out.

    One that --service names stays, to be refused; so does all of it when nothing else is left.
    """
    from fairlead.events import Notice

    named = set(run.options.service)
    kept = [one for one in recipes if one.image or named & set(one.services)]
    if not kept and not changed:
        return recipes
    if left := [one.name for one in recipes if one not in kept]:
        run.reporter.event(Notice(f"no repository, so not pushed: {', '.join(left)}"))
    return kept


def _tell_untried(run: Run, wanted: "Sequence[Built]") -> None:
    """What was not run, though nothing requires it; not what was left out on purpose."""
    from fairlead.events import Notice
    from fairlead.images.smoke import PASSED, SKIPPED

    for one in wanted:
        for kind, said in (("smoke", one.smoke), ("scan", one.scan)):
            if said not in (PASSED, SKIPPED):
                run.reporter.event(Notice(f"{one.name}: {kind} {said}", level="warning"))
        if one.untried:
            text = f"{one.name}: smoke passed on {', '.join(one.tried)}, not run on "
            run.reporter.event(Notice(text + ", ".join(one.untried), level="warning"))


def _plan(run: Run, wanted: "Sequence[Built]") -> None:
    rows = [(one.name, one.image, one.digest[:19], ", ".join(one.tags)) for one in wanted]
    run.reporter.table("", ("image", "repository", "digest", "tags"), rows)
    digests = {one.name: one.digest for one in wanted}
    run.reporter.result({"outcome": "planned", "digests": digests}, ["nothing was pushed"])


def _given(run: Run, wanted: "Sequence[Built]") -> "Secret":
    """The password on stdin, for the one registry of this push.

    Raises UsageError when there are several: each would be given it.
    """
    from fairlead.errors import UsageError
    from fairlead.images.reference import parse
    from fairlead.model import Secret

    servers = sorted({parse(one.image).server for one in wanted})
    if len(servers) > 1:
        raise UsageError(
            f"--password-stdin would be given to {len(servers)} registries: {', '.join(servers)}",
            state="nothing was pushed",
            next_step="name the services of one of them with --service, or use docker login",
        )

    password = Secret(sys.stdin.readline().rstrip("\n"))
    run.mask({}, password)
    return password


def _connecting(
    building: "Building", username: str, password: "Secret | None"
) -> "Callable[[str], Exchange]":
    from fairlead.images.exchange import Exchange
    from fairlead.images.login import login_for
    from fairlead.images.push import TIMEOUT

    settings = building.registry

    def connect(server: str) -> Exchange:
        plain = settings.insecure and server == settings.server
        credentials = login_for(server, settings, username, password)
        return Exchange(server, credentials, insecure=plain, timeout=TIMEOUT)

    return connect


def _report(run: Run, found: "list[Pushed]") -> None:
    from fairlead.tasks.shared.images import tell_errors

    rows = [_row(one) for one in found]
    columns = ("image", "result", "repository", "digest", "MB sent", "MB there", "retries")
    run.reporter.table("", columns, rows)
    tell_errors(run, (one.error for one in found))
    done = [one for one in found if one.ok]
    payload = {
        "outcome": "done" if len(done) == len(found) else "failed",
        "digests": {one.built.name: one.built.digest for one in done},
        "images": [
            {
                "name": one.built.name,
                "repository": one.built.image,
                "digest": one.built.digest,
                "tags": list(one.built.tags),
                "bytes_sent": one.sent.bytes if one.sent else 0,
                "bytes_there": one.sent.there if one.sent else 0,
                "retries": one.sent.retries if one.sent else 0,
                "kept": one.kept,
            }
            for one in done
        ],
    }
    tag = found[0].built.tags[0]
    summary = [f"pushed {len(done)} of {len(found)}; deploy them with: inv deploy --tag={tag}"]
    run.reporter.result(payload, summary, ok=len(done) == len(found))


def _row(one: "Pushed") -> tuple[object, ...]:
    sent = one.sent
    if one.kept:
        return (one.built.name, "kept", one.built.image, one.built.digest[:19], None, None, None)
    if sent is None:
        return (one.built.name, "failed", one.built.image, one.built.digest[:19], None, None, None)
    figures = f"{sent.bytes / 1e6:.1f}", f"{sent.there / 1e6:.1f}", sent.retries
    return (one.built.name, "pushed", one.built.image, one.built.digest[:19], *figures)


def _over_ssh(run: Run, building: "Building", wanted: "Sequence[Built]") -> None:
    from fairlead.cli.scope import narrowed
    from fairlead.errors import UsageError
    from fairlead.images.deliver import deliver, wanted_by
    from fairlead.rollout.session import ssh_transport

    environment = narrowed(run.environment(), run.options.hosts)
    images = wanted_by(environment, wanted)
    if not images:
        raise UsageError(
            f"none of these hosts runs {', '.join(one.name for one in wanted)}",
            state="nothing was sent",
            next_step="see roles of [services] and [hosts], --hosts and --service",
        )
    on = [host for host in environment.hosts if host.name in images]
    hosts = {host.name: ssh_transport(environment, host) for host in on}
    try:
        found = deliver(building.root, images, hosts, run.reporter.event)
    finally:
        for transport in hosts.values():
            transport.close()
    _report_hosts(run, wanted, found)


def _report_hosts(
    run: Run, wanted: "Sequence[Built]", found: "Mapping[str, Delivered | Exception]"
) -> None:
    from fairlead.tasks.shared.images import tell_errors

    done = {name: one for name, one in found.items() if not isinstance(one, Exception)}
    tell_errors(run, (one for one in found.values() if isinstance(one, Exception)))
    rows = [(name, f"{one.bytes / 1e6:.1f}", f"{one.seconds:.1f}") for name, one in done.items()]
    run.reporter.table("", ("host", "MB sent", "seconds"), rows)
    payload = {
        "outcome": "done" if len(done) == len(found) else "failed",
        "digests": {one.name: one.digest for one in wanted},
        "hosts": {name: {"bytes_sent": one.bytes} for name, one in done.items()},
    }
    summary = [f"{len(done)} of {len(found)} hosts have it; inv deploy --tag={wanted[0].tags[0]}"]
    run.reporter.result(payload, summary, ok=len(done) == len(found))
