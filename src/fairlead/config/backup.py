"""What a backup holds besides a release's files, how long it is kept, and where a copy goes."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from fairlead.config.kinds import (
    Count,
    Duration,
    ImageReference,
    LocalPath,
    Port,
    PositiveDuration,
    ServiceName,
    matching,
    size,
)
from fairlead.config.traffic import parse_command

Kind = Literal["redis", "postgres", "qdrant", "volume", "command"]

DataName = Annotated[
    str,
    matching(
        r"[a-z0-9][a-z0-9_-]{0,30}",
        "must be lower-case letters, digits and _- (it becomes the name of a file)",
    ),
]
DatabaseName = Annotated[
    str,
    matching(r"|[A-Za-z0-9_][A-Za-z0-9_-]{0,49}", "must be letters, digits and _-, at most 50"),
]
Variable = Annotated[
    str,
    matching(r"|[A-Za-z_][A-Za-z0-9_]*", "must be the name of a variable"),
]
VolumeName = Annotated[
    str,
    matching(
        r"|[A-Za-z0-9][A-Za-z0-9_.-]*", "must be the name of a volume, of letters, digits, _.-"
    ),
]
Collection = Annotated[
    str, matching(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", "must be letters, digits and _.-")
]
Size = Annotated[int, size]


def optional_image(value: object) -> str:
    """An image reference, or nothing."""
    parse = ImageReference.__metadata__[0]  # type: ignore[attr-defined]
    return "" if value == "" else str(parse(value))


def optional_command(value: object) -> str:
    """A command line as `parse_command` takes it, or nothing."""
    return "" if value == "" else parse_command(value)


def pattern(value: object) -> str:
    """A regular expression of Python's."""
    import re

    try:
        re.compile(value if isinstance(value, str) else "(")
    except re.error:
        raise ValueError("must be a regular expression") from None
    return str(value)


@dataclass(frozen=True)
class BackupData:
    """Data of one service, dumped in a way that fits its kind.

    required: None means in production only. verify: what is asked of a restored copy, whose whole
    answer must match `expect`; empty: that it can be restored is enough. timeout: seconds.
    """

    name: DataName
    kind: Kind
    service: ServiceName
    database: DatabaseName = ""
    user: DatabaseName = "postgres"
    password_variable: Variable = ""
    port: Port = 6333
    collections: tuple[Collection, ...] = ()
    volume: VolumeName = ""
    image: Annotated[str, optional_image] = ""
    dump: str = ""
    restore: str = ""
    check: str = ""
    required: bool | None = None
    verify: str = ""
    expect: Annotated[str, pattern] = ".+"
    timeout: PositiveDuration = 1800.0

    @property
    def details(self) -> tuple[str, ...]:
        """What its kind must know, in the order of the shell functions in backup_<kind>.sh."""
        known: dict[str, tuple[str, ...]] = {
            "redis": (self.password_variable,),
            "postgres": (self.password_variable, self.database, self.user),
            "qdrant": (self.password_variable, str(self.port), *self.collections),
            "volume": (self.volume, self.image),
            "command": (self.dump, self.restore, self.check),
        }
        return known[self.kind]


@dataclass(frozen=True)
class Backup:
    """Backups of an environment. Durations are seconds, sizes bytes; 0 is no limit.

    before_deploy: data are dumped before each deploy. keep, keep_for, keep_size: what `prune`
    leaves. copy_to: where `backups.copy` goes. on_failure: run here when a verification fails.
    """

    before_deploy: bool = True
    max_age: PositiveDuration = 90000.0
    keep: Count = 30
    keep_for: Duration = 0.0
    keep_size: Size = 0
    copy_to: LocalPath = ""
    on_failure: Annotated[str, optional_command] = ""
    data: tuple[BackupData, ...] = field(default=())
