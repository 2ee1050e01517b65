"""Gates before a roll-out: what must be on record about the commit an image was built from."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from fairlead.config import Environment
from fairlead.config.gates import sentence
from fairlead.config.local import checks_hash
from fairlead.errors import GateRefused, UsageError
from fairlead.images.reference import parse
from fairlead.model import REVISION, Image
from fairlead.rollout.registries import registry_for

if TYPE_CHECKING:
    from fairlead.checks.gates import Closed


def check_bypass(reason: str) -> None:
    """Raise UsageError unless the reason for going past the gates is one in words."""
    try:
        sentence(reason)
    except ValueError as error:
        raise UsageError(
            f"--bypass-gates {error}: it is kept on record",
            state="nothing was changed",
            next_step='--bypass-gates="payments are down, fix was tested by hand (Ada)"',
        ) from None


def check_gates(environment: Environment, images: Mapping[str, Image], bypass: str = "") -> str:
    """Hold the images against the gates of the environment: what a person should be told of it.

    images: those that would be deployed, by service; only our own are judged. bypass: the reason
    for which closed gates are passed all the same. Raises GateRefused naming every closed gate
    with the command that satisfies it, PreconditionError when an image cannot be asked.
    """
    if not environment.gates.require:
        return ""
    from fairlead.checks.gates import shortest

    ours = {s: i for s, i in images.items() if environment.service(s).image}
    shut = list(_closed(environment, ours))
    if shut and not bypass:
        raise GateRefused(
            f"{environment.name} demands gates that are not open: "
            + ", ".join(dict.fromkeys(one.gate for one in shut)),
            why=[f"{one.gate}: {one.why}; satisfy it: {_typed(one.commands)}" for one in shut],
            state="nothing was changed",
            next_step="run "
            + _typed(shortest(command for one in shut for command in one.commands))
            + ' on that commit; in an emergency --bypass-gates="reason", which is audited',
        )
    if shut:
        return f"gates bypassed ({', '.join(one.gate for one in shut)}): {bypass}"
    return "; ".join(
        f"{one.tool} is waived until {one.until}: {one.reason}" for one in environment.gates.waive
    )


def _typed(commands: Iterable[str]) -> str:
    """Commands as a line for a shell."""
    return " && ".join(commands)


def _closed(environment: Environment, images: Mapping[str, Image]) -> "Iterator[Closed]":
    import datetime

    from fairlead.checks.gates import Closed, Evidence, closed
    from fairlead.checks.records import recorded

    config = checks_hash(environment.root)
    today = datetime.datetime.now(datetime.UTC).date()
    for commit, built in _by_commit(environment, images).items():
        if not commit:
            yield Closed(
                "revision",
                f"{', '.join(built.values())}: the image does not say which commit "
                f"it was built from (label {REVISION})",
                ("inv build", "inv push"),
            )
            continue
        records = recorded(environment.root, commit)
        yield from closed(Evidence(commit, config, records, environment.gates, today, built))


def _by_commit(environment: Environment, images: Mapping[str, Image]) -> dict[str, dict[str, str]]:
    """Commit → the images that say they were built from it: digest → reference."""
    found: dict[str, dict[str, str]] = {}
    for image in {image.pinned: image for image in images.values()}.values():
        reference = parse(image.pinned)
        labels = registry_for(environment.registry, reference.server).labels(reference)
        found.setdefault(labels.get(REVISION, ""), {})[image.digest] = image.pinned
    return found
