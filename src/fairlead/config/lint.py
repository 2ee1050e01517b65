"""`[lint]`: which linters run, and for how long."""

from dataclasses import dataclass

from fairlead.config.kinds import Name, PositiveDuration


@dataclass(frozen=True)
class Lint:
    """tools: empty means what the tree and its configuration files call for. timeout: s, each."""

    tools: tuple[Name, ...] = ()
    timeout: PositiveDuration = 300.0
