"""What was seen on the hosts: the only truth a plan is made from."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fairlead.config.traffic import Router
from fairlead.model import ReleaseStatus, other_slot
from fairlead.rollout.journal import Run


@dataclass(frozen=True)
class Live:
    """An entry of the router's live map: the live slot, and the share of another (0..10000)."""

    slot: str
    next_slot: str = ""
    share: int = 0

    @staticmethod
    def parse(text: str) -> "Live | None":
        """`blue`, or `blue:green:3333`; None for `-` (nothing is live)."""
        if text in ("", "-"):
            return None
        slot, _, rest = text.partition(":")
        next_slot, _, share = rest.partition(":")
        return Live(slot, next_slot, int(share or 0))

    def __str__(self) -> str:
        return f"{self.slot}:{self.next_slot}:{self.share}" if self.share else self.slot


@dataclass(frozen=True)
class Container:
    """A container of this environment; slot and release are empty for stateful services."""

    id: str
    name: str
    service: str
    slot: str
    release: str
    image: str
    status: str
    exit_code: int
    oom: bool
    restarts: int
    health: str
    backend: str
    one_off: bool = False
    revision: str = ""  # the commit its image says it was built from

    @property
    def running(self) -> bool:
        return self.status == "running"


@dataclass(frozen=True)
class KeptRelease:
    """A release directory on a host; from_backup: the directory is gone, a backup holds it."""

    id: str
    sequence: int
    status: ReleaseStatus
    manifest: Mapping[str, Any]
    from_backup: bool = False

    @property
    def tag(self) -> str:
        return str(self.manifest.get("tag", ""))


@dataclass(frozen=True)
class Backup:
    """A backup directory on a host: `sequence` is that of the deploy it was taken before.

    data: its data/manifest.json; empty when it holds the release's files only. broken: it should
    hold data, and their record is missing or cannot be read.
    """

    stamp: str
    release: str
    sequence: int
    data: Mapping[str, Any] = field(default_factory=dict)
    broken: bool = False

    @property
    def dumps(self) -> Mapping[str, Mapping[str, Any]]:
        """What was dumped, by name: kind, service, image, bytes, seconds."""
        return {str(one["name"]): one for one in self.data.get("data", ())}

    @property
    def taken(self) -> int:
        """When its data were complete, by the host's own clock (epoch); 0 without data."""
        return int(self.data.get("taken", 0))

    @property
    def bytes(self) -> int:
        return sum(int(one["bytes"]) for one in self.dumps.values())


@dataclass(frozen=True)
class LockHolder:
    """Who has the lock, since when (ISO), doing what, for how many seconds more; its token.

    Of a lock that was released while a step of its owner ran there is no owner: then it is told
    what that step is.
    """

    who: str
    since: str
    doing: str
    seconds_left: int
    token: str = ""

    @staticmethod
    def parse(text: str) -> "LockHolder":
        """Of an `@held` line; ValueError when it is none."""
        who, since, doing, left, token = text.split("\t")
        return LockHolder(who, since, doing, int(left), token)

    @property
    def released(self) -> bool:
        """It has no owner any more, and yet nobody gets it before that step has ended."""
        return self.token == "-"  # noqa: S105 (a word of lock.sh)

    @property
    def expired(self) -> bool:
        return self.seconds_left <= 0


@dataclass(frozen=True)
class HostState:
    """One host, as it is. `docker` is a version, or `missing`, or `unreachable …`."""

    host: str
    docker: str
    platform: str = ""
    compose: str = ""
    flock: bool = True
    writable: str = "yes"
    disk_kib: int = 0
    router: str = "absent"
    router_ports: tuple[int, int] = (0, 0)
    router_config: str = ""
    router_certificate: str = ""  # where this environment's was installed from
    foreign_routes: Mapping[str, str] = field(default_factory=dict)  # prefix → its application
    live_runtime: Live | None = None
    live_file: Live | None = None
    lock: LockHolder | None = None
    containers: tuple[Container, ...] = ()
    releases: tuple[KeptRelease, ...] = ()
    backups: tuple[Backup, ...] = ()
    images: Mapping[str, bool] = field(default_factory=dict)
    clock: int = 0  # the host's own, epoch
    irreversible: tuple[str, ...] = ()  # releases whose migration cannot be undone but by data
    half_restored: tuple[str, ...] = ()  # data whose restore was begun, and did not come to its end
    files: tuple[str, ...] = ()  # digests of project files that are there
    last_audit: str = ""
    runs: tuple[Run, ...] = ()  # by the journal: those that never ended, and the last

    @property
    def live(self) -> Live | None:
        """The router's runtime is the truth; its file counts when the router does not answer."""
        return self.live_runtime or self.live_file

    @property
    def live_slot(self) -> str:
        return self.live.slot if self.live else ""

    @property
    def idle_slot(self) -> str:
        return other_slot(self.live_slot) if self.live_slot else "blue"

    def slot(self, name: str) -> tuple[Container, ...]:
        return tuple(c for c in self.containers if c.slot == name and not c.one_off)

    def release_in(self, slot: str) -> str:
        """The release whose containers a slot holds; empty when it is empty or of several."""
        found = {container.release for container in self.slot(slot)}
        return found.pop() if len(found) == 1 else ""

    @property
    def live_release(self) -> str:
        return self.release_in(self.live_slot) if self.live_slot else ""

    def has_router(self, wanted: Router, config: str, networks: tuple[str, ...]) -> bool:
        """Whether the router runs like this, in these networks, with what it should have loaded."""
        status, _, about = self.router.partition(" ")
        _, _, joined = about.partition(" ")
        there = self.declared_router
        return (
            there is not None
            and status == "running"
            and (there.container, there.certificate) == (wanted.container, wanted.certificate)
            and set(networks) <= set(joined.split(","))
            and self.router_config == hashlib.sha256(config.encode()).hexdigest()
        )

    @property
    def declared_router(self) -> Router | None:
        """How the router was declared by whom it was made for, with this environment's certificate;
        None where there is none."""
        status, _, about = self.router.partition(" ")
        if status == "absent":
            return None
        return Router(about.partition(" ")[0], *self.router_ports, self.router_certificate)

    @property
    def serving(self) -> tuple[str, ...]:
        """Every release that gets requests: two, while (or after) a roll-out is half way."""
        slots = (self.live.slot, self.live.next_slot) if self.live else ()
        return tuple(release for slot in slots if slot and (release := self.release_in(slot)))

    def kept(self, release: str) -> KeptRelease | None:
        return next((kept for kept in self.releases if kept.id == release), None)


Observed = Mapping[str, HostState]


def fingerprint(state: HostState, release: str) -> object:
    """What must not have changed between the plan and the lock.

    Whether a container runs counts for `release` only, where the plan may rest on its being warm:
    an old slot that stops by itself when keep_warm ends, or one that crashes, is no other plan.
    """
    return (
        state.live,
        state.router_config,
        state.declared_router,
        tuple(sorted((c.id, c.release == release and c.status) for c in state.containers)),
        tuple((kept.id, kept.status) for kept in state.releases),
    )
