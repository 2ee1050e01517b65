"""What was pushed before: an image of the same commit under its tag, a newer one under `latest`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from fairlead.errors import PreconditionError
from fairlead.images.registry import Registry
from fairlead.images.revision import Revision
from fairlead.images.upload import Upload
from fairlead.model import REVISION, Command
from fairlead.transport.local import run_local

CREATED = "org.opencontainers.image.created"
TIMEOUT = 30.0


@dataclass(frozen=True)
class Earlier:
    """An image in the registry. platforms, labels: empty where it does not tell."""

    digest: str
    platforms: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def commit(self) -> str:
        return self.labels.get(REVISION, "")


def earlier(upload: Upload, tag: str) -> Earlier | None:
    """What a tag means there now; None when it is free."""
    digest = upload.digest_of(tag)
    if not digest:
        return None
    registry, reference = Registry.over(upload.exchange), replace(upload.target, digest=digest)

    def ask() -> Earlier:
        platforms = registry.resolve(reference).platforms
        return Earlier(digest, platforms, registry.labels(reference))

    try:
        return upload.steadily(ask, "look at the image")
    except PreconditionError:  # it is there, and nothing that we could read
        return Earlier(digest)


def is_newer(there: Earlier, revision: Revision, root: Path) -> bool:
    """Whether an image is of a later commit than ours: as git has it, else by their times.

    A CI job's clone often lacks the later commit.
    """
    if not there.commit or there.commit == revision.commit:
        return False
    argv = ("git", "merge-base", "--is-ancestor", revision.commit, there.commit)
    said = run_local(Command(argv, timeout=TIMEOUT), cwd=root)
    if said.code in (0, 1) and not said.stopped:
        return said.code == 0
    return there.labels.get(CREATED, "") > revision.created
