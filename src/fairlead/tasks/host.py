"""inv host.…"""

from typing import TYPE_CHECKING

from fairlead.cli.run import Run
from fairlead.cli.verb import verb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fairlead.config import Environment
    from fairlead.rollout.host_setup import Outcome


@verb(
    refuses={"service": "it is about hosts; --hosts names some"},
    help={
        "user": "Log in as this user: root, or one who may use sudo without a password",
        "key_file": "The public key that may log in for deploys (default: that of [ssh] key, "
        "else ~/.ssh/id_ed25519.pub)",
        "docker_repository": "URL of Docker's own apt repository, where the distribution's "
        "packages are too old (see docs.docker.com/engine/install)",
    },
)
def setup(run: Run, user: str = "root", key_file: str = "", docker_repository: str = "") -> None:
    """Make fresh Debian or Ubuntu servers ready: Docker, Compose, a user, a key, directories

    Looks first, changes only what is not right yet, and shows which was which; repeat it freely.
    Touches neither sshd nor a firewall nor Docker's daemon.json. Anyone in the docker group can
    become root on that host: keep the key as you would keep root's.

    Example: `inv host.setup --env=staging --user=root`
    """
    from fairlead.cli.scope import narrowed
    from fairlead.rollout import host_setup

    environment = narrowed(run.environment(), run.options.hosts)
    key = host_setup.public_key(environment, key_file)
    steps = host_setup.plan(environment, key, docker_repository)
    if run.options.plan:
        run.reporter.plan(steps, _header(environment, user), verbose=run.options.verbose)
        return
    names = ", ".join(host.name for host in environment.hosts)
    run.confirm(f"Set up {names}, as {user}, for deploys of {environment.key}?")
    _tell(run, environment, host_setup.set_up(environment, user, steps, run.reporter.event))


def _header(environment: "Environment", user: str) -> dict[str, str]:
    users = dict.fromkeys(host.user for host in environment.hosts)
    return {"log in as": user, "user for deploys": ", ".join(users)}


def _tell(run: Run, environment: "Environment", outcomes: "Mapping[str, Outcome]") -> None:
    """What was changed on each host and what was right; what failed; the next command."""
    from fairlead.rollout.host_setup import one_error

    rows = [
        (name, "changed" if deed.changed else "was right", deed.what)
        for name, outcome in outcomes.items()
        for deed in outcome.deeds
    ]
    if rows:
        run.reporter.table(f"Hosts of {environment.name}", ("host", "outcome", "what"), rows)
    changed = {
        name: sum(deed.changed for deed in outcome.deeds) for name, outcome in outcomes.items()
    }
    if error := one_error(outcomes):
        run.reporter.error(error)
        run.reporter.result({"outcome": "failed", "changed": changed}, ok=False)
        return
    many = f"{len(outcomes)} host{'s' * (len(outcomes) != 1)} ready"
    made = f"{sum(changed.values())} changes made" if any(changed.values()) else "nothing to change"
    kind = "changed" if any(changed.values()) else "unchanged"
    lines = [f"{many}, {made}", f"next: inv doctor --env={environment.name}"]
    run.reporter.result({"outcome": kind, "changed": changed}, lines)


@verb(refuses={"service": "it is about hosts; --hosts names some"}, mutates=False)
def check(run: Run) -> None:
    """Look at disks, memory, load and containers of the hosts; exit code 1 if something is wrong

    Example: `inv host.check --env=production`
    """
    from fairlead.cli.scope import session
    from fairlead.rollout import host_check

    with session(run) as opened:
        if run.options.plan:
            run.reporter.plan(host_check.plan(opened), {}, verbose=run.options.verbose)
            return
        found = host_check.look(opened)
    rows, notes = host_check.describe(found)
    run.reporter.table(f"Hosts of {opened.environment.name}", host_check.COLUMNS, rows, notes)
    for error in host_check.errors(found):
        run.reporter.error(error)
    ill = host_check.faults(found)
    payload = {"outcome": "unhealthy" if ill else "healthy", "faults": ill, "hosts": list(found)}
    text = f"{len(ill)} thing{'s' * (len(ill) != 1)} to look after" if ill else "all is well"
    run.reporter.result(payload, [text, *ill], ok=not ill)
